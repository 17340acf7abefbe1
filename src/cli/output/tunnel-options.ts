/** Options that mean nothing where packets go into a tunnel. */
import { UsageError } from '../../errors.js';
import type { StopConditions } from '../../protocol/limits.js';
import type { RawRotationOptions } from './rotation-options.js';

interface RawOptions extends RawRotationOptions {
  format?: string;
  threads?: string;
  timePrecision?: string;
}

/** @throws UsageError naming the option */
export function refuseForTunnel(
  raw: RawOptions,
  { byteLimit, mostFiles }: Pick<StopConditions, 'byteLimit'> & { mostFiles: number },
): void {
  const several = 'is about files';
  const about: [name: string, isGiven: boolean, why: string][] = [
    ['-F', raw.format !== undefined, 'is the format of a file'],
    ['--time-precision', raw.timePrecision !== undefined, 'is that of a file'],
    ['-a filesize', byteLimit > 0, 'is the size of a file'],
    ['-a files', mostFiles > 0, several],
    ['-b', raw.ringBuffer !== undefined, several],
    ['-C', raw.fileSize !== undefined, several],
    ['-G', raw.rotateSeconds !== undefined, several],
    ['-W', raw.fileCount !== undefined, several],
    ['-z', raw.postrotateCommand !== undefined, several],
    ['--min-free', raw.minFree !== undefined, 'is about the disk of a file'],
    ['--threads', raw.threads !== undefined && raw.threads !== '1', 'is for a file: one thread sends, in order'],
  ];
  for (const [name, isGiven, why] of about) {
    if (!isGiven) continue;
    throw new UsageError(`${name} ${why}, and packets go into a tunnel`, { subject: name, hint: `leave ${name} out` });
  }
}
