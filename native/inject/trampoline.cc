#include "inject/trampoline.h"

#include <cerrno>
#include <cstring>

#include "base/error.h"

#ifdef __x86_64__
#include <cpuid.h>

extern "C" {
extern const uint8_t dpcap_trampoline_begin[];
extern const uint8_t dpcap_trampoline_entry[];
extern const uint8_t dpcap_trampoline_end[];
}

namespace dpcap {
namespace {

constexpr unsigned kXsaveLeaf = 0xd;
constexpr unsigned kOsxsave = 1u << 27;
// The tiles of AMX (bits 17 and 18) are 8 KiB of stack that nothing which is called here touches.
constexpr uint64_t kSaved = ~(3ull << 17);

void fill_in_xsave(TrampolineWords* words) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & kOsxsave) == 0 || !__get_cpuid_count(kXsaveLeaf, 0, &a, &b, &c, &d)) {
    throw Error("ERR_INJECT_REFUSED", "the CPU cannot save all of a thread's registers at once (XSAVE)", ENOTSUP);
  }
  words->xsave_bytes = b;  // of all components that the system has enabled
  words->xsave_mask = kSaved;
}

size_t code_bytes() { return static_cast<size_t>(dpcap_trampoline_end - dpcap_trampoline_begin); }

}  // namespace

bool has_trampoline() { return true; }

size_t trampoline_entry() { return static_cast<size_t>(dpcap_trampoline_entry - dpcap_trampoline_begin); }

size_t trampoline_text() { return code_bytes(); }

std::vector<uint8_t> make_trampoline(TrampolineWords words, const std::string& text) {
  words.magic = kTrampolineMagic;
  fill_in_xsave(&words);
  if (code_bytes() + text.size() >= kTrampolineRoom) {
    throw Error("ERR_INJECT_REFUSED", "the path is too long to be written into the application: " + text, ENAMETOOLONG);
  }
  std::vector<uint8_t> bytes(kTrampolineRoom);
  memcpy(bytes.data(), dpcap_trampoline_begin, code_bytes());
  memcpy(bytes.data(), &words, sizeof words);
  memcpy(bytes.data() + trampoline_text(), text.c_str(), text.size() + 1);
  return bytes;
}

}  // namespace dpcap

#else

namespace dpcap {

bool has_trampoline() { return false; }
size_t trampoline_entry() { return 0; }
size_t trampoline_text() { return 0; }

std::vector<uint8_t> make_trampoline(TrampolineWords, const std::string&) {
  throw Error("ERR_INJECT_REFUSED", "injection is written for x86-64 alone so far", ENOSYS);
}

}  // namespace dpcap

#endif
