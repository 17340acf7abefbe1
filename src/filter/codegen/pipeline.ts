/** The whole filter as one eBPF program: VLAN test, tunnel and classic programs, all of which must match. */
import type { ClassicInsn, MbufLayout } from '../../native/filter-binding.js';
import type { Direction } from '../../native/primary-binding.js';
import type { Interval } from '../bpf/interval-set.js';
import type { ExtendedInsn } from '../bpf/isa.js';
import { SEARCH_INSN_MAX } from '../bpf/validate.js';
import { Assembler, type Label, REG } from './assembler.js';
import { decapsulate } from './decapsulate.js';
import { InnerLoads } from './inner-loads.js';
import { PacketLoads } from './packet-loads.js';
import { TaggedLoads } from './tagged-loads.js';
import { forEachAbsence, leaveWhenUntagged, requireNoVlan, requireVlan } from './tags.js';
import { ClassicProgram } from './translate.js';

/** One classic program, and how it sees the frame. */
export interface Stage {
  classic: readonly ClassicInsn[];
  /**
   * untagged: as if the frame had no VLAN tags, except for its length. wire: with all its tags, also those that are in
   * the mbuf only.
   */
  view: 'untagged' | 'wire';
  /** Whether the program is a search, through which all paths are short, however long it is. */
  isSearch?: boolean | undefined;
}

/** The longest program emitted twice: the verifier needs time for both. Searches are built to be easy for it. */
const TWICE_MAX = 64;
const SEARCH_TWICE_MAX = 512;

export interface PipelineOptions {
  layout: MbufLayout;
  /** The direction decides which of the mbuf's flags say that a tag is not in the packet. */
  direction: Direction;
  /** Tags of which the frame must have one; with `none`, it must have no tag. */
  vlan?: readonly Interval[] | 'none' | undefined;
  /** The stages look at the packet inside this many tunnels. */
  inner?: number | undefined;
}

/**
 * Converts all stages into one program; the first stage's reasons to reject are tried first.
 * @throws UsageError ERR_FILTER_UNSUPPORTED
 */
export function buildPipeline(stages: readonly Stage[], options: PipelineOptions): ExtendedInsn[] {
  return new Pipeline(options).build(stages);
}

class Pipeline {
  private readonly asm = new Assembler();
  private readonly options: PipelineOptions;
  /** Whether the verifier knows the same about all registers on every path to this point. */
  private settled = true;

  constructor(options: PipelineOptions) {
    this.options = options;
  }

  build(stages: readonly Stage[]): ExtendedInsn[] {
    const { asm } = this;
    const { vlan, inner } = this.options;
    const programs = stages.map(({ classic, view, isSearch }) => {
      const program = new ClassicProgram(classic, isSearch ? SEARCH_INSN_MAX : undefined);
      return { program, view, mayBeTwice: classic.length <= (isSearch ? SEARCH_TWICE_MAX : TWICE_MAX) };
    });
    if (vlan !== undefined || inner !== undefined || programs.some(({ program }) => program.readsPacket)) {
      asm.movePointer(REG.MBUF, 1);
    }
    this.requireTag();
    if (inner !== undefined) {
      this.boundary();
      decapsulate(asm, inner);
    }
    // Literal readings of an inner frame change the content of the slots, so they come last.
    programs.sort((a, b) => Number(a.view !== 'untagged') - Number(b.view !== 'untagged'));
    programs.forEach(({ program, view, mayBeTwice }, index) => {
      const next = index === programs.length - 1 ? undefined : asm.label();
      this.boundary();
      this.stage(program, view, mayBeTwice, next);
      this.settled = false;
      if (next !== undefined) asm.place(next);
    });
    if (programs.length === 0) asm.jump(asm.returning(1));
    return asm.finish();
  }

  /** Emits the test of `--vlan`. */
  private requireTag(): void {
    const { asm } = this;
    const { vlan, layout, direction } = this.options;
    if (vlan === undefined) return;
    const good = asm.label();
    if (vlan === 'none') requireNoVlan(asm, layout, direction, good, asm.returning(0));
    else requireVlan(asm, layout, direction, vlan, good, asm.returning(0));
    asm.place(good);
    this.settled = false;
  }

  /**
   * Between two parts, all words and all registers in use but R6 and R9 are set to 0: the verifier would otherwise walk
   * the second part once for every way out of the first.
   */
  private boundary(): void {
    const { asm } = this;
    if (this.settled) return;
    for (const register of [REG.A, REG.ARGUMENT, REG.SCRATCH, REG.TEMP]) asm.move(register, { imm: 0 });
    // X is set only where it was used: the JIT of 22.11 does not save a register that is only set to a constant.
    if (asm.written.has(REG.X)) asm.move(REG.X, { imm: 0 });
    for (let word = 0; word < asm.words; word++) asm.storeMemory(REG.FRAME, -8 * (word + 1), REG.TEMP);
    this.settled = true;
  }

  private stage(program: ClassicProgram, view: Stage['view'], mayBeTwice: boolean, accept: Label | undefined): void {
    const { asm } = this;
    const { layout, direction, inner, vlan } = this.options;
    if (inner !== undefined) {
      program.emit(asm, new InnerLoads(asm, layout.pktLen, view !== 'untagged'), accept);
    } else if (!program.readsTags || vlan === 'none') {
      program.emit(asm, new PacketLoads(asm, false, layout, direction), accept);
    } else if (view === 'untagged') {
      this.withoutTags(program, mayBeTwice, accept);
    } else {
      forEachAbsence(asm, layout, direction, (tags) => {
        program.emit(asm, new TaggedLoads(asm, tags, layout.pktLen), accept);
      });
    }
  }
  /**
   * Emits the program for a frame without its tags. Most frames have no tag, and their EtherType says so: for them the
   * program is emitted a second time, and reads the frame as it is. For `udp port 9` they leave it after 17
   * instructions instead of 26.
   */
  private withoutTags(program: ClassicProgram, mayBeTwice: boolean, accept: Label | undefined): void {
    const { asm } = this;
    const { layout, vlan, direction } = this.options;
    const isTwice = vlan === undefined && program.readsTypeFirst && mayBeTwice;
    const plain = asm.label();
    if (isTwice) leaveWhenUntagged(asm, plain);
    program.emit(asm, new PacketLoads(asm, true, layout, direction), accept);
    if (!isTwice) return;
    asm.place(plain);
    program.emitAfterType(asm, new PacketLoads(asm, false, layout, direction), accept);
  }
}
