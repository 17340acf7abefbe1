// The code of trampoline_x86_64.S with its words filled in, as it is written into an application. Any thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dpcap {

// The words before the code, in the order of the assembly.
struct TrampolineWords {
  uint64_t magic;
  uint64_t tid;       // the thread that is sent through it
  uint64_t resume;    // where it goes afterwards
  uint64_t report;    // address of a TrampolineReport, in memory that the application can write
  uint64_t function;  // called with two arguments
  uint64_t first;
  uint64_t second;
  uint64_t explain;  // called without arguments when the function returned 0; 0 for none
  uint64_t xsave_bytes;
  uint64_t xsave_mask;
};

// Once it runs, it must not be overwritten until it is done and the thread has left it.
enum class TrampolineState : uint64_t { idle = 0, running = 1, done = 2 };

// What the trampoline tells.
struct TrampolineReport {
  TrampolineState state;
  uint64_t result;
  uint64_t explanation;  // what `explain` returned
};

constexpr uint64_t kTrampolineMagic = 0x3170616a6e697063;  // "cpinjap1"

// What it takes wherever it lies, its text included: an older one is overwritten to its end.
constexpr size_t kTrampolineRoom = 1024;

// Whether there is such code for this machine.
bool has_trampoline();
// Where the code begins to run, and where its text is, counted from its first byte.
size_t trampoline_entry();
size_t trampoline_text();
// The kTrampolineRoom bytes to be written. `words` need no magic and no XSAVE words: those of this machine are filled
// in. Throws ERR_INJECT_REFUSED where the CPU has no XSAVE, or the text is too long.
std::vector<uint8_t> make_trampoline(TrampolineWords words, const std::string& text);

}  // namespace dpcap
