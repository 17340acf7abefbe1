/** How an error is shown: a sentence for people, or one JSON object where the output is for programs. */
import { type DpcapError, formatError } from '../errors.js';

/** Returns one line, or several lines for people, with the line feed at the end. */
export function errorText(error: DpcapError, isJson: boolean): string {
  return `${isJson ? JSON.stringify(error) : formatError(error)}\n`;
}
