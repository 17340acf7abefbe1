// zstd, by libzstd.
#include <zstd.h>

#include <cerrno>
#include <string>

#include "base/error.h"
#include "codec/codec.h"

namespace dpcap {
namespace {

size_t checked(size_t result, const char* code, const char* what) {
  if (ZSTD_isError(result) == 0) return result;
  throw Error(code, std::string(what) + ": " + ZSTD_getErrorName(result));
}

class ZstdCompressor : public Compressor {
 public:
  explicit ZstdCompressor(int level) : context_(ZSTD_createCCtx()) {
    if (context_ == nullptr) throw Error("ERR_SYSTEM", "libzstd cannot be set up", ENOMEM);
    set(ZSTD_c_compressionLevel, level);
    set(ZSTD_c_checksumFlag, 1);
  }
  ~ZstdCompressor() override { ZSTD_freeCCtx(context_); }

  void compress(const uint8_t* bytes, size_t size, std::vector<uint8_t>* out) override {
    out->resize(ZSTD_compressBound(size));
    out->resize(checked(ZSTD_compress2(context_, out->data(), out->size(), bytes, size), "ERR_SYSTEM",
                        "libzstd cannot compress"));
  }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    checked(ZSTD_CCtx_setParameter(context_, parameter, value), "ERR_SYSTEM", "libzstd cannot be set up");
  }

  ZSTD_CCtx* const context_;
};

class ZstdDecompressor : public Decompressor {
 public:
  ZstdDecompressor() : context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) throw Error("ERR_SYSTEM", "libzstd cannot be set up", ENOMEM);
  }
  ~ZstdDecompressor() override { ZSTD_freeDCtx(context_); }

  // libzstd itself refuses windows above 128 MiB, so that a file cannot ask for any amount of memory.
  Step decompress(const uint8_t* bytes, size_t size, uint8_t* out, size_t room) override {
    ZSTD_inBuffer in{bytes, size, 0};
    ZSTD_outBuffer to{out, room, 0};
    const size_t left =
        checked(ZSTD_decompressStream(context_, &to, &in), "ERR_INPUT_FILE", "the zstd data are damaged");
    if (in.pos != 0 || to.pos != 0) is_between_ = left == 0;
    return {in.pos, to.pos};
  }
  bool is_between_frames() const override { return is_between_; }

 private:
  ZSTD_DCtx* const context_;
  bool is_between_ = true;
};

}  // namespace

std::unique_ptr<Compressor> make_zstd_compressor(int level) { return std::make_unique<ZstdCompressor>(level); }
std::unique_ptr<Decompressor> make_zstd_decompressor() { return std::make_unique<ZstdDecompressor>(); }

}  // namespace dpcap
