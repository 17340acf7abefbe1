// Frames in mbufs of ordinary memory, for trying filters. Any thread.
#pragma once
#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "filter/filter.h"

namespace dpcap {

// A frame as a chain of mbufs in ordinary memory. Every segment is an allocation of exactly its length, so that a
// memory checker sees a read past its end.
class MbufChain {
 public:
  MbufChain(const Sample& frame, size_t segment_size) {
    const size_t step = segment_size == 0 ? UINT16_MAX : std::min<size_t>(segment_size, UINT16_MAX);
    const size_t count = std::max<size_t>(1, (frame.len + step - 1) / step);
    segments_.resize(count);
    for (size_t i = 0; i < count; i++) {
      const size_t len = std::min(step, frame.len - i * step);
      data_.emplace_back(new uint8_t[len]);
      if (len > 0) memcpy(data_.back().get(), frame.data + i * step, len);
      rte_mbuf& segment = segments_[i];
      memset(&segment, 0, sizeof segment);
      segment.buf_addr = data_.back().get();
      segment.data_len = segment.buf_len = static_cast<uint16_t>(len);
      segment.refcnt = 1;
      segment.nb_segs = 1;
      if (i > 0) segments_[i - 1].next = &segment;
    }
    segments_[0].pkt_len = static_cast<uint32_t>(frame.len);
    segments_[0].nb_segs = static_cast<uint16_t>(count);
    segments_[0].ol_flags = frame.tags.ol_flags;
    segments_[0].vlan_tci = frame.tags.vlan_tci;
    segments_[0].vlan_tci_outer = frame.tags.vlan_tci_outer;
  }

  void* head() { return segments_.data(); }

 private:
  std::vector<rte_mbuf> segments_;
  std::vector<std::unique_ptr<uint8_t[]>> data_;
};

}  // namespace dpcap
