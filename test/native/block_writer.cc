#include "core/block_writer.h"

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
  BlockWriter writer(file.fd, FileFormat::pcap, std::vector<uint8_t>(24), 1);
  for (int i = 0; i < 100; i++) {
    Block* block = writer.acquire();
    while (block->used + 1016 <= BlockWriter::kBlockBytes) add_record(block, 0, 1000);
    writer.submit(block);
  }
  writer.finish({1, 2, 3});
  CHECK(writer.failure() == 0 && writer.lost(0) == 0);
  CHECK(file.size() == 24 + 100 * (BlockWriter::kBlockBytes / 1016) * 1016 + 3);
  CHECK(writer.bytes_written() == file.size());
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
  BlockWriter writer(file.fd, FileFormat::pcap, std::vector<uint8_t>(24), 2);
  for (int blocks = 0; blocks < 2; blocks++) {
    Block* block = writer.acquire();
    for (int i = 0; i < 10; i++) add_record(block, static_cast<uint16_t>(i % 2), 84);  // 100 bytes each
    writer.submit(block);
  }
  writer.finish({1, 2, 3});
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(writer.failure() == EFBIG);
  CHECK(file.size() == 24 + 400);  // whole records only, and no trailer
  CHECK(writer.bytes_written() == file.size());
  CHECK(writer.lost(0) == 8 && writer.lost(1) == 8);
}

void closed_pipe() {
  signal(SIGPIPE, SIG_IGN);
  int ends[2];
  CHECK(pipe(ends) == 0);
  BlockWriter writer(ends[1], FileFormat::pcap, std::vector<uint8_t>(24), 1);
  close(ends[0]);
  while (writer.failure() == 0) std::this_thread::yield();  // noticed without a packet to write
  CHECK(writer.failure() == EPIPE);
  Block* block = writer.acquire();
  for (int i = 0; i < 5; i++) add_record(block, 0, 60);
  writer.submit(block);
  writer.finish({});
  CHECK(writer.lost(0) == 5);
}

// A reader that never reads holds finish() up for no longer than it says.
void stalled_reader() {
  int ends[2];
  CHECK(pipe(ends) == 0);
  BlockWriter writer(ends[1], FileFormat::pcap, std::vector<uint8_t>(24), 1);
  uint64_t records = 0;
  for (int i = 0; i < 3; i++) {
    Block* block = writer.acquire();
    for (; block->used + 1016 <= BlockWriter::kBlockBytes; records++) add_record(block, 0, 1000);
    writer.submit(block);
  }
  writer.finish({});
  CHECK(writer.failure() == ETIMEDOUT);
  // What is in the pipe now are whole records and at most one torn one, which was counted as lost.
  const uint64_t in_pipe = (writer.bytes_written() - 24) / 1016;
  CHECK(writer.lost(0) == records - in_pipe);
  close(ends[0]);
}

}  // namespace

void test_block_writer() {
  whole_file();
  full_disk();
  closed_pipe();
  stalled_reader();
}
