#include "core/file_sink.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "tap.h"

using namespace dpcap;

namespace {

const FileOptions kPcap{FileFormat::pcap, true, 262144};

// A file that is gone when the test is.
struct TemporaryFile {
  TemporaryFile() : fd(mkstemp(path)) {}
  ~TemporaryFile() { unlink(path); }
  size_t size() const {
    struct stat status;
    stat(path, &status);
    return static_cast<size_t>(status.st_size);
  }
  char path[32] = "/tmp/dpcap-test-XXXXXX";
  int fd;
};

void add_record(Block* block, uint16_t lane, uint32_t caplen) {
  const RecordHead head{0, caplen, caplen, 0, 0, Direction::rx};
  write_record_head(kPcap, head, block->bytes.get() + block->used);
  block->used += record_size(kPcap.format, caplen);
  block->lanes.push_back(lane);
}

void whole_file() {
  TemporaryFile file;
  FileSink sink(file.fd, FileFormat::pcap, std::vector<uint8_t>(24), 1);
  for (int i = 0; i < 100; i++) {
    Block* block = sink.acquire();
    while (block->used + 1016 <= Sink::kBlockBytes) add_record(block, 0, 1000);
    sink.submit(block);
  }
  sink.finish({1, 2, 3});
  CHECK(sink.failure() == 0 && sink.lost(0) == 0);
  CHECK(file.size() == 24 + 100 * (Sink::kBlockBytes / 1016) * 1016 + 3);
  CHECK(sink.bytes_written() == file.size());
}

// A file size limit stands for a full disk: the write that crosses it is short, the next one fails.
void full_disk() {
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit limited = before;
  limited.rlim_cur = 24 + 450;
  setrlimit(RLIMIT_FSIZE, &limited);
  TemporaryFile file;
  FileSink sink(file.fd, FileFormat::pcap, std::vector<uint8_t>(24), 2);
  for (int blocks = 0; blocks < 2; blocks++) {
    Block* block = sink.acquire();
    for (int i = 0; i < 10; i++) add_record(block, static_cast<uint16_t>(i % 2), 84);  // 100 bytes each
    sink.submit(block);
  }
  sink.finish({1, 2, 3});
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(sink.failure() == EFBIG);
  CHECK(file.size() == 24 + 400);  // whole records only, and no trailer
  CHECK(sink.bytes_written() == file.size());
  CHECK(sink.lost(0) == 8 && sink.lost(1) == 8);
}

void closed_pipe() {
  signal(SIGPIPE, SIG_IGN);
  int ends[2];
  CHECK(pipe(ends) == 0);
  FileSink sink(ends[1], FileFormat::pcap, std::vector<uint8_t>(24), 1);
  close(ends[0]);
  while (sink.failure() == 0) std::this_thread::yield();  // noticed without a packet to write
  CHECK(sink.failure() == EPIPE);
  Block* block = sink.acquire();
  for (int i = 0; i < 5; i++) add_record(block, 0, 60);
  sink.submit(block);
  sink.finish({});
  CHECK(sink.lost(0) == 5);
}

// A reader that never reads holds finish() up for no longer than it says.
void stalled_reader() {
  int ends[2];
  CHECK(pipe(ends) == 0);
  FileSink sink(ends[1], FileFormat::pcap, std::vector<uint8_t>(24), 1);
  uint64_t records = 0;
  for (int i = 0; i < 3; i++) {
    Block* block = sink.acquire();
    for (; block->used + 1016 <= Sink::kBlockBytes; records++) add_record(block, 0, 1000);
    sink.submit(block);
  }
  sink.finish({});
  CHECK(sink.failure() == ETIMEDOUT);
  // What is in the pipe now are whole records and at most one torn one, which was counted as lost.
  const uint64_t in_pipe = (sink.bytes_written() - 24) / 1016;
  CHECK(sink.lost(0) == records - in_pipe);
  close(ends[0]);
}

}  // namespace

void test_file_sink() {
  whole_file();
  full_disk();
  closed_pipe();
  stalled_reader();
}
