#include "pdump/request.h"

#include <rte_config.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_string_fns.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <random>

#include "primary/release.h"

namespace dpcap {
namespace {

constexpr char kAction[] = "mp_pdump";

enum class Layout { stock, dpvs };

Layout expected_layout = Layout::stock;  // written before the first request

// The request of 21.11 to 26.07 (lib/pdump/rte_pdump.c).
struct StockRequest {
  uint16_t ver;
  uint16_t op;
  uint32_t flags;
  char device[RTE_DEV_NAME_MAX_LEN];
  uint16_t queue;
  rte_ring* ring;
  rte_mempool* mp;
  const rte_bpf_prm* prm;
  uint32_t snaplen;
};
static_assert(sizeof(StockRequest) == kPdumpRequestBytes && offsetof(StockRequest, ring) == 80,
              "wire layout of mp_pdump");

// The request of DPDK 24.11 as patched by DPVS 1.10 (its patch/dpdk-24.11/0001-pdump-add-cmdline-packet-filters...). It
// has a pointer to DPVS's own filter in the middle.
struct DpvsRequest {
  uint16_t ver;
  uint16_t op;
  uint32_t flags;
  char device[RTE_DEV_NAME_MAX_LEN];
  uint16_t queue;
  rte_ring* ring;
  rte_mempool* mp;
  const void* filter0;
  const rte_bpf_prm* prm;
  uint32_t snaplen;
};
static_assert(sizeof(DpvsRequest) == 120 && offsetof(DpvsRequest, prm) == 104, "wire layout of DPVS's mp_pdump");

// The 104-byte request of 20.11 is left out on purpose: DPVS 1.9 crashes on one without a filter structure, and without
// BPF and snaplen there is nothing to gain. The server refuses any length but its own.

struct Response {
  uint16_t ver;
  uint16_t res_op;
  int32_t err_value;
};
static_assert(sizeof(Response) == 8, "wire layout of mp_pdump's reply");

template <typename Wire>
Wire common_fields(const PdumpRequest& request) {
  Wire wire;
  memset(&wire, 0, sizeof wire);
  wire.ver = request.ver;
  wire.op = request.op;
  wire.flags = request.flags;
  rte_strscpy(wire.device, request.device.c_str(), sizeof wire.device);
  wire.queue = request.queue;
  wire.ring = request.ring;
  wire.mp = request.pool;
  wire.prm = request.program;
  wire.snaplen = request.snaplen;
  return wire;
}

// DPVS's filter0 stays NULL: it is optional from 1.10 on, its packets are in no counter, and it damages short first
// segments (dpvs.md 3.7). dpcap's filters are BPF.
void write_request(const PdumpRequest& request, Layout layout, rte_mp_msg& message) {
  const auto write = [&](const auto& wire) {
    message.len_param = sizeof wire;
    memcpy(message.param, &wire, sizeof wire);
  };
  if (layout == Layout::dpvs) {
    write(common_fields<DpvsRequest>(request));
  } else {
    write(common_fields<StockRequest>(request));
  }
}

// The only place that knows the sign of the server's error. The server answers 0 or a negative errno, but a failed
// callback registration passes a positive rte_errno through (all releases to 26.07). librte_pdump's own wrapper changed
// its sign in 23.11; dpcap talks to the server and is not concerned.
int positive_errno(int32_t err_value) { return err_value < 0 ? -err_value : err_value; }

// What is known about this process's only primary. Several captures of this process may ask, each with the lock held:
// EAL takes the answer to one request of this action for that to another.
struct Channel {
  std::mutex one_at_a_time;
  std::optional<Layout> known;
  bool is_behind = false;  // the answer to an earlier request may still come
};
Channel channel;

struct Exchange {
  Reply reply;
  Response response;  // all zero when there is none
};

Exchange exchange(const PdumpRequest& request, Layout layout, int timeout_ms) {
  rte_mp_msg message;
  memset(&message, 0, sizeof message);
  rte_strscpy(message.name, kAction, sizeof message.name);
  write_request(request, layout, message);

  const timespec timeout = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
  struct rte_mp_reply replies;
  memset(&replies, 0, sizeof replies);
  if (rte_mp_request_sync(&message, &replies, &timeout) < 0) {
    const int err = positive_errno(rte_errno);
    free(replies.msgs);
    // When only the answer is missing, the request may still have been carried out. Every other error comes from this
    // process, before the request was sent: it must not be taken for the primary's, whose EEXIST means something else.
    return {{err == ETIMEDOUT ? Outcome::unknown : Outcome::not_sent, err}, {}};
  }
  Exchange result{{Outcome::unknown, ETIMEDOUT}, {}};
  if (replies.nb_received == 1 && replies.msgs[0].len_param >= static_cast<int>(sizeof(Response))) {
    memcpy(&result.response, replies.msgs[0].param, sizeof result.response);
    const int err = positive_errno(result.response.err_value);
    result.reply = {err == 0 ? Outcome::done : Outcome::failed, err};
    // EAL matches answers by action alone. A late answer to an earlier request says nothing about this one.
    if (err == 0 && result.response.res_op != request.op) result.reply = {Outcome::unknown, ETIMEDOUT};
  }
  free(replies.msgs);
  return result;
}

// Makes a request without side effects, because no device has that name and no server that version. `op` and `ver` are
// random values, which only the answer to this request repeats.
PdumpRequest make_probe() {
  static std::random_device random;
  PdumpRequest probe;
  probe.ver = static_cast<uint16_t>(0x7f00 | (random() & 0xff));
  probe.op = static_cast<uint16_t>(0x4000 | (random() & 0x3fff));
  probe.flags = 1;
  probe.device = "dpcap_probe_" + std::to_string(random());
  return probe;
}

bool is_echo(const Exchange& result, const PdumpRequest& probe) {
  return result.response.ver == probe.ver && result.response.res_op == probe.op;
}

// Finds the layout without side effects. The server checks the length first, and copies `ver` and `op` into its answer
// only when the length is right; it then refuses the version, and the device does not exist. Otherwise those fields are
// leftovers of its stack, often the echo of an earlier answer: hence random values (21.11 to 26.07; seen with DPVS
// 1.10.2, dpvs.md 3.3). Sets `failure` when the primary accepts neither layout, or does not answer.
std::optional<Layout> probe_layout(int timeout_ms, Reply& failure) {
  failure = {Outcome::failed, EPROTONOSUPPORT};
  for (const Layout layout : {Layout::stock, Layout::dpvs}) {
    const PdumpRequest probe = make_probe();
    const Exchange result = exchange(probe, layout, timeout_ms);
    if (result.reply.outcome == Outcome::unknown || result.reply.err != EINVAL) {
      failure = result.reply.outcome == Outcome::done ? failure : result.reply;
      return std::nullopt;
    }
    if (is_echo(result, probe)) return layout;
  }
  return std::nullopt;
}

// After a request that was not answered in time, its answer may still come, and would be taken for the answer to the
// next request: an answer carries neither queue nor direction. The primary answers in order, so once it has repeated a
// probe, nothing older is on its way. Returns false when it does not.
bool catch_up(Layout layout, int timeout_ms) {
  constexpr int kTries = 8;  // as many late answers may be on their way
  for (int tries = 0; tries < kTries; tries++) {
    const PdumpRequest probe = make_probe();
    const Exchange result = exchange(probe, layout, timeout_ms);
    if (is_echo(result, probe)) return true;
    if (result.reply.outcome == Outcome::not_sent || result.reply.err == ETIMEDOUT) return false;
  }
  return false;
}

}  // namespace

int answer_ms() { return running_release().forwards_requests ? 8000 : 5000; }

bool primary_answers(int timeout_ms) {
  const std::lock_guard lock(channel.one_at_a_time);
  channel.is_behind = !catch_up(channel.known.value_or(expected_layout), timeout_ms);
  return !channel.is_behind;
}

void expect_dpvs_layout() { expected_layout = Layout::dpvs; }

// Uses the expected layout until another one is proved: a probe makes the primary log an error, which no stock primary
// needs to see. A server of another layout refuses a stock request by its length, with EINVAL and without side effects.
Reply send_pdump_request(const PdumpRequest& request, int timeout_ms) {
  const std::lock_guard lock(channel.one_at_a_time);
  auto& [mutex, known, is_behind] = channel;
  const Layout layout = known.value_or(expected_layout);
  if (is_behind && !catch_up(layout, timeout_ms)) return {Outcome::not_sent, ETIMEDOUT};
  is_behind = false;
  Reply reply = exchange(request, layout, timeout_ms).reply;
  is_behind = reply.outcome == Outcome::unknown;
  if (known || is_behind || reply.outcome == Outcome::not_sent) return reply;
  if (reply.outcome == Outcome::done) {
    known = layout;
    return reply;
  }
  if (reply.err != EINVAL) return reply;

  Reply failure;
  known = probe_layout(timeout_ms, failure);
  is_behind = !known && failure.outcome == Outcome::unknown;
  if (!known) return failure;
  if (*known == layout) return reply;
  reply = exchange(request, *known, timeout_ms).reply;
  is_behind = reply.outcome == Outcome::unknown;
  return reply;
}

}  // namespace dpcap
