// The books of a capture: what became of each packet that the application accepted, in packets and in bytes.
//
//   accepted = written + ringfull + sinkdrop + surplus
//
// Two sides write them. A lane's drain thread enters what it recorded or had no use for; whichever thread does a sink's
// work enters what it lost of that. Any thread may read.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/counter.h"

namespace dpcap {

// What the application counted for one lane since packets began to flow.
struct SourceCounters {
  uint64_t accepted = 0;
  uint64_t filtered = 0;
  uint64_t nombuf = 0;
  uint64_t ringfull = 0;
  uint64_t contended = 0;  // passed, unseen, while another thread was in the callback of the same queue
  uint64_t unread = 0;     // passed, but the kernel's program could not copy them
  uint64_t calls = 0;      // of the driver's function, and of these, those that dealt with all that they were asked for
  uint64_t full_calls = 0;
};

// The books of one lane at one moment.
struct Balance {
  SourceCounters source;
  uint64_t written = 0;  // records that are in the file, or frames on the interface, and their bytes of packet
  uint64_t bytes = 0;
  uint64_t sinkdrop = 0;  // lost because the sink failed, or refused after it had
  uint64_t surplus = 0;   // came after a limit was reached, after the lane's end, or after the reader left

  // Packets that the application accepted and that are in no account: on their way here as long as the capture runs,
  // none at its end.
  int64_t on_their_way() const {
    return static_cast<int64_t>(source.accepted - (written + source.ringfull + sinkdrop + surplus));
  }
};

class Ledger {
 public:
  struct Account {
    // The drain thread writes these.
    Counter recorded;  // packets that were handed to the sink
    Counter bytes;     // of these
    Counter refused;   // the sink had failed
    Counter surplus;   // came after a limit was reached, or after the lane's end
    Counter filtered;  // not selected by the filter, where that runs in this process
    // Threads of the sink write these: packets that were recorded and did not get through.
    std::atomic<uint64_t> lost{0};
    std::atomic<uint64_t> lost_bytes{0};
    // And those that the sink had sent itself: no packets of the application's, so that they count as not selected.
    std::atomic<uint64_t> own{0};
    std::atomic<uint64_t> own_bytes{0};

    // Packets that the drain thread has accounted for.
    uint64_t settled() const { return recorded + refused + surplus + filtered; }
    void lose(uint64_t packets, uint64_t packet_bytes) {
      lost += packets;
      lost_bytes += packet_bytes;
    }
    void leave_out(uint64_t packets, uint64_t packet_bytes) {
      own += packets;
      own_bytes += packet_bytes;
    }
  };

  // How far the application's counters are to be trusted.
  enum class Trust {
    full,
    none,  // it is gone, is stopped, or counts for another tool: what arrived is taken as accepted
  };
  // What becomes of packets that the sink did not take.
  enum class Reader {
    wants,
    has_left,  // what comes after the reader left is surplus, not loss
  };

  explicit Ledger(size_t lanes) : accounts_(new Account[lanes]()) {}

  Account& operator[](size_t lane) { return accounts_[lane]; }
  const Account& operator[](size_t lane) const { return accounts_[lane]; }

  // Closes the books of a lane with what the application counted.
  Balance balance(size_t lane, SourceCounters source, Trust trust, Reader reader) const;

 private:
  const std::unique_ptr<Account[]> accounts_;
};

}  // namespace dpcap
