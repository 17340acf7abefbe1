// A lane: a port, queue and direction of this process, with the callback that all sessions share. Agent's thread,
// unless it says something else.
//
// A callback that was put in place stays, for all ports that come to it, and costs a call a burst: nobody can know when
// it is safe to free what rte_eth_add_rx_callback() has allocated, because a polling thread may be about to read it.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "agent/library/datapath/stream.h"
#include "agent/library/datapath/tap.h"

struct lane;

// Returns the lane of what is now in this place; NULL when there is no memory.
struct lane *lane_find(uint16_t port, uint16_t queue, uint32_t direction);
// Puts the lane's callback in place. Returns whether there is such a queue.
bool lane_is_there(struct lane *lane);
// Has the lane's callback pass packets on to the stream. Returns 0, or EUSERS, or what ethdev says.
int lane_attach(struct lane *lane, struct stream *stream);
// Ends that. The stream may be in use until the thread that may be in the callback now has left it.
void lane_detach(struct lane *lane, struct stream *stream);
// Has the lane's callback pass packets on to the tap. Returns 0, or EUSERS, or what ethdev says.
int lane_attach_tap(struct lane *lane, struct tap *tap);
// Ends that. The tap may be in use as a stream may.
void lane_detach_tap(struct lane *lane, struct tap *tap);
// As lane_has_ended().
bool lane_tap_has_ended(const struct lane *lane, const struct tap *tap);
// Around sending packets of the agent's on this queue: the taps do not get them. Threads of the application, one at a
// time.
void lane_feed_begin(struct lane *lane);
void lane_feed_end(struct lane *lane);
// This moment, for lane_has_left().
uint64_t lane_moment(const struct lane *lane);
// Whether the thread that may have been in the callback at that moment has left it.
bool lane_has_left(const struct lane *lane, uint64_t moment);
// Remembers this moment of all lanes, for what threads may look at in the callback of any: there is one such moment.
void lanes_mark(void);
// Whether the threads that may have been in the callback of any lane at that moment have left it.
bool lanes_have_left_mark(void);
// Packets that passed because another thread was in the callback. Any thread.
uint64_t lane_contended(const struct lane *lane);
// Whether the port has gone since the stream was attached, or the queue is no longer one of its, as far as that can be
// seen without asking the driver, which the application may be about to close.
bool lane_has_ended(const struct lane *lane, const struct stream *stream);
// Whether the port that the stream was attached to is still there.
bool lane_has_port(const struct lane *lane, const struct stream *stream);
// Detaches all streams and taps: in a child, which does not have their memory, and may go on polling. It has one
// thread.
void lanes_leave(void);
