// Writes machine code for x86-64. Any thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code {
  uint8_t *bytes;
  size_t used;
  size_t room;
  bool has_failed;  // there was no memory
};

// As they are numbered in instructions.
enum reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
enum width { NARROW = 0, WIDE = 1 };  // 32 bits, which clear the other 32, or 64
// Conditions after a comparison of unsigned numbers, as they are numbered in jumps.
enum condition { BELOW = 2, NOT_BELOW = 3, EQUAL = 4, NOT_EQUAL = 5, NOT_ABOVE = 6, ABOVE = 7, NEGATIVE = 8 };
// Operations that have a register and a register or number, as they are numbered in the latter.
enum operation { OP_ADD = 0, OP_OR = 1, OP_AND = 4, OP_SUB = 5, OP_XOR = 6, OP_CMP = 7 };
enum shift { SHIFT_LEFT = 4, SHIFT_RIGHT = 5 };

// Appends bytes as they are.
void emit(struct code *code, const void *bytes, size_t count);
#define EMIT(code, ...) emit((code), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

// An instruction with an opcode of one byte and two registers: `reg` and `rm` as the manual names them.
void emit_two(struct code *code, enum width width, uint8_t opcode, enum reg reg, enum reg rm);
void emit_move(struct code *code, enum width width, enum reg to, enum reg from);
void emit_constant(struct code *code, enum reg to, uint32_t value);
void emit_operation(struct code *code, enum width width, enum operation operation, enum reg to, enum reg from);
// The number is sign-extended to 64 bits.
void emit_operation_number(struct code *code, enum width width, enum operation operation, enum reg to, int32_t number);
void emit_multiply(struct code *code, enum reg to, enum reg from);  // 32 bits
// Compares the bits that a register, of 64 bits, and a number, sign-extended to 64 bits, have in common with zero.
void emit_test_number(struct code *code, enum reg one, int32_t number);
// By a number of bits below 32.
void emit_shift_number(struct code *code, enum shift shift, enum reg to, uint8_t bits);
// By the number of bits in cl, modulo 32.
void emit_shift(struct code *code, enum shift shift, enum reg to);
// To or from `bytes` (1, 2, 4, 8) of memory at an address; what is loaded fills 64 bits.
void emit_load(struct code *code, size_t bytes, enum reg to, enum reg base, int32_t offset);
void emit_store(struct code *code, size_t bytes, enum reg base, int32_t offset, enum reg from);
void emit_push(struct code *code, enum reg from);
void emit_pop(struct code *code, enum reg to);
// A jump, or call, whose distance emit_distance() fills in. They return where the distance is to be.
size_t emit_jump(struct code *code);
size_t emit_jump_if(struct code *code, enum condition condition);
size_t emit_call(struct code *code);
void emit_distance(struct code *code, size_t at, size_t to);
