/* The benchmarks' primary: sends packets of a given size on net_null's tx queue, as fast as it can or at a given rate,
 * and says once a second how many. Linked like any application with pkg-config libdpdk, so that Debian's dpdk-dumpcap
 * and dpdk-pdump number mempool handlers as it does and work against it.
 *
 * After the EAL arguments: --rate PPS (0: as fast as possible) --size BYTES --match PERCENT --seconds N --queues N
 * Bursts go to the queues in turn.
 * A packet is UDP to port 9 (matching) or 10. With a rate, its payload begins with the send time, CLOCK_REALTIME in ns,
 * and its number. */
#include <getopt.h>
#include <inttypes.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_pdump.h>
#include <rte_udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BURST 32
#define POOL 4095
#define ROOM 9216
#define HEADERS (RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr))

struct payload {
  uint64_t time_ns;
  uint64_t number;
};

struct options {
  uint64_t rate;
  uint32_t size;
  uint32_t match_percent;
  uint32_t seconds;
  uint16_t queues;
};

static volatile sig_atomic_t stopped;

static void on_signal(int signal) {
  (void)signal;
  stopped = 1;
}

static struct options parse(int argc, char **argv) {
  struct options options = {.rate = 0, .size = 64, .match_percent = 100, .seconds = 3600, .queues = 1};
  static const struct option names[] = {{"rate", 1, NULL, 'r'},    {"size", 1, NULL, 's'},   {"match", 1, NULL, 'm'},
                                        {"seconds", 1, NULL, 't'}, {"queues", 1, NULL, 'q'}, {NULL, 0, NULL, 0}};
  int option;
  while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
    const uint64_t value = optarg ? strtoull(optarg, NULL, 10) : 0;
    if (option == 'r') options.rate = value;
    if (option == 's') options.size = (uint32_t)value;
    if (option == 'm') options.match_percent = (uint32_t)value;
    if (option == 't') options.seconds = (uint32_t)value;
    if (option == 'q') options.queues = (uint16_t)value;
    if (option == '?') exit(2);
  }
  if (options.size < HEADERS + sizeof(struct payload) || options.size > ROOM) {
    fprintf(stderr, "--size must be from %zu to %d\n", HEADERS + sizeof(struct payload), ROOM);
    exit(2);
  }
  if (options.queues == 0) {
    fprintf(stderr, "--queues must be 1 or more\n");
    exit(2);
  }
  return options;
}

static uint16_t open_port(struct rte_mempool *pool, uint16_t queues) {
  uint16_t port;
  const struct rte_eth_conf conf = {0};
  if (rte_eth_dev_get_port_by_name("net_null0", &port) != 0) rte_exit(1, "no port: give --vdev net_null0\n");
  int err = rte_eth_dev_configure(port, queues, queues, &conf);
  for (uint16_t i = 0; i < queues && err == 0; i++) {
    err = rte_eth_rx_queue_setup(port, i, 256, 0, NULL, pool);
    if (err == 0) err = rte_eth_tx_queue_setup(port, i, 256, 0, NULL);
  }
  if (err != 0 || rte_eth_dev_start(port) != 0) rte_exit(1, "cannot set the port up\n");
  return port;
}

/* The i-th packet of the flow mix: `match_percent` of all go to port 9. */
static void fill(struct rte_mbuf *mbuf, const struct options *options, uint32_t i) {
  uint8_t *data = (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)options->size);
  memset(data, 0, options->size);
  struct rte_ether_hdr *ether = (struct rte_ether_hdr *)data;
  struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ether + 1);
  struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
  ether->dst_addr.addr_bytes[0] = ether->src_addr.addr_bytes[0] = 2;
  ether->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
  ip->version_ihl = RTE_IPV4_VHL_DEF;
  ip->total_length = rte_cpu_to_be_16((uint16_t)(options->size - RTE_ETHER_HDR_LEN));
  ip->time_to_live = 64;
  ip->next_proto_id = IPPROTO_UDP;
  ip->src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 1));
  ip->dst_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 2));
  udp->src_port = rte_cpu_to_be_16((uint16_t)(1024 + i));
  udp->dst_port = rte_cpu_to_be_16(i % 100 < options->match_percent ? 9 : 10);
  udp->dgram_len = rte_cpu_to_be_16((uint16_t)(options->size - RTE_ETHER_HDR_LEN - sizeof *ip));
}

static uint64_t realtime_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void send_until_stopped(uint16_t port, struct rte_mbuf **mbufs, uint32_t count, const struct options *options) {
  const uint64_t hz = rte_get_tsc_hz();
  const uint64_t start = rte_get_tsc_cycles();
  const uint64_t end = start + options->seconds * hz;
  const double ticks_per_burst = options->rate ? (double)hz * BURST / (double)options->rate : 0;
  uint64_t next_report = start + hz, sent = 0, reported = 0, bursts = 0;
  uint32_t at = 0;
  uint16_t queue = 0;
  while (!stopped) {
    const uint64_t now = rte_get_tsc_cycles();
    if (now >= end) break;
    if (now >= next_report) {
      printf("sent %" PRIu64 " total %" PRIu64 "\n", sent - reported, sent);
      fflush(stdout);
      reported = sent;
      next_report += hz;
    }
    if (options->rate && now < start + (uint64_t)((double)bursts * ticks_per_burst)) {
      rte_pause();
      continue;
    }
    struct rte_mbuf **burst = mbufs + at;
    /* net_null frees what it sends: the extra reference keeps the packet for the next time around. */
    struct payload payload = {options->rate ? realtime_ns() : 0, sent};
    for (uint32_t i = 0; i < BURST; i++, payload.number++) {
      rte_mbuf_refcnt_update(burst[i], 1);
      if (options->rate) memcpy(rte_pktmbuf_mtod_offset(burst[i], void *, HEADERS), &payload, sizeof payload);
    }
    sent += rte_eth_tx_burst(port, queue, burst, BURST);
    bursts++;
    queue = queue + 1 == options->queues ? 0 : queue + 1;
    at = at + BURST == count ? 0 : at + BURST;
  }
  printf("total %" PRIu64 " in %.6f s\n", sent, (double)(rte_get_tsc_cycles() - start) / (double)hz);
}

int main(int argc, char **argv) {
  static struct rte_mbuf *mbufs[3200]; /* a multiple of BURST and of 100 */
  const int used = rte_eal_init(argc, argv);
  if (used < 0) rte_exit(1, "cannot initialise EAL\n");
  const struct options options = parse(argc - used, argv + used);
  if (rte_pdump_init() < 0) rte_exit(1, "cannot initialise pdump\n");

  struct rte_mempool *pool = rte_pktmbuf_pool_create("bench", POOL, 0, 0, ROOM + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
  if (pool == NULL) rte_exit(1, "cannot create the mempool\n");
  const uint16_t port = open_port(pool, options.queues);
  if (rte_pktmbuf_alloc_bulk(pool, mbufs, RTE_DIM(mbufs)) != 0) rte_exit(1, "cannot allocate packets\n");
  for (uint32_t i = 0; i < RTE_DIM(mbufs); i++) fill(mbufs[i], &options, i);

  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  printf("ready\n");
  fflush(stdout);
  send_until_stopped(port, mbufs, RTE_DIM(mbufs), &options);
  rte_pdump_uninit();
  return rte_eal_cleanup() == 0 ? 0 : 1;
}
