#include "ebpf/loading/filter_slot.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "ebpf/kernel/probe.h"

namespace dpcap {
namespace {

constexpr size_t kSlotInsns = DPCAP_PROBE_FILTER_INSNS;
constexpr size_t kEntryInsns = 2;
constexpr uint8_t kLoadNumber = BPF_LD | BPF_DW | BPF_IMM;

thread_local const KernelFilter* current = nullptr;

bpf_insn set_verdict(int32_t verdict) {
  bpf_insn insn{};
  insn.code = BPF_ALU64 | BPF_MOV | BPF_K;
  insn.imm = verdict;
  return insn;
}

// What fills a slot: a jump that is always taken over what is not needed, and the filter, at whose end the slot ends.
// The kernel's verifier finds that nothing leads to the rest, and drops it and the jump.
std::vector<bpf_insn> filling(const std::vector<uint8_t>& filter) {
  std::vector<bpf_insn> insns(kSlotInsns, set_verdict(DPCAP_PROBE_UNDECIDED));
  const size_t count = filter.size() / sizeof(bpf_insn);
  if (count == 0) insns[kSlotInsns - 1] = set_verdict(DPCAP_PROBE_UNDECIDED);
  const size_t begin = kSlotInsns - std::max<size_t>(count, 1);
  if (count > 0) memcpy(&insns[begin], filter.data(), count * sizeof(bpf_insn));
  insns[0] = set_verdict(0);
  insns[1] = {};
  insns[1].code = BPF_JMP | BPF_JEQ | BPF_K;
  insns[1].off = static_cast<int16_t>(begin - kEntryInsns);
  return insns;
}

bool is_mark(const bpf_insn* insn) {
  const uint64_t number = static_cast<uint32_t>(insn[0].imm) | static_cast<uint64_t>(insn[1].imm) << 32;
  return insn[0].code == kLoadNumber && insn[0].src_reg == 0 && number == DPCAP_PROBE_FILTER_MARK;
}

// Libbpf calls this for each program with a slot, when the functions that it calls stand behind it.
int fill_slot(bpf_program* program, bpf_prog_load_opts*, long direction) {
  const bpf_insn* const begin = bpf_program__insns(program);
  std::vector<bpf_insn> insns(begin, begin + bpf_program__insn_cnt(program));
  for (size_t at = 0; at + kSlotInsns <= insns.size(); at++) {
    if (!is_mark(&insns[at])) continue;
    const std::vector<uint8_t>& filter = direction == DPCAP_PROBE_TX ? current->tx : current->rx;
    if (filter.size() > (kSlotInsns - kEntryInsns) * sizeof(bpf_insn)) return -E2BIG;
    const std::vector<bpf_insn> filled = filling(filter);
    std::copy(filled.begin(), filled.end(), insns.begin() + static_cast<ptrdiff_t>(at));
    return bpf_program__set_insns(program, insns.data(), insns.size());
  }
  return -ENOENT;
}

void register_handler(const char* section, bpf_prog_type type, long direction) {
  LIBBPF_OPTS(libbpf_prog_handler_opts, options, .cookie = direction, .prog_prepare_load_fn = fill_slot);
  libbpf_register_prog_handler(section, type, static_cast<bpf_attach_type>(0), &options);
}

bool register_handlers() {
  register_handler("dpcap_rx", BPF_PROG_TYPE_KPROBE, DPCAP_PROBE_RX);
  register_handler("dpcap_tx", BPF_PROG_TYPE_KPROBE, DPCAP_PROBE_TX);
  register_handler("dpcap_trial", BPF_PROG_TYPE_SOCKET_FILTER, DPCAP_PROBE_RX);
  return true;
}

}  // namespace

void register_filter_slots() { [[maybe_unused]] static const bool is_registered = register_handlers(); }

FilterSlot::FilterSlot(const KernelFilter& filter) { current = &filter; }
FilterSlot::~FilterSlot() { current = nullptr; }

}  // namespace dpcap
