// Turns a filter program into machine code for x86-64: a function that is given an mbuf in rdi, and returns in al
// whether it is selected.
#pragma once
#include <rte_bpf.h>
#include <stdint.h>

#include "filter/jit/x86_64.h"

// Returns 0, ENOMEM, or ENOTSUP for a program that check_program() refuses. The caller frees the code's bytes.
int translate(struct code *code, const struct ebpf_insn *program, uint32_t count);
