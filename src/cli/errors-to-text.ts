/** How an error is shown: a sentence for people, or one JSON object where the output is for programs. */
import { type DpcapError, formatError } from '../errors.js';

/** One line, or for people several, with the line feed. */
export function errorText(error: DpcapError, isJson: boolean): string {
  return `${isJson ? JSON.stringify(error) : formatError(error)}\n`;
}
