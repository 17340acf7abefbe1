// A file that is gone when the test is.
#pragma once
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
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
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string path;
  int fd;
};
