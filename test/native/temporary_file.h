// A file that is gone when the test is.
#pragma once
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

struct TemporaryFile {
  explicit TemporaryFile(const std::string& folder = "/tmp")
      : path(folder + "/dpcap-test-XXXXXX"), fd(mkstemp(path.data())) {}
  ~TemporaryFile() { unlink(path.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;

  size_t size() const {
    struct stat status;
    stat(path.c_str(), &status);
    return static_cast<size_t>(status.st_size);
  }
  std::vector<uint8_t> bytes() const {
    std::vector<uint8_t> all(size());
    std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(all.data()), static_cast<long>(all.size()));
    return all;
  }

  // Whether its file system can write past the page cache (tmpfs is nothing but cache).
  bool can_go_straight() const {
    struct statfs status;
    const int own = open(path.c_str(), O_WRONLY | O_DIRECT);
    if (own >= 0) close(own);
    return own >= 0 && statfs(path.c_str(), &status) == 0 && status.f_type != TMPFS_MAGIC;
  }
  // Of its pages, how many are in the page cache.
  size_t pages_in_cache() const {
    constexpr size_t kPage = 4096;
    const size_t length = size();
    const int own = open(path.c_str(), O_RDONLY);
    void* mapped = mmap(nullptr, length, PROT_READ, MAP_SHARED, own, 0);
    std::vector<unsigned char> pages((length + kPage - 1) / kPage);
    mincore(mapped, length, pages.data());
    munmap(mapped, length);
    close(own);
    size_t in_cache = 0;
    for (const unsigned char page : pages) in_cache += page & 1;
    return in_cache;
  }

  std::string path;
  int fd;
};
