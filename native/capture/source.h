// Where a capture's packets come from. A source has something in the application (callbacks, memory) that makes copies,
// and a poller for each drain thread, which takes them out.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "capture/admission.h"
#include "capture/stats.h"
#include "record/lane.h"
#include "sink/sink.h"

namespace dpcap {

// Whether others may come behind the packets that are there.
enum class More { may_come, none };

// Takes what comes on some lanes, and passes it on to the sink that it was made for. Runs on a drain thread.
class Poller {
 public:
  virtual ~Poller() = default;

  // Called once, first.
  virtual void begin() {}
  // Looks at every lane once. Returns how many packets it found.
  virtual uint32_t poll() = 0;
  // Passes on, in the order of their arrival, the packets that were found, unless an earlier one may still come.
  // Returns how many: they may be more than were found, because some had been held back.
  virtual uint32_t deliver(More more) = 0;
  // Every packet that arrived until then (CLOCK_REALTIME without its steps) has been delivered.
  virtual uint64_t complete_ns() const = 0;
  // No packet is held back.
  virtual bool is_empty() const = 0;

  // How many packets the source has room for while this thread sleeps, now and at most.
  virtual uint32_t room() const = 0;
  virtual uint32_t most_room() const = 0;
  // How long the thread may sleep after this round, in us.
  virtual uint32_t longest_sleep_us() const = 0;
  // Called around the pause between two rounds. `is_busy`: there is none. `sleep_us`: how long a sleep is at present.
  virtual void before_pause(bool is_busy) = 0;
  virtual void after_pause(uint32_t sleep_us) = 0;
};

// Whether the application whose packets are captured still runs.
enum class Primary { alive, gone };

// One call at a time, on any thread, unless it says something else.
class Source {
 public:
  virtual ~Source() = default;

  // Makes everything that the source needs for these lanes, the ledger's, but nothing that acts. Throws ERR_NO_MEMORY,
  // ERR_PRIMARY_TIMEOUT, ERR_ABANDONED.
  virtual void prepare(const std::vector<Lane*>& lanes, const Ledger& ledger) = 0;
  // Makes the poller of a drain thread, one of `threads`, for some of the lanes. Called after prepare().
  virtual std::unique_ptr<Poller> poller(std::vector<Lane*> lanes, RecordSink& sink, Admission& admission) = 0;
  virtual std::unique_ptr<Poller> poller(std::vector<Lane*> lanes, FrameSink& sink, Admission& admission) = 0;

  // Puts the copying in place. Throws when that fails for one lane; disable() must be called even then.
  virtual void enable() = 0;
  // From here on packets flow.
  virtual void open() = 0;
  // Adds memory for copies, `pieces` more, for no more than `up_to` packets in all. Returns whether there may be more.
  // Throws as prepare(); what is there stays in use.
  virtual bool grow(uint32_t pieces, uint32_t up_to) = 0;
  // Ends the lanes whose port or queue is gone. Sends no request. Any thread, also during grow() and settle().
  virtual void watch() = 0;
  // Removes what is in the application for ended lanes, where it can be reached again, and follows ports that were
  // stopped and started. Returns what people should hear of it.
  virtual std::vector<std::string> settle() = 0;
  // Ends the copying; from here nothing new begins. Returns the lanes whose state is unknown, as text.
  virtual std::vector<std::string> disable(Primary primary) = 0;
  // Lets go of the memory of an application that is gone. The pollers have taken everything out.
  virtual void leave() = 0;
  // Gives back everything in an application that lives and is known to be out of the copying. Returns whether all was
  // freed.
  virtual bool release() = 0;
  // Any thread, at any moment: a call that waits for the application ends at its next piece or lane, now and later.
  virtual void abandon() = 0;

  // What the application counted for a lane since open(). Any thread, one at a time.
  virtual SourceCounters counters(const Lane& lane) const = 0;
  virtual SourceStats stats() const = 0;
};

}  // namespace dpcap
