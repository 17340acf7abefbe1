#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "codec/codec.h"
#include "reader/byte_feed.h"
#include "reader/input/decoded_source.h"
#include "tap.h"

using namespace dpcap;

namespace {

constexpr Codec kCodecs[] = {Codec::gzip, Codec::zstd, Codec::lz4};
using Bytes = std::vector<uint8_t>;

// Half of it can be compressed.
Bytes some_bytes(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (size_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>(i % 64 < 40 ? random() : i / 1000);
  return bytes;
}

Bytes frames_of(Codec codec, int level, const std::vector<Bytes>& parts) {
  const auto compressor = make_compressor(codec, level);
  Bytes all, frame;
  for (const Bytes& part : parts) {
    compressor->compress(part.data(), part.size(), &frame);
    all.insert(all.end(), frame.begin(), frame.end());
  }
  return all;
}

struct Decoded {
  Bytes bytes;
  bool is_cut = false;
  std::string error;
};

Decoded decode(Codec codec, const Bytes& frames, size_t piece, size_t room) {
  ByteFeed feed(frames, piece);
  DecodedSource source(feed, codec, {});
  Decoded decoded;
  Bytes buffer(room);
  try {
    for (ssize_t got; (got = source.read(buffer.data(), room)) != ByteSource::kEnd;) {
      if (got > 0) decoded.bytes.insert(decoded.bytes.end(), buffer.begin(), buffer.begin() + got);
    }
  } catch (const Error& error) {
    decoded.error = error.what();
  }
  decoded.is_cut = source.is_cut();
  return decoded;
}

// Frames one behind the other, of any length, are the bytes that they were made of, however they come in.
void round_trips() {
  const std::vector<Bytes> parts = {some_bytes(1'000'000, 1), {}, some_bytes(1, 2), some_bytes(70'000, 3)};
  Bytes whole;
  for (const Bytes& part : parts) whole.insert(whole.end(), part.begin(), part.end());
  for (const Codec codec : kCodecs) {
    for (const int level : {1, 9}) {
      const Bytes frames = frames_of(codec, level, parts);
      CHECK(frames.size() < whole.size() * 9 / 10 && codec_of(frames.data(), frames.size()) == codec);
      for (const size_t piece : {0, 1000}) {
        for (const size_t room : {500, 1 << 20}) {
          const Decoded decoded = decode(codec, frames, piece, room);
          CHECK(decoded.error.empty() && !decoded.is_cut && decoded.bytes == whole);
        }
      }
    }
  }
}

// What was cut gives all whole frames before the cut.
void cuts() {
  const Bytes first = some_bytes(50'000, 1), second = some_bytes(50'000, 2);
  for (const Codec codec : kCodecs) {
    const size_t whole = frames_of(codec, 1, {first}).size();
    Bytes frames = frames_of(codec, 1, {first, second});
    for (const size_t lost : {1, 5, 100, 20'000}) {
      const Decoded decoded = decode(codec, {frames.begin(), frames.end() - static_cast<long>(lost)}, 0, 1 << 16);
      CHECK(decoded.error.empty() && decoded.is_cut && decoded.bytes.size() >= first.size());
      CHECK(std::equal(first.begin(), first.end(), decoded.bytes.begin()));
    }
    const Decoded one = decode(codec, {frames.begin(), frames.begin() + static_cast<long>(whole)}, 0, 1 << 16);
    CHECK(!one.is_cut && one.bytes == first);
    frames[whole / 2] ^= 0x55;
    CHECK(!decode(codec, frames, 0, 1 << 16).error.empty());
  }
}

void magic() {
  const uint8_t pcap[] = {0xd4, 0xc3, 0xb2, 0xa1};
  CHECK(codec_of(pcap, 4) == Codec::none && codec_of(pcap, 0) == Codec::none);
  const uint8_t gzip[] = {0x1f, 0x8b};
  CHECK(codec_of(gzip, 2) == Codec::gzip && codec_of(gzip, 1) == Codec::none);
}

}  // namespace

void test_codecs() {
  round_trips();
  cuts();
  magic();
}
