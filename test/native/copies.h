// Copies as a primary would make them, in ordinary memory.
#pragma once
#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <numeric>
#include <vector>

#include "books.h"
#include "mbuf/burst.h"
#include "mbuf/packet_writer.h"
#include "sink/sink.h"

// A chain of mbufs that holds `bytes`, cut into segments of `segment` bytes, with `room` unused bytes around each.
class Chain {
 public:
  Chain(const std::vector<uint8_t>& bytes, size_t segment, uint16_t room = 0) {
    for (size_t at = 0; at < bytes.size(); at += segment) {
      const size_t size = std::min(segment, bytes.size() - at);
      auto& buffer = buffers_.emplace_back(room + size + room);
      std::copy_n(bytes.begin() + static_cast<long>(at), size, buffer.begin() + room);
      rte_mbuf& mbuf = mbufs_.emplace_back();
      memset(static_cast<void*>(&mbuf), 0, sizeof mbuf);
      mbuf.buf_addr = buffer.data();
      mbuf.buf_len = static_cast<uint16_t>(buffer.size());
      mbuf.data_off = room;
      mbuf.data_len = static_cast<uint16_t>(size);
      if (mbufs_.size() > 1) mbufs_[mbufs_.size() - 2].next = &mbuf;
    }
    head()->pkt_len = static_cast<uint32_t>(bytes.size());
    head()->nb_segs = static_cast<uint16_t>(mbufs_.size());
  }
  Chain(const Chain&) = delete;
  rte_mbuf* head() { return &mbufs_[0]; }

 private:
  std::deque<rte_mbuf> mbufs_;
  std::deque<std::vector<uint8_t>> buffers_;
};

inline std::vector<uint8_t> numbered(size_t size) {
  std::vector<uint8_t> bytes(size);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  return bytes;
}

// `payload` as rte_pcapng_copy wraps it: type, length, interface, time, caplen, len; options and length behind it.
inline std::vector<uint8_t> stamped(const std::vector<uint8_t>& payload, uint32_t len) {
  const uint32_t caplen = static_cast<uint32_t>(payload.size());
  const uint32_t words[7] = {6, 28 + caplen + 20, 0, 1, 2, caplen, len};
  std::vector<uint8_t> block(28);
  memcpy(block.data(), words, sizeof words);
  block.insert(block.end(), payload.begin(), payload.end());
  block.resize(block.size() + 20);
  return block;
}

// Packets of one lane, on their way to a sink.
class Packets {
 public:
  explicit Packets(size_t lane = 0, dpcap::Direction direction = dpcap::Direction::rx, const dpcap::LaneRule& rule = {})
      : lane_(lane, {"test0", 0, 7, direction}, 1, rule) {}

  Packets& add(const std::vector<uint8_t>& bytes, size_t segment = SIZE_MAX, uint16_t room = 64) {
    mbufs_.push_back(chains_.emplace_back(bytes, std::min(segment, bytes.size()), room).head());
    times_.push_back(1'500'000'123'456'789 + times_.size());
    return *this;
  }
  // `count` packets whose bytes are their own size.
  Packets& add_sized(size_t count, size_t size) {
    for (size_t i = 0; i < count; i++) add(std::vector<uint8_t>(size, static_cast<uint8_t>(size)));
    return *this;
  }
  dpcap::Burst burst() { return {lane_, mbufs_.data(), times_.data(), static_cast<uint32_t>(mbufs_.size())}; }
  dpcap::Lane& lane() { return lane_; }

 private:
  dpcap::Lane lane_;
  std::deque<Chain> chains_;
  std::vector<rte_mbuf*> mbufs_;
  std::vector<uint64_t> times_;
};

inline const dpcap::FileOptions kPcap{dpcap::FileFormat::pcap, true, 262144};

// Puts plain copies into a sink, as a poller does. Returns how many it took.
inline uint32_t put(dpcap::RecordSink& sink, const dpcap::Burst& burst, const dpcap::FileOptions& options = kPcap) {
  return dpcap::RecordWriter(options, dpcap::CopyMode::plain, sink).put(burst).packets;
}
inline void put(dpcap::FrameSink& sink, const dpcap::Burst& burst, dpcap::CopyMode mode = dpcap::CopyMode::plain) {
  dpcap::FrameWriter(mode, sink).put(burst);
}
