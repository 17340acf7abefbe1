// What the probes' programs take of a thread that sends, with `bench_probe_cost WAY BYTES`: prints ns for each call of
// 32 packets of so many bytes. WAY: `none`, without probes; `copy`, without a filter; `engine`, with one that is left
// to the engine; else a filter for the kernel in hexadecimal digits. The packets are UDP from port 1024 to port 9.
#include <rte_mbuf.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/now.h"
#include "ebpf/code_place.h"
#include "ebpf/loading/kernel_program.h"

using namespace dpcap;

namespace {

constexpr uint16_t kBurst = 32;
constexpr int kCalls = 8;  // few enough to be done before something else has its turn
constexpr int kRounds = 500;
constexpr uint64_t kQueue = 0x3000;
constexpr uint32_t kProcess = 1;
constexpr KernelProgram::Sizes kSizes{1, 4 << 20, DPCAP_PROBE_MOST_BYTES};

using Send = uint16_t(const void* queue, rte_mbuf** packets, uint16_t count);

// Takes all packets, as a driver does, and begins as a function does that needs many registers, where that matters to a
// probe.
#ifdef __x86_64__
extern "C" Send send_packets;
asm(".pushsection .text\n"
    "send_packets:\n"
    "  push %rbx\n"
    "  mov %edx, %eax\n"
    "  pop %rbx\n"
    "  ret\n"
    ".popsection");
#else
uint16_t send_packets(const void*, rte_mbuf**, uint16_t count) { return count; }
#endif
Send* volatile send = send_packets;  // called by its address, so that no compiler calls a clone of it

struct Packets {
  explicit Packets(size_t bytes) : data(kBurst * bytes), mbufs(kBurst) {
    static const uint8_t kHeaders[] = {2, 0,  0,  0, 0, 0,  2, 0, 0, 0,  0, 0, 8, 0, 0x45, 0, 0, 50, 0,  0, 0,
                                       0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 4, 0,    0, 9, 0,  30, 0, 0};
    for (size_t i = 0; i < kBurst; i++) {
      memcpy(&data[i * bytes], kHeaders, std::min(sizeof kHeaders, bytes));
      memset(static_cast<void*>(&mbufs[i]), 0, sizeof mbufs[i]);
      mbufs[i].buf_addr = &data[i * bytes];
      mbufs[i].data_len = static_cast<uint16_t>(bytes);
      mbufs[i].pkt_len = static_cast<uint32_t>(bytes);
      mbufs[i].nb_segs = 1;
      pointers.push_back(&mbufs[i]);
    }
  }
  std::vector<uint8_t> data;
  std::vector<rte_mbuf> mbufs;
  std::vector<rte_mbuf*> pointers;
};

std::vector<uint8_t> from_hex(const std::string& digits) {
  std::vector<uint8_t> bytes;
  for (size_t at = 0; at + 1 < digits.size(); at += 2) {
    bytes.push_back(static_cast<uint8_t>(strtoul(digits.substr(at, 2).c_str(), nullptr, 16)));
  }
  return bytes;
}

std::unique_ptr<KernelProgram> program_for(const std::string& way) {
  if (way == "none") return nullptr;
  if (way == "copy") return std::make_unique<KernelProgram>(kSizes);
  const std::vector<uint8_t> filter = way == "engine" ? std::vector<uint8_t>() : from_hex(way);
  auto program = std::make_unique<KernelProgram>(kSizes, KernelFilter{filter, filter});
  if (!program->filter_refusal().empty()) throw Error("ERR_ENABLE_FAILED", program->filter_refusal());
  return program;
}

// Returns the time of one call, in the quickest of some rounds: what else runs here is not what is measured.
double time_call_ns(KernelProgram* program, Packets& packets) {
  uint64_t best = UINT64_MAX;
  for (int round = 0; round < kRounds; round++) {
    const uint64_t begin = now_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < kCalls; i++) send(reinterpret_cast<const void*>(kQueue), packets.pointers.data(), kBurst);
    best = std::min(best, now_ns(CLOCK_MONOTONIC) - begin);
    if (program != nullptr) program->take_bursts([](const uint8_t*, size_t) { return true; });
  }
  return static_cast<double>(best) / kCalls;
}

double measure(const std::string& way, size_t bytes) {
  Packets packets(bytes);
  const auto program = program_for(way);
  if (!program) return time_call_ns(nullptr, packets);
  program->add_queue({kQueue, DPCAP_PROBE_TX, kProcess}, 0);
  const CodePlace place = code_place(getpid(), reinterpret_cast<uint64_t>(&send_packets));
  const auto probe = program->attach(DPCAP_PROBE_TX, getpid(), kProcess, place);
  return time_call_ns(program.get(), packets);
}

}  // namespace

int main(int argc, char** argv) {
  const size_t bytes = argc == 3 ? strtoul(argv[2], nullptr, 10) : 0;
  if (bytes == 0 || bytes > 9000) {
    fprintf(stderr, "usage: bench_probe_cost none|copy|engine|FILTER BYTES\n");
    return 2;
  }
  try {
    printf("%.0f\n", measure(argv[1], bytes));
    return 0;
  } catch (const Error& error) {
    fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
