// What the probes cost a thread at each poll that gives nothing, tried out on a function of this process.
#pragma once
#include "ebpf/loading/kernel_program.h"

namespace dpcap {

// Returns ns. `lane`: one of the program's that no capture has. Takes some milliseconds. Throws as
// KernelProgram::attach().
double poll_cost_ns(KernelProgram& program, uint32_t lane);
// The same with programs of its own.
double poll_cost_ns();

}  // namespace dpcap
