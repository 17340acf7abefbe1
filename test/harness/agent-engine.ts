/**
 * Captures through the agent at the socket of the first argument, until it is killed; with a number as the second argument,
 * that many times one after the other, then it ends.
 */
import { hostAddon } from '../../src/native/addons.js';
import { captureInRounds } from './engine-rounds.js';

const MEMORY = 4 * 1024 * 1024;

const [socket = '', rounds] = process.argv.slice(2);
await captureInRounds(hostAddon(), { agent: { sockets: [socket], memory: MEMORY } }, rounds);
