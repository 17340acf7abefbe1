#include "filter/ebpf_vm.h"

#include <string.h>

#include "filter/ebpf_code.h"

#define STACK_BYTES 512u
#define REGISTERS 11u

// The state of one execution: registers, stack, and the mbuf's fields as the program is to see them.
struct machine {
  uint64_t reg[REGISTERS];
  uint8_t stack[STACK_BYTES];
  struct rte_mbuf fields;
  const struct rte_mbuf *mbuf;
  uint32_t offset;
  uint32_t len;
};

static uint8_t *inside(void *area, size_t bytes, uint64_t address, size_t size) {
  const uint64_t at = address - (uint64_t)(uintptr_t)area;
  return at <= bytes - size ? (uint8_t *)area + at : NULL;
}

// Returns where `size` bytes of the stack or the fields are; NULL for any other address.
static uint8_t *memory(struct machine *machine, uint64_t address, size_t size) {
  uint8_t *const found = inside(machine->stack, STACK_BYTES, address, size);
  return found != NULL ? found : inside(&machine->fields, sizeof machine->fields, address, size);
}

// This is rte_pktmbuf_read(), which is a function of librte_mbuf for what lies in several segments.
int64_t dpcap_ebpf_load(const struct rte_mbuf *segment, uint64_t at, uint32_t size) {
  uint64_t value = 0;
  for (uint32_t i = 0; i < size; i++, at++) {
    for (; segment != NULL && at >= segment->data_len; segment = segment->next) at -= segment->data_len;
    if (segment == NULL) return -1;
    value = value << 8 | *rte_pktmbuf_mtod_offset(segment, const uint8_t *, at);
  }
  return (int64_t)value;
}

static bool load_packet(struct machine *machine, uint64_t at, uint32_t size) {
  if (at + size > machine->len) return false;
  const int64_t value = dpcap_ebpf_load(machine->mbuf, machine->offset + at, size);
  machine->reg[0] = (uint64_t)value;
  return value >= 0;
}

static uint32_t arithmetic(uint8_t op, uint32_t a, uint32_t b) {
  switch (op) {
    case BPF_ADD:
      return a + b;
    case BPF_SUB:
      return a - b;
    case BPF_MUL:
      return a * b;
    case BPF_DIV:
      return b == 0 ? 0 : a / b;
    case BPF_MOD:
      return b == 0 ? 0 : a % b;
    case BPF_OR:
      return a | b;
    case BPF_AND:
      return a & b;
    case BPF_XOR:
      return a ^ b;
    case BPF_LSH:
      return b < 32 ? a << b : 0;
    case BPF_RSH:
      return b < 32 ? a >> b : 0;
    case BPF_NEG:
      return -a;
    case EBPF_END:
      return __builtin_bswap32(a);
    default:
      return b;  // EBPF_MOV
  }
}

static bool compare(uint8_t op, uint64_t a, uint64_t b) {
  switch (op) {
    case BPF_JEQ:
      return a == b;
    case EBPF_JNE:
      return a != b;
    case BPF_JGT:
      return a > b;
    case BPF_JGE:
      return a >= b;
    case EBPF_JLT:
      return a < b;
    case EBPF_JLE:
      return a <= b;
    case BPF_JSET:
      return (a & b) != 0;
    default:
      return true;  // BPF_JA
  }
}

// Executes an instruction that is not a jump. False ends the program: the packet is not selected.
static bool step(struct machine *machine, const struct ebpf_insn *insn) {
  uint64_t *const dst = &machine->reg[insn->dst_reg];
  const uint64_t src = machine->reg[insn->src_reg];
  const uint32_t size = ebpf_bytes(insn->code);
  switch (insn->code & 7) {
    case BPF_LD: {
      const bool indexed = (insn->code & 0xe0) == BPF_IND;
      return load_packet(machine, (uint32_t)((uint64_t)(int64_t)insn->imm + (indexed ? src : 0)), size);
    }
    case BPF_LDX: {
      const uint8_t *const from = memory(machine, src + (uint64_t)(int64_t)insn->off, size);
      if (from == NULL) return false;
      *dst = 0;
      memcpy(dst, from, size);
      return true;
    }
    case BPF_STX: {
      uint8_t *const to = memory(machine, *dst + (uint64_t)(int64_t)insn->off, size);
      if (to != NULL) memcpy(to, &src, size);
      return to != NULL;
    }
    case EBPF_ALU64:  // only moves of the mbuf's pointer
      *dst = src;
      return true;
    default:
      *dst = arithmetic(ebpf_op(insn), (uint32_t)*dst, ebpf_has_register(insn) ? (uint32_t)src : (uint32_t)insn->imm);
      return true;
  }
}

static bool run(struct machine *machine, const struct ebpf_insn *program, uint32_t count) {
  for (uint32_t at = 0; at < count; at++) {
    const struct ebpf_insn *const insn = &program[at];
    if (insn->dst_reg >= REGISTERS || insn->src_reg >= REGISTERS) return false;
    if ((insn->code & 7) != BPF_JMP) {
      if (!step(machine, insn)) return false;
      continue;
    }
    const uint8_t op = ebpf_op(insn);
    if (op == EBPF_EXIT) return machine->reg[0] != 0;
    const uint64_t other = ebpf_has_register(insn) ? machine->reg[insn->src_reg] : (uint64_t)(int64_t)insn->imm;
    if (insn->off < 0) return false;
    if (compare(op, machine->reg[insn->dst_reg], other)) at += (uint32_t)insn->off;
  }
  return false;
}

bool dpcap_ebpf_matches(const struct ebpf_insn *program, uint32_t count, const struct rte_mbuf *mbuf, uint32_t offset,
                        uint32_t len, bool tags_in_data) {
  struct machine machine;
  memset(machine.reg, 0, sizeof machine.reg);
  memset(machine.stack, 0, sizeof machine.stack);
  machine.mbuf = mbuf;
  machine.offset = offset;
  machine.len = len;
  memcpy(&machine.fields, mbuf, sizeof machine.fields);
  machine.fields.pkt_len = len;
  if (tags_in_data) machine.fields.ol_flags = 0;
  machine.reg[1] = (uint64_t)(uintptr_t)&machine.fields;
  machine.reg[10] = (uint64_t)(uintptr_t)(machine.stack + STACK_BYTES);
  return run(&machine, program, count);
}
