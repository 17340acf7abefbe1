import t from 'tap';
import { pollNotes } from '../../src/supervisor/capture.js';

t.same(pollNotes(0, [{ direction: 'tx' }]), [], 'no probes');
t.match(pollNotes(3100, [{ direction: 'tx' }, { direction: 'rx' }]), [/about 3\.1 us more/]);
t.match(pollNotes(3100, [{ direction: 'tx' }]), [/about 3\.1 us more/, /only packets that a port misses/]);
