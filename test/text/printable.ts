import t from 'tap';
import { printable } from '../../src/text/printable.js';

t.equal(printable('a\x1b[31m\nb\x9b\x7f'), 'a?[31m?b??');
t.equal(printable('router-2 \u20ac'), 'router-2 \u20ac');
