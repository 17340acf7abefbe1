/*
 * Makes a primary reserve the memory that a DPDK built with other limits reserves (LD_PRELOAD): such a build has the
 * same version and the same SONAMEs, and there is none among Debian's packages. DPCAP_TEST_LIMITS says which limit is
 * twice what it is here: "ports" (RTE_MAX_ETHPORTS) or "lcores" (RTE_MAX_LCORE). In a secondary, "fewer lcores" makes
 * EAL refuse the last lcore of its headers, as one does that has fewer.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_memzone.h>
#include <rte_pdump.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_COUNTERS (2 * RTE_MAX_ETHPORTS * RTE_MAX_QUEUES_PER_PORT * sizeof(struct rte_pdump_stats))

/* Without its caches, a mempool's header is smaller than those of a single lcore. */
static bool is_header_with_caches(const char *name, size_t len) {
  return strncmp(name, RTE_MEMPOOL_MZ_PREFIX, strlen(RTE_MEMPOOL_MZ_PREFIX)) == 0 &&
         len > RTE_MAX_LCORE * sizeof(struct rte_mempool_cache);
}

static size_t more(const char *name, size_t len) {
  const char *limit = getenv("DPCAP_TEST_LIMITS");
  if (limit == NULL) return 0;
  if (strcmp(limit, "ports") == 0 && strcmp(name, "rte_pdump_stats") == 0) return PORT_COUNTERS;
  if (strcmp(limit, "lcores") == 0 && is_header_with_caches(name, len))
    return RTE_MAX_LCORE * sizeof(struct rte_mempool_cache);
  return 0;
}

const struct rte_memzone *rte_memzone_reserve(const char *name, size_t len, int socket_id, unsigned flags) {
  typedef const struct rte_memzone *(*reserve)(const char *, size_t, int, unsigned);
  const reserve next = (reserve)dlsym(RTLD_NEXT, "rte_memzone_reserve");
  return next(name, len + more(name, len), socket_id, flags);
}

/* dpcap loads libraries so that only its addon sees them: they are not "next". */
int rte_eal_init(int argc, char **argv) {
  typedef int (*init)(int, char **);
  const init next = (init)dlsym(dlopen("librte_eal.so." DPCAP_DPDK_ABI, RTLD_LAZY | RTLD_NOLOAD), "rte_eal_init");
  const char *limit = getenv("DPCAP_TEST_LIMITS");
  char lcores[1024];

  for (int i = 0; limit != NULL && strcmp(limit, "fewer lcores") == 0 && i < argc; i++) {
    const char *cpus = strchr(argv[i], '@');

    if (strncmp(argv[i], "--lcores=", 9) != 0 || cpus == NULL) continue;
    snprintf(lcores, sizeof lcores, "--lcores=%d%s", RTE_MAX_LCORE, cpus);
    argv[i] = lcores;
  }
  return next(argc, argv);
}
