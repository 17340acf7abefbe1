// gzip, by zlib.
#include <zlib.h>

#include <string>

#include "base/error.h"
#include "codec/codec.h"

namespace dpcap {
namespace {

constexpr int kGzipFormat = 16 + MAX_WBITS;  // what zlib adds to the window's size for gzip's head and tail
constexpr int kMemory = 8;                   // zlib's default

std::string words_of(const z_stream& stream) { return stream.msg == nullptr ? "no reason given" : stream.msg; }

class GzipCompressor : public Compressor {
 public:
  explicit GzipCompressor(int level) {
    if (deflateInit2(&stream_, level, Z_DEFLATED, kGzipFormat, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
      throw Error("ERR_SYSTEM", "zlib cannot be set up: " + words_of(stream_));
  }
  ~GzipCompressor() override { deflateEnd(&stream_); }

  void compress(const uint8_t* bytes, size_t size, std::vector<uint8_t>* out) override {
    deflateReset(&stream_);
    out->resize(deflateBound(&stream_, size));
    stream_.next_in = const_cast<uint8_t*>(bytes);
    stream_.avail_in = static_cast<uInt>(size);
    stream_.next_out = out->data();
    stream_.avail_out = static_cast<uInt>(out->size());
    if (deflate(&stream_, Z_FINISH) != Z_STREAM_END)
      throw Error("ERR_SYSTEM", "zlib cannot compress: " + words_of(stream_));
    out->resize(stream_.total_out);
  }

 private:
  z_stream stream_{};
};

class GzipDecompressor : public Decompressor {
 public:
  GzipDecompressor() {
    if (inflateInit2(&stream_, kGzipFormat) != Z_OK)
      throw Error("ERR_SYSTEM", "zlib cannot be set up: " + words_of(stream_));
  }
  ~GzipDecompressor() override { inflateEnd(&stream_); }

  Step decompress(const uint8_t* bytes, size_t size, uint8_t* out, size_t room) override {
    if (is_between_ && size > 0) inflateReset(&stream_);
    stream_.next_in = const_cast<uint8_t*>(bytes);
    stream_.avail_in = static_cast<uInt>(size);
    stream_.next_out = out;
    stream_.avail_out = static_cast<uInt>(room);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
      throw Error("ERR_INPUT_FILE", "the gzip data are damaged: " + words_of(stream_));
    const Step step{size - stream_.avail_in, room - stream_.avail_out};
    if (step.consumed != 0 || step.produced != 0) is_between_ = result == Z_STREAM_END;
    return step;
  }
  bool is_between_frames() const override { return is_between_; }

 private:
  z_stream stream_{};
  bool is_between_ = true;
};

}  // namespace

std::unique_ptr<Compressor> make_gzip_compressor(int level) { return std::make_unique<GzipCompressor>(level); }
std::unique_ptr<Decompressor> make_gzip_decompressor() { return std::make_unique<GzipDecompressor>(); }

}  // namespace dpcap
