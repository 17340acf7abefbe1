/*
 * A plain DPDK secondary process, for the live tests: it joins a primary and does nothing, as monitoring tools do. On
 * request it holds one of EAL's locks in shared memory, or takes a queue over from another capture.
 *
 * Usage: dpdk-secondary FILE_PREFIX [pdump]. Prints "ready", then carries out commands from stdin, one a line, and
 * answers each with one line; it leaves in order when stdin is closed.
 *
 *   lock NAME | unlock NAME   memory (hot-plug), tailq (memzones, rings), mempool
 *   take PORT                 disables the pdump callback of the port's queue 0 rx, and enables one of its own
 *   release PORT              disables that again; the answer says whether there was one
 *   count PORT                packets that the pdump callback of queue 0 rx has seen
 */
#include <rte_eal.h>
#include <rte_eal_memconfig.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_pdump.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
  const char *name;
  void (*lock)(void);
  void (*unlock)(void);
} locks[] = {
    {"memory", rte_mcfg_mem_write_lock, rte_mcfg_mem_write_unlock},
    {"tailq", rte_mcfg_tailq_write_lock, rte_mcfg_tailq_write_unlock},
    {"mempool", rte_mcfg_mempool_write_lock, rte_mcfg_mempool_write_unlock},
};

static int set_lock(const char *name, bool held) {
  for (unsigned int i = 0; i < RTE_DIM(locks); i++) {
    if (strcmp(locks[i].name, name) != 0) continue;
    (held ? locks[i].lock : locks[i].unlock)();
    return 0;
  }
  return -EINVAL;
}

static void take_first(struct rte_mempool *pool, void *found) {
  if (*(struct rte_mempool **)found == NULL) *(struct rte_mempool **)found = pool;
}

/* Copies go into a mempool of the primary, because handlers are numbered by each process for itself. Nobody takes them
 * out of the ring: it is small, and what it holds is lost to the primary. */
static int take(uint16_t port) {
  struct rte_mempool *pool = NULL;
  struct rte_ring *ring = rte_ring_lookup("taken");

  rte_mempool_walk(take_first, &pool);
  if (ring == NULL) ring = rte_ring_create("taken", 8, SOCKET_ID_ANY, 0);
  if (pool == NULL || ring == NULL) return -ENOENT;
  rte_pdump_disable(port, 0, RTE_PDUMP_FLAG_RX);
  return rte_pdump_enable(port, 0, RTE_PDUMP_FLAG_RX, ring, pool, NULL) == 0 ? 0 : -rte_errno;
}

static int release(uint16_t port) {
  int ret = rte_pdump_disable(port, 0, RTE_PDUMP_FLAG_RX) == 0 ? 0 : -rte_errno;

  rte_ring_free(rte_ring_lookup("taken"));
  return ret;
}

static uint64_t count(uint16_t port) {
  struct rte_pdump_stats stats = {0};

  rte_pdump_stats(port, &stats);
  return stats.accepted + stats.filtered + stats.nombuf;
}

static void answer(const char *verb, const char *subject) {
  if (strcmp(verb, "lock") == 0 || strcmp(verb, "unlock") == 0)
    printf("%s %s %d\n", verb, subject, set_lock(subject, verb[0] == 'l'));
  else if (strcmp(verb, "take") == 0)
    printf("take %s %d\n", subject, take(atoi(subject)));
  else if (strcmp(verb, "release") == 0)
    printf("release %s %d\n", subject, release(atoi(subject)));
  else if (strcmp(verb, "count") == 0)
    printf("count %s %" PRIu64 "\n", subject, count(atoi(subject)));
  else
    printf("unknown command %s\n", verb);
}

int main(int argc, char **argv) {
  char prefix[64], line[128], verb[16], subject[16];
  char *eal[] = {argv[0], "--proc-type=secondary", "--no-pci", "-l", "0", "--file-prefix", prefix, NULL};

  if (argc < 2 || snprintf(prefix, sizeof prefix, "%s", argv[1]) >= (int)sizeof prefix)
    rte_exit(EXIT_FAILURE, "usage: %s FILE_PREFIX [pdump]\n", argv[0]);
  if (rte_eal_init(RTE_DIM(eal) - 1, eal) < 0) rte_exit(EXIT_FAILURE, "rte_eal_init: %s\n", rte_strerror(rte_errno));
  /* From 25.11 on a secondary must say that it takes part; before, the call fails here, and means nothing. */
  if (argc > 2 && rte_pdump_init() < 0) fprintf(stderr, "rte_pdump_init: %s\n", rte_strerror(rte_errno));
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  printf("ready\n");
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (sscanf(line, "%15s %15s", verb, subject) == 2) answer(verb, subject);
  }
  return rte_eal_cleanup();
}
