// Parts of an eBPF instruction's code. C and C++ include this file.
#pragma once
#include <rte_bpf.h>
#include <stdbool.h>
#include <stdint.h>

static inline uint8_t ebpf_op(const struct ebpf_insn *insn) { return insn->code & 0xf0; }
// Whether the second operand is a register, not the instruction's number.
static inline bool ebpf_has_register(const struct ebpf_insn *insn) { return (insn->code & BPF_X) != 0; }

// How many bytes a load or store is about.
static inline uint32_t ebpf_bytes(uint8_t code) {
  switch (code & 0x18) {
    case BPF_B:
      return 1;
    case BPF_H:
      return 2;
    case EBPF_DW:
      return 8;
    default:
      return 4;
  }
}
