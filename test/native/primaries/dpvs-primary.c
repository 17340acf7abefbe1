/*
 * A DPDK primary that looks like DPVS from outside, for the live tests: DPVS's command line (its own options, "--",
 * then EAL's), and a pdump server of its own that takes one of the request layouts of dpvs.md 3.2:
 *
 *   112  stock DPDK 21.11 to 26.07
 *   120  DPVS 1.10's patch to DPDK 24.11: a pointer to its own filter before the BPF program
 *   104  DPVS 1.9 on DPDK 20.11: dereferences its filter unchecked, so a request without one kills it
 *
 * Usage: dpvs [-x IPC_FILE] [-l MS] -p LAYOUT -- EAL_OPTIONS. Forwards each port to itself, slowly, until stdin is
 * closed. Prints one line for each request. With -l the first request that does not enable is carried out at once and
 * answered MS late, and those to disable transmitted packets are refused until a byte comes on stdin.
 */
#include <poll.h>
#include <rte_bpf.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_memzone.h>
#include <rte_pcapng.h>
#include <rte_pdump.h>
#include <rte_string_fns.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACTION "mp_pdump"
#define BURST 32
#define IDLE_US 200

enum operation { DISABLE = 1, ENABLE = 2 };
enum version { PLAIN = 1, PCAPNG = 2 };

/* All layouts agree up to mp. */
struct request {
  uint16_t ver;
  uint16_t op;
  uint32_t flags;
  char device[RTE_DEV_NAME_MAX_LEN];
  uint16_t queue;
  struct rte_ring *ring;
  struct rte_mempool *mp;
  union {
    struct {
      const struct rte_bpf_prm *prm;
      uint32_t snaplen;
    } stock;
    struct {
      const void *filter0;
      const struct rte_bpf_prm *prm;
      uint32_t snaplen;
    } dpvs;
    struct {
      const void *filter;
    } old;
  };
};
_Static_assert(sizeof(struct request) == 120, "the longest of the layouts");
_Static_assert(offsetof(struct request, stock.snaplen) == 104, "stock");
_Static_assert(offsetof(struct request, dpvs.snaplen) == 112, "DPVS 1.10");
_Static_assert(offsetof(struct request, old.filter) == 96, "20.11");

struct response {
  uint16_t ver;
  uint16_t res_op;
  int32_t err_value;
};

struct stats_zone {
  struct rte_pdump_stats rx[RTE_MAX_ETHPORTS][RTE_MAX_QUEUES_PER_PORT];
  struct rte_pdump_stats tx[RTE_MAX_ETHPORTS][RTE_MAX_QUEUES_PER_PORT];
};

struct tap {
  const struct rte_eth_rxtx_callback *callback;
  struct rte_ring *ring;
  struct rte_mempool *mp;
  struct rte_bpf *bpf;
  struct rte_pdump_stats *stats;
  uint16_t ver;
  uint32_t snaplen;
  enum rte_pcapng_direction direction;
};

static int layout;
static int late_ms;
static bool refusing;
static struct stats_zone *stats;
static struct tap taps[2][RTE_MAX_ETHPORTS][4];

/* Runs in the polling thread. Filters, copies and enqueues as librte_pdump does. */
static void copy_burst(uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t count, struct tap *tap) {
  uint64_t verdicts[BURST];
  struct rte_mbuf *copies[BURST];
  unsigned int made = 0;

  if (tap->bpf) rte_bpf_exec_burst(tap->bpf, (void **)pkts, verdicts, count);
  for (uint16_t i = 0; i < count; i++) {
    if (tap->bpf && verdicts[i] == 0) {
      tap->stats->filtered++;
      continue;
    }
    copies[made] = tap->ver == PCAPNG ? rte_pcapng_copy(port, queue, pkts[i], tap->mp, tap->snaplen,
                                                        rte_get_tsc_cycles(), tap->direction)
                                      : rte_pktmbuf_copy(pkts[i], tap->mp, 0, tap->snaplen);
    if (copies[made])
      made++;
    else
      tap->stats->nombuf++;
  }
  tap->stats->accepted += made;
  unsigned int sent = rte_ring_enqueue_burst(tap->ring, (void **)copies, made, NULL);
  if (sent < made) {
    tap->stats->ringfull += made - sent;
    rte_pktmbuf_free_bulk(&copies[sent], made - sent);
  }
}

static uint16_t on_rx(uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t count, uint16_t room, void *tap) {
  (void)room;
  copy_burst(port, queue, pkts, count, tap);
  return count;
}

static uint16_t on_tx(uint16_t port, uint16_t queue, struct rte_mbuf **pkts, uint16_t count, void *tap) {
  copy_burst(port, queue, pkts, count, tap);
  return count;
}

static int enable(struct tap *tap, const struct request *request, bool rx, uint16_t port) {
  const struct rte_bpf_prm *prm = layout == 120 ? request->dpvs.prm : request->stock.prm;

  if (tap->callback) return -EEXIST;
  tap->bpf = NULL;
  if (prm) {
    if (prm->prog_arg.type != RTE_BPF_ARG_PTR_MBUF) return -EINVAL;
    tap->bpf = rte_bpf_load(prm);
    if (!tap->bpf) return -rte_errno;
  }
  tap->ring = request->ring;
  tap->mp = request->mp;
  tap->ver = request->ver;
  tap->snaplen = layout == 120 ? request->dpvs.snaplen : request->stock.snaplen;
  tap->direction = rx ? RTE_PCAPNG_DIRECTION_IN : RTE_PCAPNG_DIRECTION_OUT;
  tap->stats = rx ? &stats->rx[port][request->queue] : &stats->tx[port][request->queue];
  tap->callback = rx ? rte_eth_add_first_rx_callback(port, request->queue, on_rx, tap)
                     : rte_eth_add_tx_callback(port, request->queue, on_tx, tap);
  return tap->callback ? 0 : rte_errno;
}

