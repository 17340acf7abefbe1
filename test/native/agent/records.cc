// The agent's records are those that the engine writes of the same packets.
extern "C" {
#include "agent/library/datapath/record.h"
}

#include <random>
#include <vector>

#include "copies.h"
#include "pdump/reader/mbuf_packet.h"
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
  std::vector<uint8_t> record(record_bytes(&kind, caplen));
  record_write(&kind, record_time(&kind, base.timestamp_ns), mbuf, caplen, record.data());
  return record;
}

}  // namespace

void test_agent_records() {
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
