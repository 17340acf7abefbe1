// Mirrors: what their copies are, and that none of the application's mbufs is lost.
extern "C" {
#include "agent/library/mirror/tee.h"
}

#include <vector>

#include "copies.h"
#include "fake_mirroring.h"
#include "tap.h"

namespace {

constexpr uint32_t kFrame = 200;
constexpr uint32_t kCopies = 8;

using Bytes = std::vector<uint8_t>;

// A target that takes as many as it is told to, and remembers their bytes.
struct Target {
  Target() {
    base.send = [](mirror_target* to, const mirror_burst* burst) {
      auto* const self = reinterpret_cast<Target*>(to);
      if (self->is_contended) return mirror_sent{0, true};
      const uint16_t taken = std::min(burst->count, self->room);
      self->shortened = burst->shortened;
      for (uint16_t i = 0; i < taken; i++) {
        const auto* const data = rte_pktmbuf_mtod(burst->packets[i], const uint8_t*);
        self->sent.emplace_back(data, data + burst->packets[i]->data_len);
        self->kept.push_back(burst->packets[i]);
      }
      return mirror_sent{taken, false};
    };
    base.frame_bytes = kFrame;
    CHECK_ALL(copy_pool_make(&base.pool, "test", kCopies, kFrame) == 0);
  }
  ~Target() { copy_pool_free(&base.pool); }
  uint32_t free_copies() const { return fake::available(base.pool.mempool); }

  mirror_target base{};  // comes first
  uint16_t room = 64;
  bool is_contended = false;
  uint64_t shortened = 0;
  std::vector<Bytes> sent;
  std::vector<rte_mbuf*> kept;
};

dpcap_mirror_counters counters_of(const tee& one) {
  dpcap_mirror_counters sum{};
  tee_add_counters(&one, &sum);
  return sum;
}

// Mirrors one burst.
void pass(tee& one, const tee_kind& kind, std::vector<rte_mbuf*> packets, uint32_t direction = DPCAP_AGENT_RX) {
  tee_begin(&one, &kind, nullptr, direction);
  one.tap.take(&one.tap, packets.data(), static_cast<uint16_t>(packets.size()));
}

Bytes part(const Bytes& bytes, size_t from, size_t to) {
  return {bytes.begin() + static_cast<long>(from), bytes.begin() + static_cast<long>(to)};
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& one : parts) all.insert(all.end(), one.begin(), one.end());
  return all;
}

void test_copies() {
  Target target;
  const Bytes bytes = numbered(100);
  Chain whole(bytes, SIZE_MAX), cut(bytes, 17), stripped(bytes, 40), longer(numbered(300), SIZE_MAX);
  stripped.head()->ol_flags = RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_VLAN;
  stripped.head()->vlan_tci = 0x2064;
  tee one;
  pass(one, {&target.base, 1000, false, false, 0, 0}, {whole.head(), cut.head(), stripped.head(), longer.head()});
  const Bytes tag{0x81, 0x00, 0x20, 0x64};
  CHECK(target.sent[0] == bytes && target.sent[1] == bytes);
  CHECK(target.sent[2] == joined({part(bytes, 0, 12), tag, part(bytes, 12, 100)}));
  CHECK(target.sent[3] == part(numbered(300), 0, kFrame));
  const dpcap_mirror_counters counted = counters_of(one);
  CHECK(counted.matched == 4 && counted.copied == 4 && counted.sent == 4 && counted.cut == 1);
  CHECK(target.shortened == 8);
  CHECK(target.free_copies() == kCopies - 4);
}

void test_pushed_tag() {
  Target target;
  const Bytes bytes = numbered(100), tag{0x81, 0x00, 0xa0, 0x64};
  Chain whole(bytes, SIZE_MAX), tiny(numbered(8), SIZE_MAX);
  tee one;
  pass(one, {&target.base, 50, false, true, 0xa064, 0}, {whole.head(), tiny.head()});
  CHECK(target.sent[0] == joined({part(bytes, 0, 12), tag, part(bytes, 12, 50)}));
  CHECK(target.sent[1] == numbered(8));  // no frame: there is no place for a tag in it
  CHECK(counters_of(one).cut == 0 && target.shortened == 1);
}

