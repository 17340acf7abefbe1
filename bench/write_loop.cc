// The most that can be written to a place: `write_loop FILE` fills a new file from one hot buffer until it is stopped.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <vector>

namespace {

constexpr size_t kChunk = 256 * 1024;
volatile sig_atomic_t stopped = 0;

}  // namespace

int main(int argc, char** argv) {
  const int fd = argc == 2 ? open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
  if (fd < 0) {
    perror(argc == 2 ? argv[1] : "usage: write_loop FILE");
    return 2;
  }
  signal(SIGINT, [](int) { stopped = 1; });
  const std::vector<uint8_t> chunk(kChunk, 0x42);
  while (!stopped && write(fd, chunk.data(), chunk.size()) > 0) {
  }
  return 0;
}
