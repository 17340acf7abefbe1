#include "agent/library/datapath/stream.h"

#include <rte_branch_prediction.h>
#include <stddef.h>

#include "record/epb_options.h"

#define CHUNK 64  // packets that a filter is run on at once

// The records of a burst that are not published yet.
struct span {
  struct record_time time;
  uint64_t steady_ns;
  uint64_t wall_ns;
  uint32_t begin;
  uint32_t packets;
  uint64_t packet_bytes;
  bool is_starved;  // there was no free segment: for the rest of the burst none is looked for
};

// A recorder keeps the newest packets: the oldest go.
static bool take_oldest(struct stream *stream) {
  if (!box_ring_take(stream->ring, stream->box_lane, stream->box_number, &stream->segment)) return false;
  stream->used = 0;
  stream->has_segment = true;
  return true;
}

// The lowest free segment: while the client keeps up, a handful goes round and stays in the caches.
static bool take_segment(struct stream *stream) {
  if (stream->ring != NULL) return take_oldest(stream);
  for (uint32_t i = 0; i < stream->segments; i++) {
    uint8_t is_free = 0;
    if (__atomic_load_n(&stream->segment_flags[i], __ATOMIC_RELAXED) != 0) continue;
    if (!__atomic_compare_exchange_n(&stream->segment_flags[i], &is_free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
      continue;
    stream->segment = i;
    stream->used = 0;
    stream->has_segment = true;
    return true;
  }
  return false;
}

// A client that has read more than there is has read nothing, as far as the ring is concerned.
static bool has_room_for_burst(const struct stream *stream) {
  if (stream->ring != NULL) return true;
  return stream->published - __atomic_load_n(&stream->shared->consumed, __ATOMIC_ACQUIRE) <= stream->burst_mask;
}

static void publish_burst(struct stream *stream, const struct span *span) {
  stream->bursts[stream->published & stream->burst_mask] = (struct dpcap_agent_burst){
      stream->segment, span->begin, stream->used - span->begin, span->packets, span->steady_ns, span->packet_bytes};
  __atomic_store_n(&stream->shared->published, ++stream->published, __ATOMIC_RELEASE);
}

static void publish(struct stream *stream, struct span *span) {
  if (span->packets == 0) return;
  if (stream->ring != NULL)
    box_ring_publish(stream->ring, stream->segment, stream->used, span->packets, span->wall_ns);
  else
    publish_burst(stream, span);
  span->packets = 0;
  span->packet_bytes = 0;
}

// Tells the client that it may give the segment back once it has read what is in it; of a recorder, lets it be
// overwritten. Returns whether there was room to.
static bool leave_segment(struct stream *stream, struct span *span) {
  publish(stream, span);
  if (!stream->has_segment) return true;
  if (!has_room_for_burst(stream)) return false;
  if (stream->ring != NULL) {
    box_ring_leave(stream->ring, stream->segment);
  } else {
    span->begin = stream->used;
    publish_burst(stream, span);
  }
  stream->has_segment = false;
  return true;
}

// Makes room for a record, in this segment or the next one, and for the burst that tells of it.
static inline bool make_room(struct stream *stream, struct span *span, uint32_t bytes) {
  if (bytes > stream->segment_bytes) return false;
  if (!stream->has_segment || stream->used + bytes > stream->segment_bytes) {
    if (span->is_starved || !leave_segment(stream, span) || !take_segment(stream)) {
      span->is_starved = true;
      return false;
    }
    span->begin = 0;
  }
  return span->packets > 0 || has_room_for_burst(stream);
}

// Writes the record of a packet where there is room for it and for `more` bytes behind it. Returns it; NULL when there
// is no room.
static inline __attribute__((always_inline)) uint8_t *record_one(struct stream *stream, struct span *span,
                                                                 const struct rte_mbuf *packet, uint32_t more) {
  const uint32_t caplen = record_caplen(&stream->kind, packet);
  const uint32_t bytes = record_bytes(&stream->kind, packet, caplen) + more;
  stream->accepted++;
  if (!make_room(stream, span, bytes)) {
    stream->full++;
    stream->unmarked++;
    return NULL;
  }
  uint8_t *const record = stream->data + (uint64_t)stream->segment * stream->segment_bytes + stream->used;
  record_write(&stream->kind, span->time, packet, caplen, record);
  stream->used += bytes;
  span->packets++;
  span->packet_bytes += caplen;
  return record;
}

// Records the first of the selected packets for which there is room, which tells how many were lost before it. Returns
// those that are left.
static __attribute__((cold, noinline)) uint64_t record_behind_gap(struct stream *stream, struct span *span,
                                                                  struct rte_mbuf **packets, uint64_t selected) {
  const uint32_t more = stream->kind.format == DPCAP_AGENT_PCAPNG ? EPB_OPTION_BYTES : 0;
  for (; selected != 0 && stream->unmarked != 0; selected &= selected - 1) {
    const uint64_t lost = stream->unmarked;
    uint8_t *const record = record_one(stream, span, packets[__builtin_ctzll(selected)], more);
    if (record == NULL) continue;
    if (more != 0) epb_add_lost(record, lost);
    stream->unmarked = 0;
  }
  return selected;
}

void stream_use(struct stream *stream, const struct memory *memory, uint32_t lanes, uint32_t lane) {
  stream->segment_flags = memory->control;
  stream->data = memory->data;
  stream->segments = memory->segments;
  stream->segment_bytes = memory->segment_bytes;
  stream->shared = memory_lane(memory, lane);
  stream->bursts = memory_bursts(memory, lanes, lane);
  stream->burst_mask = memory->bursts - 1;
}

// Sequentially consistent, as the lane's flags are: a thread that still finds the old filter is seen to be inside.
void stream_set_filter(struct stream *stream, const struct filter *filter) {
  __atomic_store_n(&stream->filter, filter, __ATOMIC_SEQ_CST);
}

// Flattened: records are written in two places, so that the compiler would call what writes them, which costs a record
// of pcapng a quarter more instructions (222 instead of 180, 64 B, gcc 12).
__attribute__((flatten)) void stream_take(struct stream *stream, struct rte_mbuf **packets, uint16_t count,
                                          struct clock_time time) {
  struct span span = {
      record_time(&stream->kind, time.wall_ns), time.steady_ns, time.wall_ns, stream->used, 0, 0, false};
  const struct filter *const filter = __atomic_load_n(&stream->filter, __ATOMIC_SEQ_CST);
  for (uint32_t first = 0; first < count; first += CHUNK) {
    const uint16_t some = count - first < CHUNK ? (uint16_t)(count - first) : CHUNK;
    uint64_t selected = filter_run(filter, packets + first, some);
    stream->filtered += some - (unsigned int)__builtin_popcountll(selected);
    if (unlikely(stream->unmarked != 0)) selected = record_behind_gap(stream, &span, packets + first, selected);
    for (; selected != 0; selected &= selected - 1)
      record_one(stream, &span, packets[first + __builtin_ctzll(selected)], 0);
  }
  publish(stream, &span);
  __atomic_store_n(&stream->shared->accepted, stream->accepted, __ATOMIC_RELAXED);
  __atomic_store_n(&stream->shared->filtered, stream->filtered, __ATOMIC_RELAXED);
  __atomic_store_n(&stream->shared->full, stream->full, __ATOMIC_RELAXED);
}
