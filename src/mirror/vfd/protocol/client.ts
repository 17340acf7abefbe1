/** VFd's requests as methods. This class knows the protocol; what is wise to ask, the controller knows. */
import { randomBytes } from 'node:crypto';
import { DpcapError } from '../../../errors.js';
import type { Direction, Mirror, VfId } from '../../controller.js';
import { AnswerDir } from './answer-dir.js';
import { type RawAnswer, readAnswer, writeRequest } from './fifo.js';
import { describeRequest, encodeRequest, type VfdRequest } from './request.js';
import { checkRequest } from './request-check.js';
import { parseAnswer, printable } from './response.js';
import { type MirrorTable, parseExtended, parseMirrors, parseStats, type StatsRow } from './tables.js';

/** VFd answers within 50 ms unless a NIC is slow to program. */
export const ANSWER_LIMIT_MS = 5000;
const SLOW_MS = 1000;

export class VfdClient {
  readonly fifo: string;
  readonly #limitMs: number;
  #dir: AnswerDir | undefined;
  #slowestMs = 0;

  constructor(fifo: string, limitMs: number = ANSWER_LIMIT_MS) {
    this.fifo = fifo;
    this.#limitMs = limitMs;
  }

  /** The daemon's version text. */
  async ping(): Promise<string> {
    const [line = ''] = await this.#ask({ action: 'ping' });
    return line.replace(/^pong:\s*/, '').trim();
  }

  /** PFs, and the VFs that VFd manages. */
  async showAll(): Promise<StatsRow[]> {
    return parseStats(await this.#ask({ action: 'show', resource: 'all' }));
  }

  async showPfs(): Promise<StatsRow[]> {
    return parseStats(await this.#ask({ action: 'show', resource: 'pfs' }));
  }

  /** Filters the rows, because VFd shows all PFs for 0. */
  async showPf(pf: number): Promise<StatsRow[]> {
    const rows = parseStats(await this.#ask({ action: 'show', resource: String(pf) }));
    return rows.filter((row) => row.pf === pf);
  }

  async showMirrors(): Promise<MirrorTable> {
    return parseMirrors(await this.#ask({ action: 'show', resource: 'mirrors' }));
  }

  async showExtended(): Promise<ReturnType<typeof parseExtended>> {
    return parseExtended(await this.#ask({ action: 'show', resource: 'extended' }));
  }

  async mirrorOn({ pf, vf, direction, target }: Mirror): Promise<void> {
    await this.#ask({ action: 'mirror', resource: mirrorWords(pf, vf, direction, target) });
  }

  /** Call this only for a mirror that is on: otherwise VFd fails, and NICs may. */
  async mirrorOff({ pf, vf }: VfId): Promise<void> {
    await this.#ask({ action: 'mirror', resource: `${pf} ${vf} off` });
  }

  /** @param filename absolute */
  async add(filename: string): Promise<void> {
    await this.#ask({ action: 'add', filename });
  }

  /** @param filename absolute */
  async delete(filename: string): Promise<void> {
    await this.#ask({ action: 'delete', filename });
  }

  async verbose(loglevel: number): Promise<void> {
    await this.#ask({ action: 'verbose', loglevel });
  }

  /** Makes VFd write a dump into its log. */
  async dump(): Promise<void> {
    await this.#ask({ action: 'dump' });
  }

  /** Tells what a person should know about the answers so far. */
  warnings(): string[] {
    if (this.#slowestMs < SLOW_MS) return [];
    return [`VFd took ${(this.#slowestMs / 1000).toFixed(1)} s to answer: it is busy, or a NIC is slow to program`];
  }

  /** Removes the directory that was made for answers. Idempotent; a later request makes it again. */
  close(): void {
    this.#dir?.remove();
    this.#dir = undefined;
  }

  async #ask(request: VfdRequest): Promise<string[]> {
    this.#dir ??= new AnswerDir(this.fifo);
    const id = `dpcap-${randomBytes(6).toString('hex')}`;
    const reply = this.#dir.createFifo();
    try {
      const bytes = encodeRequest(request, { fifo: reply.path, id });
      checkRequest(request, bytes);
      writeRequest(this.fifo, bytes);
      const raw = await readAnswer(reply.fd, this.#limitMs);
      this.#slowestMs = Math.max(this.#slowestMs, raw.elapsedMs);
      return this.#judge(request, id, raw);
    } finally {
      reply.close();
    }
  }

  #judge(request: VfdRequest, id: string, raw: RawAnswer): string[] {
    const subject = describeRequest(request);
    if (raw.bytes.length === 0) throw this.#noAnswer(subject);
    const answer = parseAnswer(raw.bytes);
    if (answer.kind !== 'answer') throw badAnswer(subject, answer.kind, answer.text);
    if (answer.id !== undefined && answer.id !== id) throw badAnswer(subject, 'foreign', `vfd_rid ${answer.id}`);
    if (answer.ok) return answer.lines;
    throw new DpcapError('ERR_MIRROR_REFUSED', `VFd refuses: ${printable(answer.lines.join('; ')) || subject}`, {
      subject,
      hint: 'VFd gives no other reason; what its NICs can: dpcap mirror capabilities',
    });
  }

  #noAnswer(subject: string): DpcapError {
    const seconds = this.#limitMs / 1000;
    return new DpcapError('ERR_MIRROR_NO_ANSWER', `VFd did not answer within ${seconds} s: ${subject}`, {
      errno: 'ETIMEDOUT',
      subject,
      hint: 'it may have carried the request out all the same; is the daemon stopped, or can it not see our FIFO?',
    });
  }
}

function mirrorWords(pf: number, vf: number, direction: Direction, target: number): string {
  return `${pf} ${vf} ${direction} ${target}`;
}

const FAULTS = {
  cut: 'is cut: it has no end mark',
  rubbish: 'makes no sense',
  foreign: 'belongs to another request',
};

function badAnswer(subject: string, fault: keyof typeof FAULTS, text: string): DpcapError {
  const message = `the answer of VFd to "${subject}" ${FAULTS[fault]}: ${printable(text)}`;
  return new DpcapError('ERR_MIRROR_BAD_ANSWER', message, {
    subject,
    hint: 'the request may have been carried out; look with: dpcap mirror list',
  });
}
