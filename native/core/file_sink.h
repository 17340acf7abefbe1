// A sink that writes pcap or pcapng to a file, a pipe or a device.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "core/sink.h"

namespace dpcap {

class FileSink : public Sink {
 public:
  // Takes `fd` over; it is closed by finish(). `header` is written at once.
  FileSink(int fd, FileFormat format, std::vector<uint8_t> header, size_t lanes);
  ~FileSink() override { stop(); }

 private:
  static constexpr size_t kBlocks = 32;  // what a stalled disk may cost in memory

  void open() override;
  void write_block(const Block& block) override;
  void idle() override;
  void close(const std::vector<uint8_t>& trailer) override;

  bool write_all(const uint8_t* bytes, size_t size, size_t* done);
  void write_or_take_back(const std::vector<uint8_t>& bytes);
  off_t end_of_file() const;
  void wait_writable();

  int fd_;
  const std::vector<uint8_t> header_;
  const bool is_file_;
  const bool is_socket_;
};

}  // namespace dpcap
