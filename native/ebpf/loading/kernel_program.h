// The programs in the kernel (kernel/capture.bpf.c) with their maps, and the probes that run them, by libbpf. When this
// process ends, however, the kernel takes all of it out.
//
// One thread at a time for attach() and the queues, the drain thread for take(); any thread reads what is counted.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ebpf/code_place.h"
#include "ebpf/kernel/probe.h"
#include "ebpf/loading/bpf_object.h"

struct bpf_link;
struct ring_buffer;

namespace dpcap {

// The two probes of a function: at its entry and at its return. They are taken out when this is destroyed, and then no
// thread is in their programs any more.
class Probe {
 public:
  explicit Probe(bpf_link* at_return) : return_(at_return) {}
  void complete(bpf_link* at_entry) { entry_.reset(at_entry); }

 private:
  struct Destroy {
    void operator()(bpf_link* link) const;
  };
  // The one at the entry is destroyed first: a call whose entry is seen has its return seen as well.
  std::unique_ptr<bpf_link, Destroy> return_;
  std::unique_ptr<bpf_link, Destroy> entry_;
};

class KernelProgram {
 public:
  struct Sizes {
    uint32_t lanes;
    uint64_t ring_bytes;  // a power of two, and of whole pages
    uint32_t copy_bytes;  // most bytes of a packet that are recorded
  };
  // Loads the programs, which copy all packets. Throws ERR_PERMISSION, ERR_NO_MEMORY, ERR_ENABLE_FAILED with the
  // kernel's words.
  explicit KernelProgram(const Sizes& sizes);
  // The same for packets that a filter selects. What it does not decide, all of it where there is none or the kernel
  // does not take it, is copied whole.
  KernelProgram(const Sizes& sizes, const KernelFilter& filter);
  ~KernelProgram();
  KernelProgram(const KernelProgram&) = delete;
  KernelProgram& operator=(const KernelProgram&) = delete;

  // Has the calls with a queue count for a lane, or no longer. Throws ERR_ENABLE_FAILED.
  void add_queue(const dpcap_probe_queue& queue, uint32_t lane);
  void remove_queue(const dpcap_probe_queue& queue);
  // Sets the probes of a direction (DPCAP_PROBE_*) on a function. `process`: the number in its queues. Throws as the
  // constructor.
  std::unique_ptr<Probe> attach(uint32_t direction, int pid, uint32_t process, const CodePlace& function);

  // Hands on the bursts that are in the ring, in the order in which they came, until `take` returns false.
  using Take = std::function<bool(const uint8_t* burst, size_t size)>;
  void take_bursts(const Take& take);
  // Why the kernel has not taken the filter, in its own words; empty when it has, or there was none.
  const std::string& filter_refusal() const { return filter_refusal_; }
  // How often the kernel has not run the programs, because the thread was in another one on that CPU already. Kernels
  // before 5.12 do not tell.
  uint64_t missed() const;
  // A counter of a lane.
  uint64_t counted(uint32_t lane, __u64 dpcap_probe_lane::*counter) const;

 private:
  struct Close {
    void operator()(ring_buffer* ring) const;
  };

  void open(const Sizes& sizes, bool is_filtered);
  void load_or_throw(const KernelFilter& filter);
  void map_all();
  void map_lanes();
  int map_fd(const char* name) const;

  const uint32_t lanes_count_;
  BpfObject object_;
  std::unique_ptr<ring_buffer, Close> ring_;
  const dpcap_probe_lane* lanes_ = nullptr;
  Take take_;
  std::string filter_refusal_;
};

}  // namespace dpcap
