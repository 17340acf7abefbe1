/** `--compress CODEC[:LEVEL]`: which codec a file is written with. */
import type { Command } from 'commander';
import { UsageError } from '../../errors.js';
import type { OutputChoice } from '../../protocol/request.js';
import { CODEC_NAMES, CODECS, type CompressionChoice, codecOf } from '../../sinks/compression.js';
import { checkInteger } from '../whole-number.js';

/** Adds the option to a command. */
export function addCompressOption(command: Command): void {
  command.option(
    '--compress <codec>',
    'Compress what -w writes: zstd, gzip or lz4, with a level behind a colon (zstd:3). Default: by the suffix of the file (.zst, .gz, .lz4), else none.',
  );
}

/**
 * What is typed, or what the name of the file means.
 * @returns undefined for a file that is not compressed
 * @throws UsageError
 */
export function checkCompress(text: string | undefined, output: OutputChoice): CompressionChoice | undefined {
  if (text === undefined) {
    const codec = output.kind === 'file' ? codecOf(output.path) : undefined;
    return codec && { codec, level: CODECS[codec].usual };
  }
  if (output.kind !== 'file' && output.kind !== 'stdout') {
    throw new UsageError(`--compress ${text}: packets are not written`, {
      subject: text,
      hint: 'add -w FILE, or -w - for standard output',
    });
  }
  if (text === 'none') return undefined;
  const [name, level] = text.split(/:(.*)/s, 2);
  const codec = CODEC_NAMES.find((one) => one === name);
  if (codec === undefined) {
    throw new UsageError(`--compress: unknown codec ${text}`, {
      subject: text,
      hint: `use ${CODEC_NAMES.join(', ')} or none, with a level behind a colon: zstd:3`,
    });
  }
  const { least, most, usual } = CODECS[codec];
  const option = `--compress ${codec}`;
  return { codec, level: level === undefined ? usual : checkInteger(option, level, least, most, 'as its level') };
}
