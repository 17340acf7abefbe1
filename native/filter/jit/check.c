#include "filter/jit/check.h"

#include <errno.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "filter/ebpf_code.h"

#define REGISTERS 11u
#define FRAME_REGISTER 10u
#define STACK_BYTES 512

// What a register holds when an instruction is reached.
enum holds { NOT_REACHED = 0, A_NUMBER, THE_MBUF, THE_FRAME };
struct state {
  uint8_t holds[REGISTERS];
};

struct check {
  const struct ebpf_insn *program;
  struct state *states;  // one for each instruction, and for the end
  uint32_t count;
  uint32_t stack_bytes;
};

// Another way to an instruction: what differs is a number.
static void reach(struct state *to, const struct state *from) {
  for (uint32_t i = 0; i < REGISTERS; i++) {
    if (to->holds[i] == NOT_REACHED) {
      to->holds[i] = from->holds[i];
    } else if (to->holds[i] != from->holds[i]) {
      to->holds[i] = A_NUMBER;
    }
  }
}

static bool is_access_allowed(struct check *check, enum holds base, int32_t offset, int32_t bytes) {
  if (base == THE_MBUF) return offset >= 0 && offset + bytes <= (int32_t)sizeof(struct rte_mbuf);
  if (base != THE_FRAME || offset < -STACK_BYTES || offset + bytes > 0) return false;
  if ((uint32_t)-offset > check->stack_bytes) check->stack_bytes = (uint32_t)-offset;
  return true;
}

static bool is_arithmetic_known(const struct ebpf_insn *insn) {
  switch (ebpf_op(insn)) {
    case BPF_ADD:
    case BPF_SUB:
    case BPF_MUL:
    case BPF_DIV:
    case BPF_MOD:
    case BPF_OR:
    case BPF_AND:
    case BPF_XOR:
    case BPF_LSH:
    case BPF_RSH:
    case BPF_NEG:
    case EBPF_MOV:
      return true;
    case EBPF_END:
      return ebpf_has_register(insn) && insn->imm == 32;  // EBPF_TO_BE
    default:
      return false;
  }
}

static bool is_jump_known(const struct ebpf_insn *insn) {
  switch (ebpf_op(insn)) {
    case BPF_JA:
    case BPF_JEQ:
    case BPF_JGT:
    case BPF_JGE:
    case BPF_JSET:
    case EBPF_JNE:
    case EBPF_JLT:
    case EBPF_JLE:
    case EBPF_EXIT:
      return true;
    default:
      return false;
  }
}

// Checks an instruction that is not a jump, and changes the state to the one behind it.
static bool pass(struct check *check, const struct ebpf_insn *insn, struct state *state) {
  const int32_t bytes = (int32_t)ebpf_bytes(insn->code);
  const enum holds source = state->holds[insn->src_reg];
  const uint8_t mode = insn->code & 0xe0;
  switch (insn->code & 7) {
    case BPF_LD:
      state->holds[0] = A_NUMBER;
      return bytes <= 4 && (mode == BPF_ABS || mode == BPF_IND);
    case BPF_LDX:
      state->holds[insn->dst_reg] = A_NUMBER;
      return mode == BPF_MEM && is_access_allowed(check, source, insn->off, bytes);
    case BPF_STX:
      return mode == BPF_MEM && state->holds[insn->dst_reg] == THE_FRAME &&
             is_access_allowed(check, THE_FRAME, insn->off, bytes);
    case EBPF_ALU64:  // only moves of the mbuf's pointer
      state->holds[insn->dst_reg] = source;
      return ebpf_op(insn) == EBPF_MOV && ebpf_has_register(insn);
    case BPF_ALU:
      state->holds[insn->dst_reg] = A_NUMBER;
      return is_arithmetic_known(insn);
    default:
      return false;
  }
}

static bool check_at(struct check *check, uint32_t at) {
  const struct ebpf_insn *const insn = &check->program[at];
  struct state state = check->states[at];
  if (insn->dst_reg >= REGISTERS || insn->src_reg >= REGISTERS) return false;
  if (state.holds[0] == NOT_REACHED) return false;
  if ((insn->code & 7) != BPF_JMP) {
    const bool writes = (insn->code & 7) != BPF_STX && (insn->code & 7) != BPF_LD;
    if ((writes && insn->dst_reg == FRAME_REGISTER) || !pass(check, insn, &state)) return false;
    reach(&check->states[at + 1], &state);
    return true;
  }
  if (!is_jump_known(insn)) return false;
  if (ebpf_op(insn) == EBPF_EXIT) return true;
  if (insn->off < 0 || (uint32_t)insn->off > check->count - at - 1) return false;
  reach(&check->states[at + 1 + (uint32_t)insn->off], &state);
  if (ebpf_op(insn) != BPF_JA) reach(&check->states[at + 1], &state);
  return true;
}

int check_program(const struct ebpf_insn *program, uint32_t count, uint32_t *stack_bytes, uint32_t *registers) {
  struct check check = {program, calloc(count + 1u, sizeof(struct state)), count, 0};
  if (check.states == NULL) return ENOMEM;
  memset(&check.states[0], A_NUMBER, sizeof check.states[0]);
  check.states[0].holds[1] = THE_MBUF;
  check.states[0].holds[FRAME_REGISTER] = THE_FRAME;
  *registers = 0;
  int err = 0;
  for (uint32_t at = 0; at < count && err == 0; at++) {
    if (!check_at(&check, at)) err = ENOTSUP;
    *registers |= 1u << program[at].dst_reg | 1u << program[at].src_reg;
  }
  *stack_bytes = check.stack_bytes;
  free(check.states);
  return err;
}
