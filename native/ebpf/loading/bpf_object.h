// The object of the programs in the kernel as libbpf has it, and what libbpf and the kernel say of it. Any thread; the
// words are each thread's own.
#pragma once
#include <memory>
#include <string>

#include "base/error.h"
#include "ebpf/loading/filter_slot.h"

struct bpf_object;

namespace dpcap {

struct CloseBpfObject {
  void operator()(bpf_object* object) const;
};
using BpfObject = std::unique_ptr<bpf_object, CloseBpfObject>;

// Which of the programs are to be loaded: those of captures, or the one that tries filters out.
enum class BpfPrograms { capture, trial };

// Reads the object, and loads nothing. Throws ERR_ENABLE_FAILED.
BpfObject open_bpf_object(BpfPrograms wanted);
// Loads its programs, with a filter in those that have room for one. Returns 0 or a negative errno.
int load_bpf_object(bpf_object& object, const KernelFilter& filter);
int bpf_map_fd(const bpf_object& object, const char* name);

// Forgets what was said; returns what was said since. A verifier's last lines are those that tell why.
void forget_bpf_words();
const std::string& bpf_words();
// What failed, with an errno of either sign and the words.
Error bpf_failure(const std::string& what, int err);
// The same of load_bpf_object(): the verifier refuses a program with EACCES, and whoever may not load any gets EPERM.
Error bpf_load_failure(const char* code, const std::string& what, int err);

}  // namespace dpcap
