// The programs in the kernel, on functions of this process that receive and send as a driver's do.
#include "ebpf/loading/kernel_program.h"

#include <linux/bpf.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "copies.h"
#include "ebpf/code_place.h"
#include "ebpf/fast_path.h"
#include "ebpf/loading/poll_cost.h"
#include "tap.h"

using namespace dpcap;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint64_t kQueue = 0x2000;
constexpr uint32_t kProcess = 7;
constexpr uint32_t kCopyBytes = 40;

bpf_insn insn(unsigned code, unsigned dst, unsigned src, int off, int imm) {
  bpf_insn one{};
  one.code = static_cast<uint8_t>(code);
  one.dst_reg = dst & 15;
  one.src_reg = src & 15;
  one.off = static_cast<int16_t>(off);
  one.imm = imm;
  return one;
}

KernelFilter filter_of(const std::vector<bpf_insn>& insns) {
  Bytes bytes(insns.size() * sizeof(bpf_insn));
  memcpy(bytes.data(), insns.data(), bytes.size());
  return {bytes, bytes};
}

// Says of a packet what its first byte is.
KernelFilter first_byte() {
  return filter_of({insn(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 2, 0),
                    insn(BPF_LDX | BPF_MEM | BPF_B, 0, 1, sizeof(dpcap_probe_packet), 0),
                    insn(BPF_JMP | BPF_JA, 0, 0, 1, 0), insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0)});
}

uint16_t receive(const void*, rte_mbuf**, uint16_t count) { return count; }
uint16_t send(const void*, rte_mbuf**, uint16_t count) { return count > 4 ? 4 : count; }
// They are called by their addresses, so that no compiler calls clones of them.
uint16_t (*volatile to_receive)(const void*, rte_mbuf**, uint16_t) = receive;
uint16_t (*volatile to_send)(const void*, rte_mbuf**, uint16_t) = send;

// The table of an application without ports.
struct Idle {
  static constexpr uint32_t kRows = 4;
  struct Row {
    uint64_t rx_function = 1, rx_queues = 0, tx_function = 2, tx_queues = 0;
  };
  FastPathTable table() const {
    return {getpid(), reinterpret_cast<uint64_t>(rows), kRows, {sizeof(Row), 0, 8, 16, 24}, {}};
  }
  Row rows[kRows];
};

// A packet whose other bytes are numbered.
Bytes packet(uint8_t first, size_t size) {
  Bytes bytes = numbered(size);
  bytes[0] = first;
  return bytes;
}

// Passes packets through one of the functions while it is probed, and keeps what the kernel copied.
struct Call {
  Call(KernelProgram& with, uint32_t direction, const std::vector<Bytes>& packets, size_t segment) : program(with) {
    std::deque<Chain> chains;
    std::vector<rte_mbuf*> mbufs;
    for (const Bytes& bytes : packets) mbufs.push_back(chains.emplace_back(bytes, segment, uint16_t{16}).head());
    const auto function = direction == DPCAP_PROBE_RX ? to_receive : to_send;
    const CodePlace place = code_place(getpid(), reinterpret_cast<uint64_t>(function));
    const dpcap_probe_queue queue{kQueue, direction, kProcess};
    program.add_queue(queue, 0);
    const auto probe = program.attach(direction, getpid(), kProcess, place);
    function(reinterpret_cast<const void*>(kQueue), mbufs.data(), static_cast<uint16_t>(mbufs.size()));
    program.remove_queue(queue);
    program.take_bursts([this](const uint8_t* burst, size_t size) {
      keep(burst, size);
      return true;
    });
  }
  void keep(const uint8_t* burst, size_t size) {
    dpcap_probe_burst head;
    memcpy(&head, burst, sizeof head);
    size_t at = sizeof head;
    for (uint32_t i = 0; i < head.packets && at < size; i++) {
      dpcap_probe_packet one;
      memcpy(&one, burst + at, sizeof one);
      at += sizeof one;
      heads.push_back(one);
      copies.emplace_back(burst + at, burst + at + one.caplen);
      at = (at + one.caplen + 7) & ~size_t{7};
    }
  }
  uint64_t counted(__u64 dpcap_probe_lane::*counter) const { return program.counted(0, counter); }
  // Whether copy `index` is `bytes` of the packet, and was selected here or is yet to be.
  bool is(size_t index, const Bytes& of, size_t bytes, bool is_selected) const {
    return index < copies.size() && copies[index] == Bytes(of.begin(), of.begin() + static_cast<long>(bytes)) &&
           heads[index].len == of.size() && heads[index].is_read == 1 && heads[index].is_selected == is_selected;
  }

  KernelProgram& program;
  std::vector<dpcap_probe_packet> heads;
  std::vector<Bytes> copies;
};

const KernelProgram::Sizes kSizes{1, 1 << 20, kCopyBytes};
const std::vector<Bytes> kPackets = {packet(1, 600), packet(0, 600), packet(2, 600),
                                     packet(1, 20),  packet(2, 30),  packet(0, 14)};

void test_without_filter(size_t segment) {
  KernelProgram program(kSizes);
  const Call call(program, DPCAP_PROBE_RX, kPackets, segment);
  CHECK(call.copies.size() == kPackets.size());
  CHECK(call.is(0, kPackets[0], kCopyBytes, false) && call.is(3, kPackets[3], 20, false));
  CHECK(call.counted(&dpcap_probe_lane::accepted) == kPackets.size());
  CHECK(call.counted(&dpcap_probe_lane::filtered) == 0);
}

