#include "filter/jit/x86_64.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4096u

void emit(struct code *code, const void *bytes, size_t count) {
  if (code->used + count > code->room && !code->has_failed) {
    const size_t room = code->room == 0 ? FIRST_ROOM : 2 * code->room;
    uint8_t *const larger = realloc(code->bytes, room);
    if (larger == NULL) {
      code->has_failed = true;
    } else {
      code->bytes = larger;
      code->room = room;
    }
  }
  if (code->has_failed) return;
  memcpy(code->bytes + code->used, bytes, count);
  code->used += count;
}

static uint8_t rex(enum width width, unsigned int reg, unsigned int rm) {
  return (uint8_t)(0x40u | (unsigned int)width << 3 | reg >> 3 << 2 | rm >> 3);
}

static uint8_t mod_rm(unsigned int mod, unsigned int reg, unsigned int rm) {
  return (uint8_t)(mod << 6 | (reg & 7u) << 3 | (rm & 7u));
}

static void emit_number(struct code *code, uint32_t number) { emit(code, &number, sizeof number); }

void emit_two(struct code *code, enum width width, uint8_t opcode, enum reg reg, enum reg rm) {
  EMIT(code, rex(width, reg, rm), opcode, mod_rm(3, reg, rm));
}

void emit_move(struct code *code, enum width width, enum reg to, enum reg from) {
  emit_two(code, width, 0x89, from, to);
}

void emit_constant(struct code *code, enum reg to, uint32_t value) {
  EMIT(code, rex(NARROW, 0, to), (uint8_t)(0xb8u | (to & 7u)));
  emit_number(code, value);
}

void emit_operation(struct code *code, enum width width, enum operation operation, enum reg to, enum reg from) {
  emit_two(code, width, (uint8_t)((unsigned int)operation << 3 | 1u), from, to);
}

void emit_operation_number(struct code *code, enum width width, enum operation operation, enum reg to, int32_t number) {
  EMIT(code, rex(width, 0, to), 0x81, mod_rm(3, operation, to));
  emit_number(code, (uint32_t)number);
}

void emit_multiply(struct code *code, enum reg to, enum reg from) {
  EMIT(code, rex(NARROW, to, from), 0x0f, 0xaf, mod_rm(3, to, from));
}

void emit_test_number(struct code *code, enum reg one, int32_t number) {
  EMIT(code, rex(WIDE, 0, one), 0xf7, mod_rm(3, 0, one));
  emit_number(code, (uint32_t)number);
}

void emit_shift_number(struct code *code, enum shift shift, enum reg to, uint8_t bits) {
  EMIT(code, rex(NARROW, 0, to), 0xc1, mod_rm(3, shift, to), bits);
}

void emit_shift(struct code *code, enum shift shift, enum reg to) {
  EMIT(code, rex(NARROW, 0, to), 0xd3, mod_rm(3, shift, to));
}

// An operand in memory, with an offset of 32 bits. rsp and r12 as a base take a further byte.
static void emit_address(struct code *code, enum reg reg, enum reg base, int32_t offset) {
  EMIT(code, mod_rm(2, reg, base));
  if ((base & 7u) == RSP) EMIT(code, 0x24);
  emit_number(code, (uint32_t)offset);
}

void emit_load(struct code *code, size_t bytes, enum reg to, enum reg base, int32_t offset) {
  EMIT(code, rex(bytes == 8 ? WIDE : NARROW, to, base));
  if (bytes == 1) EMIT(code, 0x0f, 0xb6);
  if (bytes == 2) EMIT(code, 0x0f, 0xb7);
  if (bytes >= 4) EMIT(code, 0x8b);
  emit_address(code, to, base, offset);
}

void emit_store(struct code *code, size_t bytes, enum reg base, int32_t offset, enum reg from) {
  if (bytes == 2) EMIT(code, 0x66);
  EMIT(code, rex(bytes == 8 ? WIDE : NARROW, from, base), bytes == 1 ? 0x88 : 0x89);
  emit_address(code, from, base, offset);
}

void emit_push(struct code *code, enum reg from) { EMIT(code, rex(NARROW, 0, from), (uint8_t)(0x50u | (from & 7u))); }
void emit_pop(struct code *code, enum reg to) { EMIT(code, rex(NARROW, 0, to), (uint8_t)(0x58u | (to & 7u))); }

static size_t emit_unknown(struct code *code) {
  const size_t at = code->used;
  emit_number(code, 0);
  return at;
}

size_t emit_jump(struct code *code) {
  EMIT(code, 0xe9);
  return emit_unknown(code);
}

size_t emit_jump_if(struct code *code, enum condition condition) {
  EMIT(code, 0x0f, (uint8_t)(0x80u | (unsigned int)condition));
  return emit_unknown(code);
}

size_t emit_call(struct code *code) {
  EMIT(code, 0xe8);
  return emit_unknown(code);
}

// From the end of the distance on.
void emit_distance(struct code *code, size_t at, size_t to) {
  if (code->has_failed) return;
  const uint32_t distance = (uint32_t)to - (uint32_t)at - (uint32_t)sizeof(uint32_t);
  memcpy(code->bytes + at, &distance, sizeof distance);
}
