// What a capture file of the benchmarks holds: `bench_inspect FILE` walks all records of a pcap or pcapng file and
// prints as JSON how many packets it has, whether it ends with a whole record, how many of the numbers that
// bench/primary.c puts into paced packets are missing in between, and how far the timestamps are behind the send time
// in them (ns: median and 99th percentile; null for unpaced ones).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

namespace {

constexpr size_t kSendTimeAt = 42;  // behind the Ethernet, IPv4 and UDP headers
constexpr uint32_t kPcapNano = 0xa1b23c4d, kPcapMicro = 0xa1b2c3d4, kSection = 0x0a0d0d0a, kPacketBlock = 6;

template <typename T>
T read_at(const uint8_t* at) {
  T value;
  memcpy(&value, at, sizeof value);
  return value;
}

struct File {
  const uint8_t* bytes;
  size_t size;
};

struct Findings {
  uint64_t packets = 0;
  bool is_whole = false;
  uint64_t first = UINT64_MAX;
  uint64_t last = 0;
  std::vector<int64_t> late_ns;

  void add(int64_t time_ns, const uint8_t* packet, uint32_t caplen) {
    packets++;
    if (caplen < kSendTimeAt + 16) return;
    const auto sent_ns = read_at<int64_t>(packet + kSendTimeAt);
    if (sent_ns == 0) return;
    const auto number = read_at<uint64_t>(packet + kSendTimeAt + 8);
    first = std::min(first, number);
    last = std::max(last, number);
    late_ns.push_back(time_ns - sent_ns);
  }
};

Findings walk_pcap(const File& file, int64_t unit_ns) {
  Findings found;
  size_t at = 24;
  while (at + 16 <= file.size) {
    const uint8_t* head = file.bytes + at;
    const uint32_t caplen = read_at<uint32_t>(head + 8);
    if (at + 16 + caplen > file.size) break;
    const int64_t time = read_at<uint32_t>(head) * 1000000000ll + read_at<uint32_t>(head + 4) * unit_ns;
    found.add(time, head + 16, caplen);
    at += 16 + caplen;
  }
  found.is_whole = at == file.size;
  return found;
}

Findings walk_pcapng(const File& file) {
  Findings found;
  size_t at = 0;
  while (at + 12 <= file.size) {
    const uint8_t* block = file.bytes + at;
    const uint32_t length = read_at<uint32_t>(block + 4);
    if (length < 12 || at + length > file.size || read_at<uint32_t>(block + length - 4) != length) break;
    if (read_at<uint32_t>(block) == kPacketBlock) {
      const uint64_t time = static_cast<uint64_t>(read_at<uint32_t>(block + 12)) << 32 | read_at<uint32_t>(block + 16);
      found.add(static_cast<int64_t>(time), block + 28, read_at<uint32_t>(block + 20));
    }
    at += length;
  }
  found.is_whole = at == file.size;
  return found;
}

void print_percentile(const char* name, std::vector<int64_t>& values, double share) {
  if (values.empty()) {
    printf(",\"%s\":null", name);
    return;
  }
  const auto nth = values.begin() + static_cast<long>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), nth, values.end());
  printf(",\"%s\":%" PRId64, name, *nth);
}

}  // namespace

int main(int argc, char** argv) {
  const int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) {
    perror(argc == 2 ? argv[1] : "usage: bench_inspect FILE");
    return 2;
  }
  const auto size = static_cast<size_t>(status.st_size);
  void* map = size < 24 ? MAP_FAILED : mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) {
    printf("{\"packets\":0,\"whole\":false,\"missing\":0,\"medianNs\":null,\"p99Ns\":null}\n");
    return 0;
  }
  const File file{static_cast<const uint8_t*>(map), size};
  const uint32_t magic = read_at<uint32_t>(file.bytes);
  Findings found;
  if (magic == kPcapNano || magic == kPcapMicro) found = walk_pcap(file, magic == kPcapNano ? 1 : 1000);
  if (magic == kSection) found = walk_pcapng(file);
  const uint64_t missing = found.late_ns.empty() ? 0 : found.last - found.first + 1 - found.late_ns.size();
  printf("{\"packets\":%" PRIu64 ",\"whole\":%s,\"missing\":%" PRIu64, found.packets, found.is_whole ? "true" : "false",
         missing);
  print_percentile("medianNs", found.late_ns, 0.5);
  print_percentile("p99Ns", found.late_ns, 0.99);
  printf("}\n");
  return 0;
}
