// lz4's frame format, by liblz4.
#include <lz4frame.h>

#include <string>

#include "base/error.h"
#include "codec/codec.h"

namespace dpcap {
namespace {

size_t checked(size_t result, const char* code, const char* what) {
  if (LZ4F_isError(result) == 0) return result;
  throw Error(code, std::string(what) + ": " + LZ4F_getErrorName(result));
}

class Lz4Compressor : public Compressor {
 public:
  explicit Lz4Compressor(int level) {
    preferences_.compressionLevel = level;
    preferences_.frameInfo.blockSizeID = LZ4F_max1MB;
    preferences_.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  }

  void compress(const uint8_t* bytes, size_t size, std::vector<uint8_t>* out) override {
    out->resize(LZ4F_compressFrameBound(size, &preferences_));
    out->resize(checked(LZ4F_compressFrame(out->data(), out->size(), bytes, size, &preferences_), "ERR_SYSTEM",
                        "liblz4 cannot compress"));
  }

 private:
  LZ4F_preferences_t preferences_{};
};

class Lz4Decompressor : public Decompressor {
 public:
  Lz4Decompressor() {
    checked(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION), "ERR_SYSTEM", "liblz4 cannot be set up");
  }
  ~Lz4Decompressor() override { LZ4F_freeDecompressionContext(context_); }

  Step decompress(const uint8_t* bytes, size_t size, uint8_t* out, size_t room) override {
    size_t consumed = size, produced = room;
    const size_t left = checked(LZ4F_decompress(context_, out, &produced, bytes, &consumed, nullptr), "ERR_INPUT_FILE",
                                "the lz4 data are damaged");
    if (consumed != 0 || produced != 0) is_between_ = left == 0;
    return {consumed, produced};
  }
  bool is_between_frames() const override { return is_between_; }

 private:
  LZ4F_dctx* context_ = nullptr;
  bool is_between_ = true;
};

}  // namespace

std::unique_ptr<Compressor> make_lz4_compressor(int level) { return std::make_unique<Lz4Compressor>(level); }
std::unique_ptr<Decompressor> make_lz4_decompressor() { return std::make_unique<Lz4Decompressor>(); }

}  // namespace dpcap
