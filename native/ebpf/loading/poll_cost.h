// What the probes cost a thread at each poll that gives nothing, tried out on a function of this process.
#pragma once
#include "ebpf/fast_path.h"
#include "ebpf/loading/kernel_program.h"

namespace dpcap {

// Returns ns, of functions with such an entry. `lane`: one of the program's that no capture has. Takes some
// milliseconds. Throws as KernelProgram::attach().
double poll_cost_ns(KernelProgram& program, uint32_t lane, Entry entry);
// The same with programs of its own.
double poll_cost_ns(Entry entry);

}  // namespace dpcap