void test_received(size_t segment) {
  KernelProgram program(kSizes, first_byte());
  CHECK(program.filter_refusal().empty());
  const Call call(program, DPCAP_PROBE_RX, kPackets, segment);
  CHECK(call.copies.size() == 4);
  CHECK(call.is(0, kPackets[0], kCopyBytes, true));
  CHECK(call.is(1, kPackets[2], 600, false));  // whole: it has more than the filter saw
  CHECK(call.is(2, kPackets[3], 20, true) && call.is(3, kPackets[4], 30, false));
  CHECK(call.counted(&dpcap_probe_lane::accepted) == 4 && call.counted(&dpcap_probe_lane::filtered) == 2);
  CHECK(call.counted(&dpcap_probe_lane::unread) == 0 && call.counted(&dpcap_probe_lane::calls) == 1);
}

// The driver takes four, of which one is refused; and what it does not take, nobody filters.
void test_sent() {
  KernelProgram program(kSizes, first_byte());
  const Call call(program, DPCAP_PROBE_TX, kPackets, 4096);
  CHECK(call.copies.size() == 3 && call.is(2, kPackets[3], 20, true));
  CHECK(call.counted(&dpcap_probe_lane::accepted) == 3 && call.counted(&dpcap_probe_lane::filtered) == 1);
  const std::vector<Bytes> refused(4, packet(0, 60));
  const Call none(program, DPCAP_PROBE_TX, refused, 4096);
  CHECK(none.copies.empty());
  CHECK(none.counted(&dpcap_probe_lane::accepted) == 3 && none.counted(&dpcap_probe_lane::filtered) == 5);
}

// What the kernel's verifier refuses is told in its words, and all is left to the engine's filter.
void test_refused() {
  KernelProgram program(kSizes, filter_of({insn(BPF_LDX | BPF_MEM | BPF_B, 0, 2, 0, 0)}));
  CHECK(program.filter_refusal().find("R2 !read_ok") != std::string::npos);
  const Call call(program, DPCAP_PROBE_RX, kPackets, 4096);
  CHECK(call.copies.size() == kPackets.size() && call.is(0, kPackets[0], 600, false));
  const Bytes long_one((DPCAP_PROBE_FILTER_INSNS + 1) * sizeof(bpf_insn));
  CHECK(!KernelProgram(kSizes, {long_one, long_one}).filter_refusal().empty());
}

// Functions that need many registers begin with push rbp, push r15 or the like; that of net_null with a test.
void test_entries() {
  const auto entry = [](uint8_t first, uint8_t second) { return entry_of({first, second}); };
#ifdef __x86_64__
  CHECK(entry(0x55, 0x48) == Entry::simulated && entry(0x41, 0x57) == Entry::simulated);
#endif
  CHECK(entry(0x31, 0xc0) == Entry::stepped && entry(0x41, 0x8b) == Entry::stepped);
  CHECK(entry(0xcc, 0x57) == Entry::stepped);  // probed by another capture
  const Idle idle;
  CHECK(read_entry({idle.table()}) == Entry::stepped);
  CHECK(poll_cost_ns(Entry::simulated) > 0 && poll_cost_ns(Entry::stepped) > 0);
}

// Threads whose calls are not captured pass the probes as well, and take nothing from those whose are.
void test_many_threads() {
  constexpr int kThreads = 70;
  KernelProgram program(kSizes);
  const CodePlace place = code_place(getpid(), reinterpret_cast<uint64_t>(to_receive));
  const auto probe = program.attach(DPCAP_PROBE_RX, getpid(), kProcess, place);
  for (int i = 0; i < kThreads; i++) {
    std::thread([] { to_receive(nullptr, nullptr, 0); }).join();
  }
  const Call call(program, DPCAP_PROBE_RX, kPackets, 4096);
  CHECK(call.copies.size() == kPackets.size());
  CHECK(call.counted(&dpcap_probe_lane::unseen) == 0);
}

// What a driver sends is copied before it is known how much of it is taken, so that a burst cannot be passed on in the
// middle: what is beyond its room is counted.
void test_sent_much() {
  constexpr size_t kLarge = 60'000;
  KernelProgram program({1, 1 << 20, DPCAP_PROBE_MOST_BYTES});
  const std::vector<Bytes> large(4, packet(1, kLarge));
  const Call sent(program, DPCAP_PROBE_TX, large, 4096);
  CHECK(sent.copies.size() == 3 && sent.is(2, large[2], kLarge, false));
  CHECK(sent.counted(&dpcap_probe_lane::accepted) == 3 && sent.counted(&dpcap_probe_lane::unread) == 1);
  const Call received(program, DPCAP_PROBE_RX, large, 4096);
  CHECK(received.copies.size() == 4 && received.counted(&dpcap_probe_lane::unread) == 1);
}

// bpf_loop() is that old; before, and for users who may load nothing, there are no captures by probes (obstacle.ts).
bool is_kernel_old() {
  utsname names;
  unsigned int major = 0, minor = 0;
  uname(&names);
  return sscanf(names.release, "%u.%u", &major, &minor) == 2 && (major < 5 || (major == 5 && minor < 17));
}

bool can_load() {
  try {
    const KernelProgram program(kSizes);
    CHECK(program.missed() == 0);
    return true;
  } catch (const Error& error) {
    note(error.what());
    CHECK(error.err() == EPERM || error.err() == ENOSYS || is_kernel_old());
    return false;
  }
}

}  // namespace

void test_ebpf_kernel() {
  if (!can_load()) return;
  for (const size_t segment : {size_t{4096}, size_t{100}, size_t{17}}) {
    test_without_filter(segment);
    test_received(segment);
  }
  test_sent();
  test_sent_much();
  test_many_threads();
  test_entries();
  test_refused();
}
