#include "ebpf/loading/kernel_program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/fault_point.h"

namespace dpcap {
namespace {

size_t whole_pages(size_t bytes) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

void set_size(bpf_object* object, const char* map, uint64_t entries) {
  bpf_map__set_max_entries(bpf_object__find_map_by_name(object, map), static_cast<uint32_t>(entries));
}

}  // namespace

void Probe::Destroy::operator()(bpf_link* link) const { bpf_link__destroy(link); }
void KernelProgram::Close::operator()(ring_buffer* ring) const { ring_buffer__free(ring); }

KernelProgram::KernelProgram(const Sizes& sizes) : lanes_count_(sizes.lanes) {
  open(sizes, false);
  load_or_throw({});
  map_all();
}

// Whether it is the filter that the kernel does not take, is known when it takes the rest.
KernelProgram::KernelProgram(const Sizes& sizes, const KernelFilter& filter) : lanes_count_(sizes.lanes) {
  open(sizes, true);
  const bool is_taken = filter.is_set() && load_bpf_object(*object_, filter) == 0;
  if (filter.is_set() && !is_taken) {
    filter_refusal_ = bpf_words().empty() ? "no reason given" : bpf_words();
    open(sizes, true);
  }
  if (!is_taken) load_or_throw({});
  map_all();
}

void KernelProgram::open(const Sizes& sizes, bool is_filtered) {
  object_ = open_bpf_object(BpfPrograms::capture);
  set_size(object_.get(), "ring", sizes.ring_bytes);
  set_size(object_.get(), "lanes", sizes.lanes);
  size_t settings_size = 0;
  void* const settings =
      const_cast<void*>(bpf_map__initial_value(bpf_object__find_map_by_name(object_.get(), ".rodata"), &settings_size));
  if (settings == nullptr || settings_size < sizeof(dpcap_probe_settings)) {
    throw Error("ERR_ENABLE_FAILED", "the programs for the kernel have no settings");
  }
  const dpcap_probe_settings chosen{sizes.copy_bytes, is_filtered};
  memcpy(settings, &chosen, sizeof chosen);
}

void KernelProgram::load_or_throw(const KernelFilter& filter) {
  if (const int err = load_bpf_object(*object_, filter)) {
    throw bpf_load_failure("ERR_ENABLE_FAILED", "the kernel does not take the programs that copy packets", err);
  }
}

void KernelProgram::map_all() {
  map_lanes();
  const auto on_burst = [](void* self, void* burst, size_t size) {
    const bool goes_on = static_cast<KernelProgram*>(self)->take_(static_cast<uint8_t*>(burst), size);
    return goes_on ? 0 : -EAGAIN;
  };
  ring_.reset(ring_buffer__new(map_fd("ring"), on_burst, this, nullptr));
  if (!ring_) throw bpf_failure("cannot map the ring for the copies", errno);
  fault_point("ebpf.loaded");
}

KernelProgram::~KernelProgram() {
  if (lanes_ != nullptr) {
    munmap(const_cast<dpcap_probe_lane*>(lanes_), whole_pages(lanes_count_ * sizeof(dpcap_probe_lane)));
  }
}

int KernelProgram::map_fd(const char* name) const { return bpf_map_fd(*object_, name); }

void KernelProgram::map_lanes() {
  const size_t bytes = whole_pages(lanes_count_ * sizeof(dpcap_probe_lane));
  void* const mapped = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, map_fd("lanes"), 0);
  if (mapped == MAP_FAILED) throw bpf_failure("cannot map the counters", errno);
  lanes_ = static_cast<const dpcap_probe_lane*>(mapped);
}

void KernelProgram::add_queue(const dpcap_probe_queue& queue, uint32_t lane) {
  forget_bpf_words();
  const int err = bpf_map_update_elem(map_fd("queues"), &queue, &lane, BPF_ANY);
  if (err != 0) throw bpf_failure("the kernel's table of queues does not take one more", err);
}

void KernelProgram::remove_queue(const dpcap_probe_queue& queue) { bpf_map_delete_elem(map_fd("queues"), &queue); }

// The probe at the return is set first, so that a call whose entry is seen has its return seen as well.
std::unique_ptr<Probe> KernelProgram::attach(uint32_t direction, int pid, uint32_t process, const CodePlace& function) {
  const bool is_rx = direction == DPCAP_PROBE_RX;
  const auto attach_one = [&](const char* name, bool at_return) {
    forget_bpf_words();
    LIBBPF_OPTS(bpf_uprobe_opts, options, .bpf_cookie = process, .retprobe = at_return);
    const bpf_program* const program = bpf_object__find_program_by_name(object_.get(), name);
    bpf_link* const link =
        bpf_program__attach_uprobe_opts(program, pid, function.path.c_str(), function.offset, &options);
    if (link != nullptr) return link;
    char at[20];
    snprintf(at, sizeof at, "0x%llx", static_cast<unsigned long long>(function.offset));
    throw bpf_failure("the kernel sets no probe on the function at " + std::string(at) + " of " + function.name, errno);
  };
  std::unique_ptr<Probe> probe = std::make_unique<Probe>(attach_one(is_rx ? "rx_return" : "tx_return", true));
  probe->complete(attach_one(is_rx ? "rx_entry" : "tx_entry", false));
  fault_point("ebpf.attached");
  return probe;
}

void KernelProgram::take_bursts(const Take& take) {
  take_ = take;
  ring_buffer__consume(ring_.get());
}

uint64_t KernelProgram::missed() const {
  uint64_t missed = 0;
  const bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(object_.get(), const_cast<bpf_program*>(program))) != nullptr) {
    bpf_prog_info info{};
    uint32_t size = sizeof info;
    const int fd = bpf_program__fd(program);
    if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0) missed += info.recursion_misses;
  }
  return missed;
}

uint64_t KernelProgram::counted(uint32_t lane, __u64 dpcap_probe_lane::*counter) const {
  return __atomic_load_n(&(lanes_[lane].*counter), __ATOMIC_ACQUIRE);
}

}  // namespace dpcap
