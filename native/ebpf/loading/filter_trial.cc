#include "ebpf/loading/filter_trial.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_ether.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ebpf/kernel/probe.h"
#include "ebpf/loading/bpf_object.h"

namespace dpcap {
namespace {

dpcap_probe_header header_of(const Sample& frame) {
  dpcap_probe_header header{};
  header.packet.ol_flags = frame.tags.ol_flags;
  header.packet.len = static_cast<uint32_t>(frame.len);
  header.packet.caplen = static_cast<uint16_t>(std::min<size_t>(frame.len, DPCAP_PROBE_MOST_BYTES));
  header.packet.vlan_tci = frame.tags.vlan_tci;
  header.packet.vlan_tci_outer = frame.tags.vlan_tci_outer;
  memcpy(header.bytes, frame.data, std::min<size_t>(frame.len, DPCAP_PROBE_HEADER_BYTES));
  return header;
}

BpfObject load_trial(const std::vector<uint8_t>& program) {
  BpfObject object = open_bpf_object(BpfPrograms::trial);
  bpf_map* map;
  bpf_object__for_each_map(map, object.get()) {
    if (strcmp(bpf_map__name(map), "trial") != 0) bpf_map__set_autocreate(map, false);
  }
  if (const int err = load_bpf_object(*object, {program, program})) {
    throw bpf_load_failure("ERR_FILTER_UNSUPPORTED", "the kernel does not take the filter", err);
  }
  return object;
}

}  // namespace

std::vector<uint8_t> run_in_kernel(const std::vector<uint8_t>& program, const std::vector<Sample>& frames) {
  const BpfObject object = load_trial(program);
  const int run = bpf_program__fd(bpf_object__find_program_by_name(object.get(), "try_filter"));
  const int map = bpf_map_fd(*object, "trial");
  uint8_t any[ETH_HLEN] = {};  // the kernel runs such a program on a frame of its own, which this one does not look at
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = any, .data_size_in = sizeof any);
  std::vector<uint8_t> verdicts;
  verdicts.reserve(frames.size());
  for (const Sample& frame : frames) {
    const uint32_t first = 0;
    const dpcap_probe_header header = header_of(frame);
    if (bpf_map_update_elem(map, &first, &header, BPF_ANY) != 0 || bpf_prog_test_run_opts(run, &options) != 0) {
      throw bpf_failure("the kernel does not run the filter", errno);
    }
    verdicts.push_back(static_cast<uint8_t>(options.retval));
  }
  return verdicts;
}

}  // namespace dpcap
