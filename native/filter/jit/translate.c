#include "filter/jit/translate.h"

#include <errno.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "filter/ebpf_code.h"
#include "filter/ebpf_vm.h"
#include "filter/jit/arithmetic.h"
#include "filter/jit/check.h"
#include "filter/jit/registers.h"

static const enum reg LOST_IN_CALLS[] = {RDI, RSI, R8, R9, R10};
static const enum reg KEPT[] = {RBP, RBX, R12, R13, R14, R15};

#define LENGTH(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

struct jump {
  size_t at;
  uint32_t to;  // an instruction, or one of these
};
// Behind the program's own: falling off its end is the first.
enum place { REFUSED, END, LOAD, PLACES };

struct translation {
  struct code *code;
  uint32_t count;
  size_t *places;      // of the instructions, then enum place
  struct jump *jumps;  // whose distance is not known yet
  uint32_t jump_count;
};

// An instruction of the program has three jumps at most: those of a packet load.
#define MOST_JUMPS(COUNT) (3 * (size_t)(COUNT) + 2)

static void jump_from(struct translation *in, size_t at, uint32_t to) {
  in->jumps[in->jump_count++] = (struct jump){at, to};
}
static uint32_t place(const struct translation *in, enum place place) { return in->count + (uint32_t)place; }

static void begin(struct code *code, uint32_t stack_bytes, uint32_t registers) {
  for (size_t i = 0; i < LENGTH(KEPT); i++) emit_push(code, KEPT[i]);
  emit_push(code, RDI);
  emit_move(code, WIDE, RBP, RSP);
  const int32_t stack = (int32_t)((stack_bytes + 15) / 16 * 16);  // calls find a stack that is aligned to 16
  if (stack > 0) emit_operation_number(code, WIDE, OP_SUB, RSP, stack);
  emit_operation(code, NARROW, OP_XOR, RAX, RAX);
  for (int32_t at = -stack; at < 0; at += 8) emit_store(code, 8, RBP, at, RAX);
  for (uint32_t i = 2; i + 1 < REGISTERS; i++)
    if ((registers >> i & 1u) != 0) emit_operation(code, NARROW, OP_XOR, REGISTER[i], REGISTER[i]);
  emit_load(code, 8, DATA, RDI, offsetof(struct rte_mbuf, buf_addr));
  emit_load(code, 2, RCX, RDI, offsetof(struct rte_mbuf, data_off));
  emit_operation(code, WIDE, OP_ADD, DATA, RCX);
  emit_load(code, 2, DATA_BYTES, RDI, offsetof(struct rte_mbuf, data_len));
}

static void end(struct translation *in) {
  struct code *const code = in->code;
  in->places[place(in, REFUSED)] = code->used;
  emit_operation(code, NARROW, OP_XOR, RAX, RAX);
  in->places[place(in, END)] = code->used;
  emit_move(code, WIDE, RSP, RBP);
  emit_pop(code, RDI);
  for (size_t i = LENGTH(KEPT); i > 0; i--) emit_pop(code, KEPT[i - 1]);
  EMIT(code, 0xc3);  // ret
}

// A function that loads the edx bytes at rcx, wherever in the packet they are, to rax, and says "negative" otherwise.
static void load_anywhere(struct translation *in) {
  struct code *const code = in->code;
  int64_t (*const function)(const struct rte_mbuf *, uint64_t, uint32_t) = dpcap_ebpf_load;
  in->places[place(in, LOAD)] = code->used;
  for (size_t i = 0; i < LENGTH(LOST_IN_CALLS); i++) emit_push(code, LOST_IN_CALLS[i]);
  emit_load(code, 8, RDI, THE_MBUF, 0);
  emit_move(code, NARROW, RSI, RCX);
  EMIT(code, 0x48, 0xb8);  // mov rax, the number behind it
  emit(code, &function, sizeof function);
  EMIT(code, 0xff, 0xd0);  // call rax
  emit_load(code, 8, RCX, THE_MBUF, 0);
  emit_load(code, 2, DATA_BYTES, RCX, offsetof(struct rte_mbuf, data_len));
  for (size_t i = LENGTH(LOST_IN_CALLS); i > 0; i--) emit_pop(code, LOST_IN_CALLS[i - 1]);
  emit_two(code, WIDE, 0x85, RAX, RAX);  // test
  EMIT(code, 0xc3);
}

// Compares the end of what is to be loaded with that of the first segment, and leaves its place in rcx for the function
// above.
static void compare_ends(struct code *code, const struct ebpf_insn *insn, uint32_t size) {
  emit_constant(code, RCX, (uint32_t)insn->imm);
  if ((insn->code & 0xe0) == BPF_IND) emit_operation(code, NARROW, OP_ADD, RCX, REGISTER[insn->src_reg]);
  EMIT(code, 0x48, 0x8d, 0x51, (uint8_t)size);  // lea rdx, [rcx + size]
  emit_operation(code, WIDE, OP_CMP, RDX, DATA_BYTES);
}

