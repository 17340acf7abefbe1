// Puts the filter of a capture into the programs of the kernel while libbpf loads them: in the place of the
// instructions of select_packet() (kernel/capture.bpf.c). Any thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace dpcap {

// Instructions of the kernel's for each direction, as src/filter/codegen/kernel.ts makes them. Without any, each packet
// stays undecided.
struct KernelFilter {
  std::vector<uint8_t> rx;
  std::vector<uint8_t> tx;
  std::string text{};  // as its user wrote it

  bool is_set() const { return !rx.empty(); }
};

// Tells libbpf about programs with room for a filter. To be called before it reads an object.
void register_filter_slots();

// While it lives, the programs that this thread has libbpf load get this filter, which outlives it.
class FilterSlot {
 public:
  explicit FilterSlot(const KernelFilter& filter);
  ~FilterSlot();
  FilterSlot(const FilterSlot&) = delete;
  FilterSlot& operator=(const FilterSlot&) = delete;
};

}  // namespace dpcap
