#include "agent/library/datapath/record.h"

#include <string.h>

#include "agent/library/datapath/packet_bytes.h"
#include "mbuf/epb_flags.h"
#include "record/epb_options.h"

#define PCAP_HEAD_BYTES 16u
#define EPB_HEAD_BYTES 28u
#define EPB_TAIL_BYTES 24u  // flags, queue, end of options, length
#define NS_PER_SECOND UINT64_C(1000000000)

static uint32_t padded(uint32_t size) { return (size + 3) & ~3u; }

struct record_time record_time(const struct record_kind *kind, uint64_t wall_ns) {
  if (kind->format == DPCAP_AGENT_PCAP) {
    const uint32_t fraction = (uint32_t)(wall_ns % NS_PER_SECOND);
    return (struct record_time){(uint32_t)(wall_ns / NS_PER_SECOND), kind->nanoseconds ? fraction : fraction / 1000};
  }
  const uint64_t units = kind->nanoseconds ? wall_ns : wall_ns / 1000;
  return (struct record_time){(uint32_t)(units >> 32), (uint32_t)units};
}

uint32_t record_caplen(const struct record_kind *kind, const struct rte_mbuf *packet) {
  const uint32_t len = packet_length(kind->direction, packet);
  return len < kind->snaplen ? len : kind->snaplen;
}

static bool has_hash(const struct record_kind *kind, const struct rte_mbuf *packet) {
  return epb_has_hash(packet, kind->direction == DPCAP_AGENT_RX);
}

uint32_t record_bytes(const struct record_kind *kind, const struct rte_mbuf *packet, uint32_t caplen) {
  if (kind->format == DPCAP_AGENT_PCAP) return PCAP_HEAD_BYTES + caplen;
  return EPB_HEAD_BYTES + padded(caplen) + (has_hash(kind, packet) ? EPB_OPTION_BYTES : 0) + EPB_TAIL_BYTES;
}

static void write_block(const struct record_kind *kind, struct record_time time, const struct rte_mbuf *packet,
                        uint32_t caplen, uint8_t *out) {
  enum { PACKET_BLOCK = 6, FLAGS = 2 | 4 << 16, QUEUE = 6 | 4 << 16 };
  const uint32_t bytes = record_bytes(kind, packet, caplen);
  const uint32_t flags = kind->direction | epb_offload_flags(packet, kind->direction == DPCAP_AGENT_RX);
  const uint32_t len = packet_length(kind->direction, packet);
  const uint32_t head[7] = {PACKET_BLOCK, bytes, kind->interface, time.first, time.second, caplen, len};
  const uint32_t tail[6] = {FLAGS, flags, QUEUE, kind->queue, 0, bytes};
  memcpy(out, head, sizeof head);
  packet_copy(kind->direction, packet, caplen, out + EPB_HEAD_BYTES);
  memset(out + EPB_HEAD_BYTES + caplen, 0, padded(caplen) - caplen);
  out += EPB_HEAD_BYTES + padded(caplen);
  if (has_hash(kind, packet)) out += epb_write_hash(packet->hash.rss, out);
  memcpy(out, tail, sizeof tail);
}

void record_write(const struct record_kind *kind, struct record_time time, const struct rte_mbuf *packet,
                  uint32_t caplen, uint8_t *out) {
  if (kind->format == DPCAP_AGENT_PCAPNG) return write_block(kind, time, packet, caplen, out);
  const uint32_t len = packet_length(kind->direction, packet);
  const uint32_t head[4] = {time.first, time.second, caplen, len};
  memcpy(out, head, sizeof head);
  packet_copy(kind->direction, packet, caplen, out + PCAP_HEAD_BYTES);
}
