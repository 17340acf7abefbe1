#include "filter/jit/arithmetic.h"

#include <stdbool.h>

#include "filter/ebpf_code.h"
#include "filter/jit/registers.h"

// The divisor is in ecx. By zero everything is zero, as in the interpreter.
static void divide(struct code *code, uint8_t op, enum reg to) {
  emit_push(code, RAX);
  emit_move(code, NARROW, RAX, to);
  emit_operation(code, NARROW, OP_XOR, RDX, RDX);
  emit_two(code, NARROW, 0x85, RCX, RCX);  // test
  const size_t is_zero = emit_jump_if(code, EQUAL);
  EMIT(code, 0xf7, 0xf1);  // div ecx: eax is the quotient, edx the remainder
  emit_move(code, NARROW, RCX, op == BPF_DIV ? RAX : RDX);
  emit_distance(code, is_zero, code->used);
  emit_pop(code, RAX);
  emit_move(code, NARROW, to, RCX);
}

// By what is in ecx. 32 and more bits give zero, as in the interpreter.
static void shift(struct code *code, uint8_t op, enum reg to) {
  emit_shift(code, op == BPF_LSH ? SHIFT_LEFT : SHIFT_RIGHT, to);
  emit_operation_number(code, NARROW, OP_CMP, RCX, 32);
  emit_two(code, NARROW, 0x19, RDX, RDX);  // sbb: all bits of edx are set if ecx was below
  emit_operation(code, NARROW, OP_AND, to, RDX);
}

static bool is_simple(uint8_t op, enum operation *operation) {
  switch (op) {
    case BPF_ADD:
      *operation = OP_ADD;
      return true;
    case BPF_SUB:
      *operation = OP_SUB;
      return true;
    case BPF_OR:
      *operation = OP_OR;
      return true;
    case BPF_AND:
      *operation = OP_AND;
      return true;
    case BPF_XOR:
      *operation = OP_XOR;
      return true;
    default:
      return false;
  }
}

void translate_arithmetic(struct code *code, const struct ebpf_insn *insn) {
  const uint8_t op = ebpf_op(insn);
  const enum reg to = REGISTER[insn->dst_reg];
  enum operation operation;
  if (op == BPF_NEG) return emit_two(code, NARROW, 0xf7, (enum reg)3, to);
  if (op == EBPF_END) return EMIT(code, (uint8_t)(0x40u | to >> 3), 0x0f, (uint8_t)(0xc8u | (to & 7u)));  // bswap
  if (op == EBPF_MOV && ebpf_has_register(insn)) return emit_move(code, NARROW, to, REGISTER[insn->src_reg]);
  if (op == EBPF_MOV) return emit_constant(code, to, (uint32_t)insn->imm);
  if (is_simple(op, &operation) && ebpf_has_register(insn))
    return emit_operation(code, NARROW, operation, to, REGISTER[insn->src_reg]);
  if (is_simple(op, &operation)) return emit_operation_number(code, NARROW, operation, to, insn->imm);
  if ((op == BPF_LSH || op == BPF_RSH) && !ebpf_has_register(insn) && (uint32_t)insn->imm < 32)
    return emit_shift_number(code, op == BPF_LSH ? SHIFT_LEFT : SHIFT_RIGHT, to, (uint8_t)insn->imm);
  if (ebpf_has_register(insn)) {
    emit_move(code, NARROW, RCX, REGISTER[insn->src_reg]);
  } else {
    emit_constant(code, RCX, (uint32_t)insn->imm);
  }
  if (op == BPF_DIV || op == BPF_MOD) return divide(code, op, to);
  if (op == BPF_LSH || op == BPF_RSH) return shift(code, op, to);
  emit_multiply(code, to, RCX);
}
