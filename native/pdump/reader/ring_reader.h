// Reads the copies out of the lanes' rings, and merges them into the order of their arrival.
//
// Stamped copies are put in the order of their stamps. Copies that are younger than the time a copy may take from its
// stamp into its ring are held back. Plain copies have no stamp. All rings are looked at before the first one is
// emptied, so that what one look found came before whatever the next one finds. Nobody knows the order of the packets
// that one look found: the lanes take turns, those of received packets first, so that an answer does not stand before
// the question that the application has received.
//
// Runs on the drain thread.
#pragma once
#include <rte_mbuf.h>

#include <cstdint>
#include <deque>
#include <vector>

#include "capture/source.h"
#include "mbuf/burst.h"
#include "pdump/pdump_lane.h"
#include "pdump/reader/gap_watch.h"
#include "pdump/reader/stamp_clock.h"

namespace dpcap {

class RingReader {
 public:
  static constexpr uint32_t kPending = Sink::kBurst;  // how many packets of a lane are held here at most

  // `is_timed`: the sink wants to know when packets arrived. With several lanes the order needs it in any case.
  // `burst`: how many packets are taken out of a ring at once. `clock`: the capture's.
  RingReader(std::vector<PdumpLane*> lanes, CopyMode mode, bool is_timed, uint32_t burst, SharedClock& clock);

  void begin();
  // Looks whether packets are missing. What was lost until now is told with the first packet that comes behind it.
  void look_for_gaps();
  // Looks at every ring once. Returns how many packets it found.
  uint32_t refill();
  // Returns the next packets in order, all of one lane; count 0 when there are none for now. The packets stay here
  // until taken().
  Burst next(More more);
  // Drops the first `count` packets of the last burst.
  void taken(uint32_t count);

  // In steady time (see WallClock): no packet that arrived before this is still to come.
  uint64_t complete_ns() const;

  bool is_empty() const;
  // At the last look a lane had no room for what is in its ring, because packets are held back; this is soon over.
  bool is_full() const { return is_full_; }
  // Packets are held back while the primary's clock is being learnt, so the next look should be soon.
  bool is_settling() const { return held_since_ != 0 && !stamps_.is_settled(settle_ticks_); }

 private:
  // Packets of a lane that were taken from its ring and not yet given out: `count`, from `head` on.
  struct Held {
    explicit Held(PdumpLane& lane_) : lane(lane_), gaps(lane_) {}

    PdumpLane& lane;
    GapWatch gaps;
    rte_mbuf* mbufs[kPending];
    uint64_t stamp[kPending];    // as the primary wrote it; of the last `unresolved` packets
    uint64_t arrival[kPending];  // TSC; of those before them
    uint64_t time_ns[kPending];  // CLOCK_REALTIME; of those that were given out and not taken
    uint32_t head = 0;
    uint32_t count = 0;
    uint32_t unresolved = 0;  // how many packets at the end still need their arrival
    uint32_t waiting = 0;     // copies in the ring at the last look
    uint32_t turns = 0;       // turns in which packets were given out since then
    uint64_t empty_tsc = 0;   // when the ring was last seen empty
    bool more = false;        // the ring was not empty when it was last looked at
    uint64_t last_ns = 0;     // steady time of the last packet that was given out

    // The ring's number of the packet that is given out next.
    uint32_t number() const { return lane.ring->cons.tail - count; }
    Direction direction() const { return lane.id().direction; }
    uint32_t resolved() const { return count - unresolved; }
    void close_up();
  };

  void count_waiting();
  double equal_share() const;
  uint32_t refill(Held& held, uint32_t most);
  uint32_t room_in(const Held& held) const;
  void note_found(Held& held, uint32_t found);
  void resolve(Held& held, More more);
  Burst next_by_turns();
  Burst next_by_stamp(More more);
  Burst give(Held& held, uint32_t count);
  Burst nothing() const;
  uint64_t complete_ns(const Held& held) const;
  uint32_t count_until(const Held& held, uint64_t horizon) const;
  void to_wall_time(Held& held, uint32_t count);

  std::deque<Held> lanes_;  // those of received packets first
  Held* given_ = nullptr;   // the lane of the last burst
  const bool is_stamped_;
  const bool is_timed_;
  const uint32_t burst_;
  SharedClock& clock_;
  WallClock wall_;                // as of the last look
  StampClock stamps_;             // as of the last packets found
  const uint64_t settle_ticks_;   // a stamp is good enough when it is known to this
  const uint64_t reorder_ticks_;  // how long a packet may take from its stamp into its ring
  uint64_t now_ = 0;              // when the last look began
  uint64_t found_at_ = 0;         // and when the contents of all rings were known
  bool is_full_ = false;
  uint64_t held_since_ = 0;
};

}  // namespace dpcap
