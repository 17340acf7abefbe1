// The agent's records are those that the engine writes of the same packets.
extern "C" {
#include "agent/library/datapath/record.h"
}

#include <algorithm>
#include <random>
#include <vector>

#include "copies.h"
#include "mbuf/epb_flags.h"
#include "mbuf/mbuf_packet.h"
#include "record/pcap_format.h"
#include "tap.h"

using namespace dpcap;

namespace {

constexpr uint64_t kTagFlags[] = {0,
                                  RTE_MBUF_F_RX_VLAN_STRIPPED,
                                  RTE_MBUF_F_RX_QINQ_STRIPPED,
                                  RTE_MBUF_F_RX_QINQ_STRIPPED | RTE_MBUF_F_RX_VLAN_STRIPPED,
                                  RTE_MBUF_F_TX_VLAN,
                                  RTE_MBUF_F_TX_QINQ};

std::vector<uint8_t> of_engine(const FileOptions& options, const RecordHead& base, const rte_mbuf* mbuf) {
  const Packet packet = read_packet(mbuf, CopyMode::plain, base.direction, options.snaplen);
  RecordHead head = base;
  head.caplen = packet.caplen;
  head.len = packet.len;
  head.offload_flags = epb_offload_flags(mbuf, base.direction == Direction::rx);
  std::vector<uint8_t> record(record_size(options.format, packet.caplen));
  uint8_t* out = record.data();
  out += write_record_head(options, head, out);
  copy_packet(packet, out);
  out += packet.caplen;
  write_record_tail(options, head, out);
  return record;
}

std::vector<uint8_t> of_agent(const FileOptions& options, const RecordHead& base, const rte_mbuf* mbuf) {
  const record_kind kind{options.format == FileFormat::pcap ? DPCAP_AGENT_PCAP : DPCAP_AGENT_PCAPNG,
                         options.nanoseconds,
                         options.snaplen,
                         static_cast<uint32_t>(base.direction),
                         base.queue,
                         base.interface};
  const uint32_t caplen = record_caplen(&kind, mbuf);
  std::vector<uint8_t> record(record_bytes(&kind, mbuf, caplen));
  record_write(&kind, record_time(&kind, base.timestamp_ns), mbuf, caplen, record.data());
  return record;
}

const FileOptions kPcapng{FileFormat::pcapng, false, 262144};

uint32_t word_at(const std::vector<uint8_t>& record, size_t at) {
  uint32_t word;
  memcpy(&word, &record[at], sizeof word);
  return word;
}

// The word of epb_flags, which is behind the packet's bytes and the option's head.
uint32_t flags_of(uint64_t mbuf_flags, Direction direction) {
  Chain chain(numbered(60), 60, 64);
  chain.head()->ol_flags = mbuf_flags;
  const RecordHead head{1'500'000'123'456'789, 0, 0, 0, 0, direction};
  const std::vector<uint8_t> record = of_agent(kPcapng, head, chain.head());
  CHECK(record == of_engine(kPcapng, head, chain.head()));
  return word_at(record, kEpbHeadBytes + 60 + 4);
}

void test_offload_flags() {
  CHECK(flags_of(0, Direction::rx) == 1);
  CHECK(flags_of(RTE_MBUF_F_RX_L4_CKSUM_GOOD, Direction::rx) == (1 | 1u << 10));
  CHECK(flags_of(RTE_MBUF_F_RX_L4_CKSUM_NONE, Direction::rx) == 1);  // both bits of the mask
  CHECK(flags_of(RTE_MBUF_F_RX_L4_CKSUM_BAD, Direction::rx) == 1);
  CHECK(flags_of(0, Direction::tx) == 2);
  CHECK(flags_of(RTE_MBUF_F_TX_UDP_CKSUM, Direction::tx) == (2 | 1u << 9));
  CHECK(flags_of(RTE_MBUF_F_TX_IP_CKSUM, Direction::tx) == (2 | 1u << 9));
  CHECK(flags_of(RTE_MBUF_F_TX_TCP_SEG, Direction::tx) == (2 | 1u << 9 | 1u << 11));
}

void test_hash() {
  Chain chain(numbered(61), 61, 64);
  rte_mbuf* const mbuf = chain.head();
  mbuf->ol_flags = RTE_MBUF_F_RX_RSS_HASH;
  mbuf->hash.rss = 0x01020304;
  const RecordHead head{1'500'000'123'456'789, 0, 0, 0, 0, Direction::rx};
  const std::vector<uint8_t> record = of_agent(kPcapng, head, mbuf);
  const size_t options = kEpbHeadBytes + 64;
  const std::vector<uint8_t> expected{3, 0, 5, 0, 5, 1, 2, 3, 4, 0, 0, 0};
  CHECK(record.size() == options + expected.size() + kEpbTailBytes);
  CHECK(stored_record_size(FileFormat::pcapng, record.data()) == record.size());
  CHECK(word_at(record, record.size() - 4) == record.size());
  CHECK(std::equal(expected.begin(), expected.end(), record.begin() + options));
  const RecordHead sent{1'500'000'123'456'789, 0, 0, 0, 0, Direction::tx};
  CHECK(of_agent(kPcapng, sent, mbuf) == of_engine(kPcapng, sent, mbuf));
}

}  // namespace

void test_agent_records() {
  test_offload_flags();
  test_hash();
  std::mt19937 random(7);
  const auto upto = [&](uint32_t most) { return static_cast<uint32_t>(random() % (most + 1)); };
  bool all_equal = true;
  for (int i = 0; i < 20000 && all_equal; i++) {
    const FileOptions options{upto(1) == 0 ? FileFormat::pcap : FileFormat::pcapng, upto(1) == 0,
                              upto(2) == 0 ? 1 + upto(100) : 262144};
    Chain chain(numbered(14 + upto(upto(3) == 0 ? 9000 : 100)), 1 + upto(3000), 64);
    rte_mbuf* const mbuf = chain.head();
    mbuf->ol_flags = kTagFlags[upto(5)];
    mbuf->vlan_tci = static_cast<uint16_t>(random());
    mbuf->vlan_tci_outer = static_cast<uint16_t>(random());
    const RecordHead head{
        1'500'000'123'456'789 + random(), 0, 0, upto(7), upto(63), upto(1) == 0 ? Direction::rx : Direction::tx};
    all_equal = of_agent(options, head, mbuf) == of_engine(options, head, mbuf);
  }
  CHECK(all_equal);
}
