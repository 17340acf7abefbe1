/** Checks what a program asks for: each option by itself, and all of them together. */
import { UsageError } from '../errors.js';
import { MOST_COMMENT_BYTES } from '../protocol/limits.js';
import { DEFAULT_REQUEST, formatOf } from '../protocol/request.js';
import { type CaptureOptions, optionsSchema } from './options.js';

/**
 * Checks the options, each by itself and together.
 * @throws UsageError, whose subject is the option
 */
export function checkOptions(options: CaptureOptions): CaptureOptions {
  const { data, error } = optionsSchema.safeParse(options);
  if (!data) {
    const [issue] = error.issues;
    const subject = issue?.path.join('.') ?? '';
    throw new UsageError(`${subject || 'the options'}: ${issue?.message ?? 'not valid'}`, { subject });
  }
  for (const [name, isWrong, why, hint] of contradictions(data)) {
    if (isWrong) throw new UsageError(`${name}: ${why}`, { subject: name, hint });
  }
  return data;
}

type Contradiction = [name: string, isWrong: boolean, why: string, hint: string];

function contradictions(options: CaptureOptions): Contradiction[] {
  const { to, packets, byteLimit } = options;
  const isTunnel = to !== undefined && 'tunnel' in to;
  return [
    [
      'to',
      to === undefined && packets === undefined,
      'packets go nowhere',
      "give to: { file: 'x.pcapng' }, or packets",
    ],
    ['packets', to !== undefined && packets !== undefined, 'packets go to `to` already', 'give one of the two'],
    [
      'byteLimit',
      isTunnel && Boolean(byteLimit),
      'a tunnel has no file of some size',
      'leave byteLimit out, or give packetLimit or durationMs',
    ],
    ...aboutPackets(options),
    ...aboutFiles(options),
  ];
}

/** What packets have no use for that come to the program. */
function aboutPackets({ packets, ...rest }: CaptureOptions): Contradiction[] {
  const names = ['format', 'compress', 'comments', 'nanoseconds', 'byteLimit'] as const;
  return names.map((name) => [
    name,
    packets !== undefined && rest[name] !== undefined,
    'it is about a file, and packets come to the program',
    `leave ${name} out, or give to: { file } in place of packets`,
  ]);
}

function aboutFiles({ to, rotation, minFreeBytes, byteLimit, comments = [], format }: CaptureOptions): Contradiction[] {
  const path = to !== undefined && 'file' in to ? to.file : undefined;
  const { bytes, packets, durationMs, intervalMs } = rotation ?? {};
  const isPcap = (format ?? (path === undefined ? DEFAULT_REQUEST.format : formatOf(path))) === 'pcap';
  const oneFile = 'end with mostFiles, packetLimit or durationMs';
  return [
    [
      'rotation',
      rotation !== undefined && path === undefined,
      'files are made from the name of one',
      'give to: { file }',
    ],
    [
      'rotation',
      rotation !== undefined && [bytes, packets, durationMs, intervalMs].every((one) => one === undefined),
      'it does not say when the next file begins',
      'give bytes, packets, durationMs or intervalMs',
    ],
    ['byteLimit', rotation !== undefined && Boolean(byteLimit), 'it ends a capture with one file', oneFile],
    [
      'minFreeBytes',
      minFreeBytes !== undefined && path === undefined,
      'it is about the disk of a file',
      'give to: { file }',
    ],
    ['comments', comments.length > 0 && isPcap, 'a pcap file has no place for them', "give format: 'pcapng'"],
    [
      'comments',
      comments.some((comment) => Buffer.byteLength(comment) > MOST_COMMENT_BYTES),
      `one has more than ${MOST_COMMENT_BYTES} bytes`,
      'give several',
    ],
  ];
}