static void translate_load(struct translation *in, const struct ebpf_insn *insn) {
  struct code *const code = in->code;
  const uint32_t size = ebpf_bytes(insn->code);
  compare_ends(code, insn, size);
  const size_t is_here = emit_jump_if(code, NOT_ABOVE);
  emit_constant(code, RDX, size);
  jump_from(in, emit_call(code), place(in, LOAD));
  jump_from(in, emit_jump_if(code, NEGATIVE), place(in, REFUSED));
  const size_t done = emit_jump(code);
  emit_distance(code, is_here, code->used);
  emit_operation(code, WIDE, OP_ADD, RCX, DATA);
  emit_load(code, size, RAX, RCX, 0);
  if (size == 2) EMIT(code, 0x66, 0xc1, 0xc0, 0x08);  // rol ax, 8
  if (size == 4) EMIT(code, 0x0f, 0xc8);              // bswap eax
  emit_distance(code, done, code->used);
}

static enum condition condition_of(uint8_t op) {
  switch (op) {
    case BPF_JEQ:
      return EQUAL;
    case BPF_JGT:
      return ABOVE;
    case BPF_JGE:
      return NOT_BELOW;
    case EBPF_JLT:
      return BELOW;
    case EBPF_JLE:
      return NOT_ABOVE;
    default:
      return NOT_EQUAL;  // EBPF_JNE, and BPF_JSET
  }
}

static void translate_jump(struct translation *in, uint32_t at, const struct ebpf_insn *insn) {
  struct code *const code = in->code;
  const uint8_t op = ebpf_op(insn);
  const enum reg one = REGISTER[insn->dst_reg];
  const uint32_t to = at + 1 + (uint32_t)insn->off;
  if (op == EBPF_EXIT) {
    emit_two(code, WIDE, 0x85, RAX, RAX);  // test
    EMIT(code, 0x0f, 0x95, 0xc0);          // setne al
    return jump_from(in, emit_jump(code), place(in, END));
  }
  if (op == BPF_JA) return jump_from(in, emit_jump(code), to);
  if (op == BPF_JSET && ebpf_has_register(insn)) {
    emit_two(code, WIDE, 0x85, REGISTER[insn->src_reg], one);
  } else if (op == BPF_JSET) {
    emit_test_number(code, one, insn->imm);
  } else if (ebpf_has_register(insn)) {
    emit_operation(code, WIDE, OP_CMP, one, REGISTER[insn->src_reg]);
  } else {
    emit_operation_number(code, WIDE, OP_CMP, one, insn->imm);
  }
  jump_from(in, emit_jump_if(code, condition_of(op)), to);
}

static void translate_one(struct translation *in, uint32_t at, const struct ebpf_insn *insn) {
  const enum reg to = REGISTER[insn->dst_reg], from = REGISTER[insn->src_reg];
  switch (insn->code & 7) {
    case BPF_LD:
      return translate_load(in, insn);
    case BPF_LDX:
      return emit_load(in->code, ebpf_bytes(insn->code), to, from, insn->off);
    case BPF_STX:
      return emit_store(in->code, ebpf_bytes(insn->code), to, insn->off, from);
    case EBPF_ALU64:
      return emit_move(in->code, WIDE, to, from);
    case BPF_ALU:
      return translate_arithmetic(in->code, insn);
    default:
      return translate_jump(in, at, insn);
  }
}

int translate(struct code *code, const struct ebpf_insn *program, uint32_t count) {
  uint32_t stack_bytes, registers;
  const int err = check_program(program, count, &stack_bytes, &registers);
  if (err != 0) return err;
  struct translation in = {code, count, calloc(count + (size_t)PLACES, sizeof(size_t)),
                           calloc(MOST_JUMPS(count), sizeof(struct jump)), 0};
  if (in.places != NULL && in.jumps != NULL) {
    begin(code, stack_bytes, registers);
    for (uint32_t at = 0; at < count; at++) {
      in.places[at] = code->used;
      translate_one(&in, at, &program[at]);
    }
    end(&in);
    load_anywhere(&in);
    for (uint32_t i = 0; i < in.jump_count; i++) emit_distance(code, in.jumps[i].at, in.places[in.jumps[i].to]);
  }
  const bool has_failed = in.places == NULL || in.jumps == NULL || code->has_failed;
  free(in.places);
  free(in.jumps);
  return has_failed ? ENOMEM : 0;
}
