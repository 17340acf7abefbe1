// Compression by the libraries of the field: zlib, libzstd and liblz4. Each object is for one thread at a time.
//
// The libraries are linked statically, and their names are nobody else's (CMakeLists.txt says why).
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace dpcap {

enum class Codec { none, gzip, zstd, lz4 };

// The name of a codec, for people.
const char* name_of(Codec codec);

// Makes frames, each of which can be read without the others.
class Compressor {
 public:
  virtual ~Compressor() = default;
  // Replaces what is in `out` with one whole frame of these bytes. Throws ERR_SYSTEM with the library's words.
  virtual void compress(const uint8_t* bytes, size_t size, std::vector<uint8_t>* out) = 0;
};

// Reads frames, one behind the other.
class Decompressor {
 public:
  virtual ~Decompressor() = default;
  struct Step {
    size_t consumed;
    size_t produced;
  };
  // Goes on with the bytes that are there, as far as they and the room for the result allow. Where both are 0 although
  // there were bytes and room, more bytes are needed. Throws ERR_INPUT_FILE when they are no sound frame.
  virtual Step decompress(const uint8_t* bytes, size_t size, uint8_t* out, size_t room) = 0;
  // Whether the last frame that was begun has ended, so that the bytes may end here.
  virtual bool is_between_frames() const = 0;
};

// `level`: as the library counts. Throws ERR_SYSTEM when there is no memory.
std::unique_ptr<Compressor> make_compressor(Codec codec, int level);
std::unique_ptr<Decompressor> make_decompressor(Codec codec);

// How many bytes codec_of() needs to see.
constexpr size_t kMagicBytes = 4;
// The codec whose frames begin with these bytes; none for any others.
Codec codec_of(const uint8_t* bytes, size_t size);

// Each library has a file of its own.
std::unique_ptr<Compressor> make_gzip_compressor(int level);
std::unique_ptr<Decompressor> make_gzip_decompressor();
std::unique_ptr<Compressor> make_zstd_compressor(int level);
std::unique_ptr<Decompressor> make_zstd_decompressor();
std::unique_ptr<Compressor> make_lz4_compressor(int level);
std::unique_ptr<Decompressor> make_lz4_decompressor();

}  // namespace dpcap
