#include "mbuf/mbuf_packet.h"

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

// RTE_MBUF_F_TX_QINQ stands for two tags, with RTE_MBUF_F_TX_VLAN beside it or not.
void double_tags_on_transmit() {
  const auto bytes = numbered(64);
  auto wire = bytes;
  const uint8_t tags[] = {0x88, 0xa8, 0x00, 0xc8, 0x81, 0x00, 0x00, 0x64};
  wire.insert(wire.begin() + 12, std::begin(tags), std::end(tags));
  const auto mark = [](Chain& chain, uint64_t flags) {
    chain.head()->ol_flags = flags;
    chain.head()->vlan_tci = 0x0064;
    chain.head()->vlan_tci_outer = 0x00c8;
  };
  for (const uint64_t flags : {RTE_MBUF_F_TX_QINQ, RTE_MBUF_F_TX_QINQ | RTE_MBUF_F_TX_VLAN}) {
    Chain plain(bytes, 13);
    mark(plain, flags);
    const Packet packet = read_packet(plain.head(), CopyMode::plain, Direction::tx, 262144);
    CHECK(packet.len == 72 && copied(packet) == wire);

    // rte_pcapng_copy has put in one tag for each flag.
    auto stamped_bytes = wire;
    if ((flags & RTE_MBUF_F_TX_VLAN) == 0) stamped_bytes.erase(stamped_bytes.begin() + 16, stamped_bytes.begin() + 20);
    for (const size_t segment : {200, 41}) {
      Chain chain(stamped(stamped_bytes, 64), segment);
      mark(chain, flags);
      for (uint32_t snaplen = 1; snaplen <= 80; snaplen++) {
        const Packet cut = read_packet(chain.head(), CopyMode::stamped, Direction::tx, snaplen);
        const uint32_t size = std::min(snaplen, 72u);
        if (cut.caplen != size || cut.len != 72 || !std::equal(wire.begin(), wire.begin() + size, copied(cut).begin()))
          CHECK(!"a cut packet is a prefix of the whole one");
      }
      std::vector<uint8_t> flat_bytes;
      const rte_mbuf flat = lay_flat(read_packet(chain.head(), CopyMode::stamped, Direction::tx, 262144), flat_bytes);
      CHECK(flat.pkt_len == 72 && flat_bytes == wire && rte_pktmbuf_mtod(&flat, uint8_t*) == flat_bytes.data());
    }
  }
  // Nothing is put in behind what is not there; on receive the flag means nothing.
  Chain cut(stamped(numbered(15), 60), 200);
  mark(cut, RTE_MBUF_F_TX_QINQ);
  CHECK(read_packet(cut.head(), CopyMode::stamped, Direction::tx, 262144).caplen == 15);
  CHECK(read_packet(cut.head(), CopyMode::stamped, Direction::tx, 262144).len == 68);
  CHECK(read_packet(cut.head(), CopyMode::stamped, Direction::rx, 262144).len == 60);
}

}  // namespace

void test_mbuf_packet() {
  double_tags_on_transmit();
  stamped_copies();
  plain_copies();
}
