/**
 * Converts libpcap's classic BPF into the eBPF that runs in the primary. DPDK's own converter is not used: it reads the
 * wrong bytes for indexed byte and word loads (`tcp[tcpflags]`, `icmp[icmptype]`), in all releases up to 26.07.
 *
 * The result means exactly what libpcap's interpreter does, for every packet: see docs and test/filter/differential.ts.
 */
import type { ClassicInsn, MbufLayout } from '../../native/filter-binding.js';
import type { Direction } from '../../native/primary-binding.js';
import { type Analysis, analyse, LIVE_A, LIVE_X, liveM, type State } from '../bpf/analyse.js';
import { isConstant } from '../bpf/intervals.js';
import { ALU, CLASS, type ExtendedInsn, JMP, loadBytes, MEMWORDS, MODE, SIZE, SRC } from '../bpf/isa.js';
import { dependsOnTags, readsPacket } from '../bpf/packet-reads.js';
import { checkClassic } from '../bpf/validate.js';
import { arithmetic, operand } from './arithmetic.js';
import { Assembler, type Label, REG } from './assembler.js';
import type { Loads } from './loads.js';
import { PacketLoads } from './packet-loads.js';
import { TAG_OFFSET } from './tags.js';

export interface ConvertOptions {
  /** Whether VLAN tags in the packet are looked through (any) or read to the letter (strict). */
  vlan: 'any' | 'strict';
  layout: MbufLayout;
  /** The direction decides which of the mbuf's flags say that a tag is not in the packet. Default: rx. */
  direction?: Direction | undefined;
}

/**
 * Converts one program that reads the packet's own bytes. (pipeline.ts does all that a capture's filter needs.)
 * @throws UsageError ERR_FILTER_UNSUPPORTED for what cannot run in a primary: loops, ancillary data, excessive length
 */
export function convert(classic: readonly ClassicInsn[], options: ConvertOptions): ExtendedInsn[] {
  const asm = new Assembler();
  const program = new ClassicProgram(classic);
  if (program.readsPacket) asm.movePointer(REG.MBUF, 1);
  const skips = options.vlan === 'any' && program.readsTags;
  program.emit(asm, new PacketLoads(asm, skips, options.layout, options.direction ?? 'rx'));
  return asm.finish();
}

/** A classic program that was checked and analysed, and can be emitted any number of times. */
export class ClassicProgram {
  readonly analysis: Analysis;
  /** Whether the program needs the mbuf. */
  readonly readsPacket: boolean;
  /** Whether a frame and the same frame without tags can get different verdicts; the length is that on the wire. */
  readonly readsTags: boolean;

  /** @throws UsageError ERR_FILTER_UNSUPPORTED */
  constructor(
    readonly insns: readonly ClassicInsn[],
    most?: number,
  ) {
    checkClassic(insns, most);
    this.analysis = analyse(insns);
    const reachable = insns.filter((_, at) => this.analysis.states[at]);
    this.readsPacket = reachable.some(readsPacket);
    this.readsTags = reachable.some(dependsOnTags);
  }

  /** Emits the program. Accepting packets go on at `accept`; without it they end the whole program. */
  emit(asm: Assembler, loads: Loads, accept?: Label): void {
    new Converter(this, asm, loads, accept).run(0);
  }

  /** Whether the program begins with a load from the place that holds the EtherType of an untagged frame. */
  get readsTypeFirst(): boolean {
    const { code, k } = this.insns[0] as ClassicInsn;
    return code === (CLASS.LD | SIZE.H | MODE.ABS) && k === TAG_OFFSET;
  }

  /** Emits what follows the load of the EtherType, which R0 holds. */
  emitAfterType(asm: Assembler, loads: Loads, accept?: Label): void {
    new Converter(this, asm, loads, accept).run(1);
  }
}

/** Returns of a constant are shared: see Assembler.returning. */
const RETURN_K = CLASS.RET | SRC.K;

class Converter {
  private readonly analysis: Analysis;
  private readonly program: readonly ClassicInsn[];
  private readonly labels: Label[];
  private readonly words = new Map<number, number>();

  constructor(
    { insns, analysis }: ClassicProgram,
    private readonly asm: Assembler,
    private readonly loads: Loads,
    private readonly accept: Label | undefined,
  ) {
    this.program = insns;
    this.analysis = loads.fixed ? analyse(insns, loads.fixed) : analysis;
    this.labels = insns.map(() => this.asm.label());
  }

  /** Emits the program from instruction `first` on; the registers hold what the instructions before it leave. */
  run(first: 0 | 1): void {
    const { asm } = this;
    const start = this.follow(first);
    this.loads.enter();
    this.initialise(this.analysis.live[0] as number);
    asm.jump(this.labelOf(start));
    this.program.forEach((insn, at) => {
      if (this.analysis.states[at] && !this.isPassedOver(at) && insn.code !== RETURN_K) this.translate(at);
    });
  }

  /** A, X and M[] are 0 at first; only what may be read before it is written costs an instruction. */
  private initialise(live: number): void {
    if (live & LIVE_A) this.asm.move(REG.A, { imm: 0 });
    if (live & LIVE_X) this.asm.move(REG.X, { imm: 0 });
    const words = Array.from({ length: MEMWORDS }, (_, word) => word).filter((word) => live & liveM(word));
    if (words.length > 0) this.asm.move(REG.TEMP, { imm: 0 });
    for (const word of words) this.asm.storeMemory(REG.FRAME, this.wordOffset(word), REG.TEMP);
  }

