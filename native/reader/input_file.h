// A file of packets, or a pipe with one, compressed or not: from a descriptor to packets. One thread at a time.
#pragma once
#include <memory>
#include <optional>

#include "codec/codec.h"
#include "reader/format/packet_file.h"
#include "reader/input/decoded_source.h"
#include "reader/input/descriptor_source.h"
#include "reader/input/window.h"

namespace dpcap {

class InputFile {
 public:
  // Takes `fd` over.
  explicit InputFile(int fd) : descriptor_(fd), window_(descriptor_) {}

  // Finds out what it is, and which interfaces it has. A pcapng file may tell of interfaces anywhere, and what is
  // written needs all of them at its beginning, so a file is read to its end for them, and then from its beginning
  // again; a pipe is read as far as its first packet. Returns false when it has to be called again: more has to come,
  // or a long file takes its time. Throws ERR_INPUT_FILE.
  bool open();
  bool is_open() const { return stage_ == Stage::open; }

  // What is_open() finds.
  const PacketFile& file() const { return *file_; }
  Codec codec() const { return codec_; }
  // As PacketFile::next().
  PacketFile::Next next(FilePacket* packet) { return file_->next(packet); }

 private:
  enum class Stage { codec, format, head, scan, open };

  bool find_codec();
  bool find_format();
  bool read_head();
  bool scan();
  void begin_again();
  void decode(const std::vector<uint8_t>& seen);

  DescriptorSource descriptor_;
  std::optional<DecodedSource> decoded_;
  Window window_;
  Codec codec_ = Codec::none;
  std::unique_ptr<PacketFile> file_;
  Stage stage_ = Stage::codec;
};

}  // namespace dpcap
