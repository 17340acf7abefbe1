// What a program may do, before it is compiled: its code then has no checks of its own but those of packet loads.
#pragma once
#include <rte_bpf.h>
#include <stdbool.h>
#include <stdint.h>

// Returns 0, ENOMEM, or ENOTSUP unless all of the program's instructions are reached and ones that filters have, jumps
// go forward and end within it or right behind it, and all that it loads and stores outside of the packet lies within
// the mbuf and the stack of 512 bytes. Sets `*stack_bytes` to how much of the stack is used, and a bit of `*registers`
// for each register that is named.
int check_program(const struct ebpf_insn *program, uint32_t count, uint32_t *stack_bytes, uint32_t *registers);
