#include "ebpf/loading/bpf_object.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" const uint8_t dpcap_bpf_object[], dpcap_bpf_object_end[];

namespace dpcap {
namespace {

constexpr size_t kMostWords = 4000;  // of the kernel's verifier

// What libbpf says while this thread calls it.
thread_local std::string words;

int keep_words(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  char text[2048];
  const int size = vsnprintf(text, sizeof text, format, arguments);
  words += text;
  if (words.size() > kMostWords) words.erase(0, words.size() - kMostWords);
  return size;
}

const char* code_of(int err) {
  if (err == EPERM || err == EACCES) return "ERR_PERMISSION";
  return err == ENOMEM || err == ENOSPC ? "ERR_NO_MEMORY" : "ERR_ENABLE_FAILED";
}

Error failure(const char* code, const std::string& what, int err) {
  const std::string message = what + ": " + strerror(err);
  return Error(code, words.empty() ? message : message + "\n" + words, err);
}

}  // namespace

void CloseBpfObject::operator()(bpf_object* object) const { bpf_object__close(object); }

BpfObject open_bpf_object(BpfPrograms wanted) {
  libbpf_set_print(keep_words);
  register_filter_slots();
  words.clear();
  const auto size = static_cast<size_t>(dpcap_bpf_object_end - dpcap_bpf_object);
  BpfObject object(bpf_object__open_mem(dpcap_bpf_object, size, nullptr));
  if (!object) throw bpf_failure("cannot read the programs for the kernel", errno);
  bpf_program* program;
  bpf_object__for_each_program(program, object.get()) {
    const bool is_trial = strcmp(bpf_program__name(program), "try_filter") == 0;
    bpf_program__set_autoload(program, is_trial == (wanted == BpfPrograms::trial));
  }
  return object;
}

int load_bpf_object(bpf_object& object, const KernelFilter& filter) {
  words.clear();
  const FilterSlot slot(filter);
  return bpf_object__load(&object);
}

int bpf_map_fd(const bpf_object& object, const char* name) { return bpf_object__find_map_fd_by_name(&object, name); }

void forget_bpf_words() { words.clear(); }
const std::string& bpf_words() { return words; }

Error bpf_failure(const std::string& what, int err) { return failure(code_of(std::abs(err)), what, std::abs(err)); }

Error bpf_load_failure(const char* code, const std::string& what, int err) {
  err = std::abs(err);
  return failure(err == EACCES || err == EINVAL ? code : code_of(err), what, err);
}

}  // namespace dpcap
