#include "reader/input_file.h"

#include <string>

#include "base/error.h"

namespace dpcap {
namespace {

// Packets after which a scan can be told to end.
constexpr uint32_t kScanned = 1 << 18;

}  // namespace

bool InputFile::open() {
  if (stage_ == Stage::codec && !find_codec()) return false;
  if (stage_ == Stage::format && !find_format()) return false;
  if (stage_ == Stage::head && !read_head()) return false;
  return stage_ != Stage::scan || scan();
}

bool InputFile::find_codec() {
  const Window::Has has = window_.need(kMagicBytes);
  if (has == Window::Has::not_yet) return false;
  if (window_.size() == 0) throw Error("ERR_INPUT_FILE", "it is empty");
  codec_ = codec_of(window_.bytes(), window_.size());
  if (codec_ != Codec::none) decode({window_.bytes(), window_.bytes() + window_.size()});
  stage_ = Stage::format;
  return true;
}

void InputFile::decode(const std::vector<uint8_t>& seen) {
  decoded_.emplace(descriptor_, codec_, seen);
  window_.begin_again(*decoded_);
}

bool InputFile::find_format() {
  const Window::Has has = window_.need(kFormatBytes);
  if (has == Window::Has::not_yet) return false;
  if (has == Window::Has::ended) throw Error("ERR_INPUT_FILE", "it ends before it tells what it is");
  file_ = packet_file(window_, {});
  stage_ = Stage::head;
  return true;
}

bool InputFile::read_head() {
  if (!file_->read_head()) return false;
  const bool has_late_interfaces = descriptor_.can_rewind() && file_->may_tell_late();
  if (!has_late_interfaces) file_->expect_no_interfaces();
  stage_ = has_late_interfaces ? Stage::scan : Stage::open;
  return true;
}

// A file that is damaged is damaged when it is read again, and is then spoken of.
bool InputFile::scan() {
  FilePacket packet;
  try {
    for (uint32_t i = 0; i < kScanned; i++) {
      if (file_->next(&packet) != PacketFile::Next::packet) break;
      if (i + 1 == kScanned) return false;
    }
  } catch (const Error&) {
  }
  begin_again();
  stage_ = Stage::open;
  return true;
}

void InputFile::begin_again() {
  const std::vector<FileInterface> known = file_->interfaces();
  descriptor_.rewind();
  if (codec_ == Codec::none) {
    window_.begin_again(descriptor_);
  } else {
    decode({});
  }
  window_.need(kFormatBytes);
  file_ = packet_file(window_, known);
  file_->read_head();
  file_->expect_no_interfaces();
}

}  // namespace dpcap