static int disable(struct tap *tap, const struct request *request, bool rx, uint16_t port) {
  if (!tap->callback) return -EINVAL;
  if (!rx && __atomic_load_n(&refusing, __ATOMIC_RELAXED)) return -EBUSY;
  int ret = rx ? rte_eth_remove_rx_callback(port, request->queue, tap->callback)
               : rte_eth_remove_tx_callback(port, request->queue, tap->callback);
  if (ret == 0) tap->callback = NULL;
  return ret;
}

static int carry_out(const struct request *request) {
  uint16_t port;
  int ret = 0;

  /* 20.11 checks no version, and its patched callback looks at the filter of the first packet. */
  if (layout == 104 && request->op == ENABLE && request->old.filter == NULL) abort();
  if (layout != 104 && request->ver != PLAIN && request->ver != PCAPNG) return -EINVAL;
  if (rte_eth_dev_get_port_by_name(request->device, &port) < 0) return -EINVAL;
  if (layout == 104 || request->queue >= RTE_DIM(taps[0][0])) return -EINVAL;
  for (int tx = 0; tx < 2 && ret == 0; tx++) {
    struct tap *tap = &taps[tx][port][request->queue];
    if (!(request->flags & (tx ? RTE_PDUMP_FLAG_TX : RTE_PDUMP_FLAG_RX))) continue;
    ret = request->op == ENABLE ? enable(tap, request, !tx, port) : disable(tap, request, !tx, port);
  }
  return ret;
}

/* Runs in EAL's IPC thread. The length is looked at first; only when it is right do ver and op go into the answer. */
static int serve(const struct rte_mp_msg *message, const void *peer) {
  static struct response leftovers; /* in the place of the real one's stack */
  struct response response = leftovers;
  struct request request;
  struct rte_mp_msg answer;

  memset(&request, 0, sizeof request);
  memset(&answer, 0, sizeof answer);
  if (message->len_param != layout) {
    response.err_value = -EINVAL;
  } else {
    memcpy(&request, message->param, layout);
    response.ver = request.ver;
    response.res_op = request.op;
    response.err_value = carry_out(&request);
  }
  leftovers = response;
  rte_strscpy(answer.name, ACTION, sizeof answer.name);
  answer.len_param = sizeof response;
  memcpy(answer.param, &response, sizeof response);
  printf("request len=%d ver=%u op=%u filter0=%s result=%d\n", message->len_param, request.ver, request.op,
         layout != 120 || request.dpvs.filter0 == NULL ? "empty" : "set", response.err_value);
  fflush(stdout);
  if (request.op != ENABLE && late_ms != 0) {
    usleep(late_ms * 1000);
    late_ms = 0;
  }
  return rte_mp_reply(&answer, peer);
}

static void start_port(uint16_t port, struct rte_mempool *pool) {
  const struct rte_eth_conf conf = {0};

  if (rte_eth_dev_configure(port, 1, 1, &conf) != 0 ||
      rte_eth_rx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL, pool) != 0 ||
      rte_eth_tx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL) != 0 || rte_eth_dev_start(port) != 0)
    rte_exit(EXIT_FAILURE, "cannot start port %u\n", port);
}

static void forward(uint16_t port) {
  struct rte_mbuf *pkts[BURST];
  uint16_t got = rte_eth_rx_burst(port, 0, pkts, BURST);
  uint16_t sent = rte_eth_tx_burst(port, 0, pkts, got);

  if (sent < got) rte_pktmbuf_free_bulk(&pkts[sent], got - sent);
}

static bool stdin_is_open(void) {
  struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
  char byte;

  if (poll(&in, 1, 0) == 0) return true;
  __atomic_store_n(&refusing, false, __ATOMIC_RELAXED);
  return read(STDIN_FILENO, &byte, 1) > 0;
}

int main(int argc, char **argv) {
  const struct rte_memzone *zone;
  struct rte_mempool *pool;
  uint16_t port;
  int option;

  while ((option = getopt(argc, argv, "+x:p:l:")) != -1) {
    if (option == 'p') layout = atoi(optarg);
    if (option == 'l') late_ms = atoi(optarg);
  }
  if (layout != 104 && layout != 112 && layout != 120) rte_exit(EXIT_FAILURE, "-p must be 104, 112 or 120\n");
  refusing = late_ms != 0;
  argv[optind - 1] = argv[0];
  if (rte_eal_init(argc - optind + 1, argv + optind - 1) < 0)
    rte_exit(EXIT_FAILURE, "rte_eal_init: %s\n", rte_strerror(rte_errno));

  pool = rte_pktmbuf_pool_create("mbufs", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  zone = rte_memzone_reserve("rte_pdump_stats", sizeof(*stats), SOCKET_ID_ANY, 0);
  if (!pool || !zone) rte_exit(EXIT_FAILURE, "no memory: %s\n", rte_strerror(rte_errno));
  stats = zone->addr;
  memset(stats, 0, sizeof(*stats));
  RTE_ETH_FOREACH_DEV(port)
  start_port(port, pool);
  if (rte_mp_action_register(ACTION, serve) < 0)
    rte_exit(EXIT_FAILURE, "rte_mp_action_register: %s\n", rte_strerror(rte_errno));
  printf("ready\n");
  fflush(stdout);

  while (stdin_is_open()) {
    RTE_ETH_FOREACH_DEV(port)
    forward(port);
    usleep(IDLE_US);
  }
  RTE_ETH_FOREACH_DEV(port) {
    rte_eth_dev_stop(port);
    rte_eth_dev_close(port);
  }
  return rte_eal_cleanup();
}
