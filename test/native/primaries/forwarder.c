/*
 * A forwarder as DPDK's examples are: one loop, rte_eth_tx_buffer, ports 0 and 1 forwarded to each other; it knows
 * nothing of pdump, and has no librte_bpf. WITH_AGENT it is linked with dpcap's agent. Usage: EAL_OPTIONS. Prints
 * "ready", and ends when its standard input is closed; with "x" there it calls exit() at once. With "f" and "e" it
 * makes a child, which waits, or which becomes sleep(1), and prints "child PID". With "g" it prints "gap US": the
 * longest time between two rounds of its loop since it was asked before.
 */
#include <poll.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifdef WITH_AGENT
#include "dpcap_agent.h"
#endif

#define BURST 32
#define IDLE_US 20

static struct rte_eth_dev_tx_buffer *buffers[2];

static void start_port(uint16_t port, struct rte_mempool *pool) {
  const struct rte_eth_conf conf = {0};

  buffers[port] = rte_zmalloc(NULL, RTE_ETH_TX_BUFFER_SIZE(BURST), 0);
  if (buffers[port] == NULL || rte_eth_tx_buffer_init(buffers[port], BURST) != 0 ||
      rte_eth_dev_configure(port, 1, 1, &conf) != 0 ||
      rte_eth_rx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL, pool) != 0 ||
      rte_eth_tx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL) != 0 || rte_eth_dev_start(port) != 0 ||
      rte_eth_promiscuous_enable(port) != 0)
    rte_exit(EXIT_FAILURE, "cannot start port %u\n", port);
}

/* Returns how many packets it found. */
static uint16_t forward(uint16_t port) {
  struct rte_mbuf *pkts[BURST];
  const uint16_t to = port ^ 1;
  const uint16_t got = rte_eth_rx_burst(port, 0, pkts, BURST);

  for (uint16_t i = 0; i < got; i++) rte_eth_tx_buffer(to, 0, buffers[to], pkts[i]);
  rte_eth_tx_buffer_flush(to, 0, buffers[to]);
  return got;
}

static void make_child(char kind) {
  const pid_t pid = fork();

  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (kind == 'e') execlp("sleep", "sleep", "1000", NULL);
    pause();
    _exit(1);
  }
  printf("child %d\n", pid);
  fflush(stdout);
}

static uint64_t last_round, longest_gap; /* cycles of the TSC */

static void note_round(void) {
  const uint64_t now = rte_rdtsc();

  if (last_round != 0 && now - last_round > longest_gap) longest_gap = now - last_round;
  last_round = now;
}

/* Printing takes longer than a round: it is left out. */
static void tell_gap(void) {
  printf("gap %.0f\n", (double)longest_gap * US_PER_S / (double)rte_get_tsc_hz());
  fflush(stdout);
  longest_gap = 0;
  last_round = 0;
}

static bool stdin_is_open(void) {
  struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
  char byte;

  if (poll(&in, 1, 0) == 0) return true;
  if (read(STDIN_FILENO, &byte, 1) <= 0) return false;
  if (byte == 'f' || byte == 'e') make_child(byte);
  if (byte == 'g') tell_gap();
  if (byte == 'x') exit(0);
  return true;
}

int main(int argc, char **argv) {
  struct rte_mempool *pool;

#ifdef WITH_AGENT
  if (dpcap_agent_start() != 0) rte_exit(EXIT_FAILURE, "the agent does not start\n");
#endif
  if (rte_eal_init(argc, argv) < 0) rte_exit(EXIT_FAILURE, "rte_eal_init: %s\n", rte_strerror(rte_errno));
  pool = rte_pktmbuf_pool_create("mbufs", 8191, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  if (pool == NULL || rte_eth_dev_count_avail() != 2) rte_exit(EXIT_FAILURE, "no memory, or not two ports\n");
  for (uint16_t port = 0; port < 2; port++) start_port(port, pool);
  printf("ready\n");
  fflush(stdout);
  while (stdin_is_open()) {
    note_round();
    if (forward(0) + forward(1) == 0) usleep(IDLE_US);
  }
  for (uint16_t port = 0; port < 2; port++) {
    rte_eth_dev_stop(port);
    rte_eth_dev_close(port);
  }
  return rte_eal_cleanup();
}
