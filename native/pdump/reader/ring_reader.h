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
#include <cstdint>
#include <vector>

#include "pdump/lane.h"
#include "pdump/reader/stamp_clock.h"
#include "sink/sink.h"

namespace dpcap {

class RingReader {
 public:
  // `is_timed`: the sink wants to know when packets arrived. With several lanes the order needs it in any case.
  // `burst`: how many packets are taken out of a ring at once. `clock`: the capture's.
  RingReader(std::vector<Lane*> lanes, CopyMode mode, bool is_timed, uint32_t burst, SharedClock& clock);

  void begin();
  // Looks at every ring once. Returns how many packets it found.
  uint32_t refill();
  // Returns the next packets in order, all of one lane; count 0 when there are none for now. `last`: there will be no
  // others to wait for. The packets stay in the lane until taken().
  Burst next(bool last);
  void taken(Lane& lane, uint32_t count);

  // In steady time (see WallClock): no packet that arrived before this is still to come.
  uint64_t complete_ns() const;

  bool is_empty() const;
  // At the last look a lane had no room for what is in its ring, because packets are held back; this is soon over.
  bool is_full() const { return is_full_; }
  // Packets are held back while the primary's clock is being learnt, so the next look should be soon.
  bool is_settling() const { return held_since_ != 0 && !stamps_.is_settled(settle_ticks_); }

 private:
  void count_waiting();
  double equal_share() const;
  uint32_t refill(Lane& lane, uint32_t most);
  uint32_t room_in(const Lane& lane) const;
  void learn(Lane& lane, uint32_t found, uint64_t now);
  void resolve(Lane& lane, bool last);
  Burst next_by_turns();
  Burst next_by_stamp(bool last);
  Burst give(Lane& lane, uint32_t count);
  uint64_t complete_ns(const Lane& lane) const;
  uint32_t count_until(Lane& lane, uint64_t horizon) const;
  void to_wall_time(Lane& lane, uint32_t count);

  std::vector<Lane*> lanes_;  // those of received packets first
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
