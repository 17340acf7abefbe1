/** run(argv): parse, act, exit code. The only place that prints an error. */
import './signals.js';
import { CommanderError } from 'commander';
import { createProgram, expandAliases } from './cli.js';
import { asDpcapError, errnoOf, formatError } from './errors.js';

/**
 * Runs one command line and returns its exit code: 0 done or stopped as asked, 1 failed, 2 usage.
 * @param argv arguments after the program's name
 */
export async function main(argv: string[]): Promise<number> {
  // A reader of a listing that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error) => {
    if (errnoOf(error) !== 'EPIPE') throw error;
  });
  const context = { exitCode: 0 };
  try {
    const words = expandAliases(argv);
    const program = await createProgram(words, context);
    await program.parseAsync(words, { from: 'user' });
    return context.exitCode;
  } catch (thrown) {
    // Commander has already printed its own text; help and version exit with 0, mistakes with 2.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    const error = asDpcapError(thrown);
    const text = argv.includes('--json') ? JSON.stringify(error.toJSON()) : formatError(error);
    process.stderr.write(`${text}\n`);
    return error.exitCode;
  }
}