void test_short_transmit() {
  Target target;
  target.room = 2;
  Chain packet(numbered(60), SIZE_MAX);
  tee one;
  const tee_kind kind{&target.base, 1000, false, false, 0, 0};
  pass(one, kind, std::vector<rte_mbuf*>(5, packet.head()));
  CHECK(counters_of(one).sent == 2 && counters_of(one).refused == 3 && counters_of(one).matched == 5);
  CHECK(target.free_copies() == kCopies - 2);  // the copies that were not taken are back
  CHECK(rte_mbuf_refcnt_read(packet.head()) == 0 && packet.head()->pkt_len == 60);  // the original is as it was
  target.is_contended = true;
  pass(one, kind, std::vector<rte_mbuf*>(3, packet.head()));
  CHECK(counters_of(one).contended == 3 && counters_of(one).copied == 3 && counters_of(one).sent == 0);
  CHECK(target.free_copies() == kCopies - 2);
}

void test_no_mbufs() {
  Target target;
  Chain packet(numbered(60), SIZE_MAX);
  tee one;
  pass(one, {&target.base, 1000, false, false, 0, 0}, std::vector<rte_mbuf*>(kCopies + 70, packet.head()));
  const dpcap_mirror_counters counted = counters_of(one);
  CHECK(counted.sent == kCopies && counted.nombuf == 70 && counted.matched == kCopies + 70);
  CHECK(counted.copied == kCopies && target.free_copies() == 0);
}

// What a driver with MBUF_FAST_FREE frees into the wrong pool is no copy, and does not make up for one.
void test_foreign_mbufs() {
  Target target;
  rte_mempool other{};
  rte_mbuf foreign{};
  foreign.pool = &other;
  rte_mbuf *one = nullptr, *lost = &foreign, *copies[kCopies];
  const auto mix = [&] {
    CHECK(copy_pool_take(&target.base.pool, &one, 1) == 1);
    copy_pool_give(&target.base.pool, &lost, 1);
    CHECK(target.free_copies() == kCopies);
  };
  mix();
  CHECK(!copy_pool_is_whole(&target.base.pool));
  copy_pool_give(&target.base.pool, &one, 1);
  CHECK(copy_pool_is_whole(&target.base.pool));
  mix();
  const uint16_t taken = copy_pool_take(&target.base.pool, copies, kCopies);
  CHECK(taken == kCopies - 1 && std::find(copies, copies + taken, lost) == copies + taken);
}

void test_references() {
  Target target;
  target.room = 1;
  target.base.takes_segments = true;
  Chain first(numbered(100), 40), second(numbered(100), 40);
  for (Chain* chain : {&first, &second}) {
    for (rte_mbuf* one = chain->head(); one != nullptr; one = one->next) rte_mbuf_refcnt_set(one, 1);
  }
  tee one;
  pass(one, {&target.base, DPCAP_MIRROR_MOST_SNAPLEN, true, false, 0, 0}, {first.head(), second.head()});
  CHECK(target.kept.size() == 1 && target.kept[0] == first.head());
  CHECK(rte_mbuf_refcnt_read(first.head()) == 2 && rte_mbuf_refcnt_read(first.head()->next) == 2);
  CHECK(rte_mbuf_refcnt_read(second.head()) == 1 && rte_mbuf_refcnt_read(second.head()->next) == 1);
  CHECK(counters_of(one).refused == 1 && target.free_copies() == kCopies);
}

// The packet itself is neither cut nor joined: what the target's driver does not take as it is, it does not get.
void test_unfit_references() {
  Target target;
  Chain longest(numbered(kFrame), SIZE_MAX), longer(numbered(kFrame + 1), SIZE_MAX), segmented(numbered(100), 40);
  tee one;
  const tee_kind kind{&target.base, DPCAP_MIRROR_MOST_SNAPLEN, true, false, 0, 0};
  pass(one, kind, {longer.head(), longest.head(), segmented.head()});
  CHECK(target.kept.size() == 1 && target.kept[0] == longest.head());
  CHECK(rte_mbuf_refcnt_read(longer.head()) == 0 && rte_mbuf_refcnt_read(segmented.head()) == 0);
  const dpcap_mirror_counters counted = counters_of(one);
  CHECK(counted.matched == 3 && counted.sent == 1 && counted.refused == 2 && counted.copied == 3);
  target.base.takes_segments = true;
  pass(one, kind, {segmented.head()});
  CHECK(counters_of(one).sent == 1);
}

}  // namespace

void test_agent_mirrors() {
  fake::prepare();
  test_copies();
  test_pushed_tag();
  test_short_transmit();
  test_no_mbufs();
  test_foreign_mbufs();
  test_references();
  test_unfit_references();
}
