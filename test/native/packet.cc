#include "core/packet.h"

#include "copies.h"
#include "tap.h"

using namespace dpcap;

namespace {

std::vector<uint8_t> copied(const Packet& packet) {
  std::vector<uint8_t> out(packet.caplen);
  copy_packet(packet, out.data());
  return out;
}

void stamped_copies() {
  const auto payload = numbered(20);
  const auto block = stamped(payload, 1000);
  for (const size_t segment : {100, 30, 28}) {
    Chain chain(block, segment);
    const Packet packet = read_packet(chain.head(), CopyMode::stamped, Direction::rx, 262144);
    CHECK(packet.caplen == 20 && packet.len == 1000 && copied(packet) == payload);
  }
  Chain chain(block, 100);
  CHECK(stamp_of(chain.head()) == (1ull << 32 | 2));
  // A tag that was put back by the primary counts in the length; the snaplen holds all the same.
  chain.head()->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED;
  CHECK(read_packet(chain.head(), CopyMode::stamped, Direction::rx, 262144).len == 1004);
  CHECK(read_packet(chain.head(), CopyMode::stamped, Direction::rx, 10).caplen == 10);
  // Lengths in shared memory are not trusted.
  const uint32_t huge = 1'000'000;
  memcpy(rte_pktmbuf_mtod_offset(chain.head(), uint8_t*, 20), &huge, 4);
  CHECK(read_packet(chain.head(), CopyMode::stamped, Direction::rx, 262144).caplen <= 40);
}

void plain_copies() {
  const auto bytes = numbered(64);
  for (const size_t segment : {64, 13, 12, 5}) {
    Chain chain(bytes, segment);
    const Packet whole = read_packet(chain.head(), CopyMode::plain, Direction::rx, 262144);
    CHECK(whole.caplen == 64 && whole.len == 64 && copied(whole) == bytes);

    chain.head()->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED;
    chain.head()->vlan_tci = 0x0064;
    chain.head()->vlan_tci_outer = 0x00c8;
    const Packet tagged = read_packet(chain.head(), CopyMode::plain, Direction::rx, 262144);
    auto expected = bytes;
    const uint8_t tags[] = {0x88, 0xa8, 0x00, 0xc8, 0x81, 0x00, 0x00, 0x64};
    expected.insert(expected.begin() + 12, std::begin(tags), std::end(tags));
    CHECK(tagged.caplen == 72 && tagged.len == 72 && copied(tagged) == expected);
    // On transmit other flags say that a tag is to be inserted.
    CHECK(read_packet(chain.head(), CopyMode::plain, Direction::tx, 262144).caplen == 64);
    for (uint32_t snaplen = 1; snaplen < 72; snaplen++) {
      const Packet cut = read_packet(chain.head(), CopyMode::plain, Direction::rx, snaplen);
      if (cut.caplen != snaplen || !std::equal(expected.begin(), expected.begin() + snaplen, copied(cut).begin())) {
        CHECK(!"a cut packet is a prefix of the whole one");
      }
    }
  }
}

}  // namespace

void test_packet() {
  stamped_copies();
  plain_copies();
}