  /** True for what nothing is emitted for: jumps whose outcome is known, and what only they would have read. */
  private isPassedOver(at: number): boolean {
    const { code, k } = this.program[at] as ClassicInsn;
    if ((code & 7) === CLASS.JMP) return (this.analysis.next[at] as number[]).length === 1;
    if ((code & 0xe7) !== (CLASS.LD | MODE.ABS) || this.isLive(at + 1, LIVE_A)) return false;
    return this.loads.fixed?.(k, loadBytes(code)) !== undefined;
  }

  private isLive(at: number, bits: number): boolean {
    return ((this.analysis.live[at] as number) & bits) !== 0;
  }

  /** The instruction at which a jump to `at` ends up. */
  private follow(at: number): number {
    let here = at;
    while (this.isPassedOver(here)) here = (this.analysis.next[here] as number[])[0] as number;
    return here;
  }

  private labelOf(at: number): Label {
    const insn = this.program[at] as ClassicInsn;
    if (insn.code !== RETURN_K) return this.labels[at] as Label;
    return insn.k !== 0 && this.accept !== undefined ? this.accept : this.asm.returning(insn.k);
  }

  private goTo(at: number): void {
    this.asm.jump(this.labelOf(this.follow(at)));
  }

  private translate(at: number): void {
    const insn = this.program[at] as ClassicInsn;
    const next = this.analysis.next[at] as number[];
    this.asm.place(this.labels[at] as Label);
    if ((insn.code & 7) === CLASS.RET) {
      if (this.accept !== undefined) this.asm.jumpIf(JMP.JNE, REG.A, { imm: 0 }, this.accept);
      this.asm.exit();
    } else if (next.length === 0) {
      this.asm.jump(this.asm.returning(0));
    } else if ((insn.code & 7) === CLASS.JMP) {
      this.branch(insn, next);
    } else {
      this.operate(insn, at);
      this.goTo(at + 1);
    }
  }

  private branch(insn: ClassicInsn, next: number[]): void {
    const [whenTrue, whenFalse] = next.map((to) => this.labelOf(this.follow(to))) as [Label, Label];
    this.asm.jumpIf(insn.code & 0xf0, REG.A, operand(insn), whenTrue);
    this.asm.jump(whenFalse);
  }

  private operate(insn: ClassicInsn, at: number): void {
    const state = this.analysis.states[at] as State;
    switch (insn.code & 7) {
      case CLASS.LD:
        this.load(insn, state);
        break;
      case CLASS.LDX:
        this.loadIndex(insn, at);
        break;
      case CLASS.ST:
        this.asm.storeMemory(REG.FRAME, this.wordOffset(insn.k), REG.A);
        break;
      case CLASS.STX:
        this.asm.storeMemory(REG.FRAME, this.wordOffset(insn.k), REG.X);
        break;
      case CLASS.ALU:
        arithmetic(this.asm, insn, state);
        break;
      default:
        if ((insn.code & 0x80) === 0) this.moveToX(state);
        else this.asm.move(REG.A, { reg: REG.X });
    }
  }

  // The verifier forgets a computed X: it walks what follows once, not once for each way of computing X. The copy is a
  // sum, since the verifier remembers how wide a register's load was, unless the register began as a constant.
  private moveToX({ a }: State): void {
    const { asm } = this;
    if (isConstant(a)) {
      asm.move(REG.X, { reg: REG.A });
      return;
    }
    asm.move(REG.X, { imm: 0 });
    asm.alu(ALU.ADD, REG.X, { reg: REG.A });
    asm.forget(REG.X);
  }

  private load({ code, k }: ClassicInsn, state: State): void {
    switch (code & 0xe0) {
      case MODE.IMM:
        this.asm.move(REG.A, { imm: k });
        break;
      case MODE.MEM:
        this.asm.loadMemory(REG.A, REG.FRAME, this.wordOffset(k));
        break;
      case MODE.LEN:
        this.loads.length(REG.A);
        break;
      case MODE.ABS:
        this.loads.absolute(k, loadBytes(code));
        break;
      default:
        this.loads.indirect(k, loadBytes(code), state.x);
        break;
    }
  }

  private loadIndex({ code, k }: ClassicInsn, at: number): void {
    switch (code & 0xe0) {
      case MODE.IMM:
        // Programs of words do this where paths meet or part: the verifier must know the same on all of them.
        this.asm.move(REG.X, { imm: k });
        this.asm.forget(REG.X);
        this.asm.move(REG.SCRATCH, { imm: 0 });
        break;
      case MODE.MEM:
        this.asm.loadMemory(REG.X, REG.FRAME, this.wordOffset(k));
        break;
      case MODE.LEN:
        this.loads.length(REG.X);
        break;
      default:
        this.headerLength(k, this.isLive(at + 1, LIVE_A));
        break;
    }
  }

  /** X = 4 * (low nibble of the byte at k): an IPv4 header's length. A passes through R7 when it is still needed. */
  private headerLength(k: number, keepsA: boolean): void {
    if (keepsA) this.asm.move(REG.TEMP, { reg: REG.A });
    this.loads.absolute(k, 1);
    this.asm.alu(ALU.AND, REG.A, { imm: 15 });
    this.asm.alu(ALU.LSH, REG.A, { imm: 2 });
    this.asm.move(REG.X, { reg: REG.A });
    if (keepsA) this.asm.move(REG.A, { reg: REG.TEMP });
  }

  /** Scratch words that are used get 8-byte slots from the top of the stack down. */
  private wordOffset(word: number): number {
    const slot = this.words.get(word) ?? this.words.size;
    this.words.set(word, slot);
    this.asm.words = Math.max(this.asm.words, slot + 1);
    return -8 * (slot + 1);
  }
}
