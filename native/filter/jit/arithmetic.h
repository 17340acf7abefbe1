// Arithmetic of a filter program, in machine code.
#pragma once
#include <rte_bpf.h>

#include "filter/jit/x86_64.h"

// Appends an instruction of the class BPF_ALU, as check_program() has found it.
void translate_arithmetic(struct code *code, const struct ebpf_insn *insn);
