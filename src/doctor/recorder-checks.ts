/** Checks what flight recorders left. Pure: facts in, findings out. */
import type { BadBox } from '../recorder/find.js';
import { printable } from '../text/printable.js';
import { shellWord } from '../text/shell-word.js';
import { roundedSize } from '../text/size.js';
import { type Check, ok, warn } from './check.js';

/** A black box, as far as a check speaks of it. */
export interface BoxView {
  path: string;
  pid: number;
  program: string;
  bytes: number;
  isRecording: boolean;
}

/** One finding for the recorders that are on, and one for each box that a dead process left, or that cannot be read. */
export function recorderChecks(boxes: readonly BoxView[], bad: readonly BadBox[]): Check[] {
  const living = boxes.filter(({ isRecording }) => isRecording);
  const dead = boxes.filter(({ isRecording }) => !isRecording);
  const names = living.map(({ program, pid, bytes }) => printable(`${program}, pid ${pid}, ${roundedSize(bytes)}`));
  return [
    ...(living.length > 0 ? [ok('recorder', `on in ${names.join('; ')}`)] : []),
    ...dead.map(({ path, program, pid, bytes }) =>
      warn(
        'black box',
        printable(`${program}, pid ${pid}, has ended and left ${roundedSize(bytes)} of memory in ${path}`),
        `save it: dpcap recorder save --box ${shellWord(path)} -w FILE; then remove it: dpcap recover --box ${shellWord(path)}`,
      ),
    ),
    ...bad.map(({ path, error }) =>
      warn('black box', printable(`not read: ${error.message}`), `remove it: dpcap recover --box ${shellWord(path)}`),
    ),
  ];
}
