/*
 * A DPDK primary whose allocator is timed, for test/live/allocator.ts: one lcore does nothing but rte_malloc and
 * rte_free, another forwards every port to itself at full speed.
 *
 * Usage: dpdk-malloc-primary [-n NICE] -- EAL_OPTIONS, with three lcores: the main one, the forwarding one (at NICE,
 * for when it shares a CPU with the third), the allocating one. Prints "ready", then carries out commands from stdin,
 * and answers each with one line: "forward on", "forward off", "reset", "max" (see print_waits), "quit"; "take MIB"
 * allocates so much in one piece, frees it, and says whether there was room.
 *
 * A wait is the wall time of a call without the time for which the thread was ready to run and had no CPU (the second
 * field of schedstat), and without that for which this primary's own thread for messages had none: where lcores use all
 * CPUs, it waits for a time slice of theirs. What is left is work, spinning on a lock, and sleeping for an answer of
 * another process. What a hypervisor or an interrupt takes from the CPU meanwhile is in it as well.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_pdump.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BURST 32
#define SLOTS 256
#define SMALLEST 64
#define SMALL 4096
#define LARGEST 65536
#define ONE_IN_LARGE 8
#define WORTH_A_LOOK_NS 50000

struct moment {
  uint64_t wall_ns;
  uint64_t cpu_ns;
  uint64_t run_delay_ns;
  uint64_t answer_delay_ns;
};

/* schedstat of the thread that allocates, and of this primary's own thread that answers secondaries. */
struct schedstats {
  int own;
  int answering;
};

struct wait {
  uint64_t wait_ns;
  struct moment took;
  const char *call;
  size_t size;
};

/* Upper ends of the histogram's columns, in microseconds; the last has none. */
static const unsigned int columns_us[] = {100, 500, 1000, 2000, 5000, 10000, 50000};

static struct {
  pthread_mutex_t mutex;
  struct wait longest;
  uint64_t histogram[RTE_DIM(columns_us) + 1];
} waits = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static uint64_t calls, packets;
static bool forwarding, ended;
static int forwarder_nice;

static uint64_t clock_ns(clockid_t clock) {
  struct timespec now;

  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static uint64_t run_delay_ns(int schedstat) {
  char text[96];
  ssize_t size = pread(schedstat, text, sizeof text - 1, 0);
  char *delay;

  if (size <= 0) rte_exit(EXIT_FAILURE, "cannot read schedstat: %s\n", strerror(errno));
  text[size] = '\0';
  strtoull(text, &delay, 10);
  return strtoull(delay, NULL, 10);
}

/* The run delay is read first and last, so that a preemption between the readings shortens no wait. */
static struct moment begin(const struct schedstats *stats) {
  struct moment now;

  now.run_delay_ns = run_delay_ns(stats->own);
  now.answer_delay_ns = run_delay_ns(stats->answering);
  now.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  now.wall_ns = clock_ns(CLOCK_MONOTONIC);
  return now;
}

static void end(const struct schedstats *stats, const struct moment *then, const char *call, size_t size) {
  struct wait this = {.call = call, .size = size};
  unsigned int column = 0;

  this.took.wall_ns = clock_ns(CLOCK_MONOTONIC) - then->wall_ns;
  __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
  if (this.took.wall_ns < WORTH_A_LOOK_NS) return;
  this.took.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - then->cpu_ns;
  this.took.answer_delay_ns = run_delay_ns(stats->answering) - then->answer_delay_ns;
  this.took.run_delay_ns = run_delay_ns(stats->own) - then->run_delay_ns;
  const uint64_t without_cpu = this.took.run_delay_ns + this.took.answer_delay_ns;
  this.wait_ns = this.took.wall_ns - RTE_MIN(this.took.wall_ns, without_cpu);
  while (column < RTE_DIM(columns_us) && this.wait_ns >= columns_us[column] * 1000ull) column++;
  pthread_mutex_lock(&waits.mutex);
  waits.histogram[column]++;
  if (this.wait_ns > waits.longest.wait_ns) waits.longest = this;
  pthread_mutex_unlock(&waits.mutex);
}

static size_t random_size(void) {
  size_t largest = rand() % ONE_IN_LARGE == 0 ? LARGEST : SMALL;

  return SMALLEST + rand() % (largest - SMALLEST + 1);
}

static int open_schedstat(const char *task) {
  char path[300];

  snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", task);
  return open(path, O_RDONLY | O_CLOEXEC);
}

/* EAL's thread for messages: its name up to 23.07, and from 23.11 on. */
static int open_schedstat_of_answering(void) {
  char path[300], name[32];
  const struct dirent *task;
  DIR *tasks = opendir("/proc/self/task");

  while ((task = readdir(tasks)) != NULL) {
    snprintf(path, sizeof path, "/proc/self/task/%s/comm", task->d_name);
    FILE *comm = fopen(path, "r");
    if (comm == NULL) continue;
    const bool is_it = fgets(name, sizeof name, comm) != NULL &&
                       (strncmp(name, "rte_mp_handle", 13) == 0 || strncmp(name, "dpdk-mp-msg", 11) == 0);
    fclose(comm);
    if (is_it) {
      const int schedstat = open_schedstat(task->d_name);
      closedir(tasks);
      return schedstat;
    }
  }
  rte_exit(EXIT_FAILURE, "there is no thread that answers secondaries\n");
}

static int allocate(void *unused) {
  void *slots[SLOTS] = {0};
  char task[24];

  (void)unused;
  snprintf(task, sizeof task, "%ld", syscall(SYS_gettid));
  const struct schedstats stats = {open_schedstat(task), open_schedstat_of_answering()};
  while (!__atomic_load_n(&ended, __ATOMIC_RELAXED)) {
    void **slot = &slots[rand() % SLOTS];
    size_t size = random_size();
    struct moment then = begin(&stats);
    rte_free(*slot);
    end(&stats, &then, "free", 0);
    then = begin(&stats);
    *slot = rte_malloc(NULL, size, 0);
    end(&stats, &then, "malloc", size);
  }
  for (unsigned int i = 0; i < SLOTS; i++) rte_free(slots[i]);
  close(stats.own);
  close(stats.answering);
  return 0;
}

static void forward_once(uint16_t port) {
  struct rte_mbuf *pkts[BURST];
  uint16_t got = rte_eth_rx_burst(port, 0, pkts, BURST);
  uint16_t sent = rte_eth_tx_burst(port, 0, pkts, got);

  if (sent < got) rte_pktmbuf_free_bulk(&pkts[sent], got - sent);
  __atomic_fetch_add(&packets, got, __ATOMIC_RELAXED);
}

static int forward(void *unused) {
  uint16_t port;

  (void)unused;
  if (setpriority(PRIO_PROCESS, syscall(SYS_gettid), forwarder_nice) != 0)
    rte_exit(EXIT_FAILURE, "setpriority: %s\n", strerror(errno));
  while (!__atomic_load_n(&ended, __ATOMIC_RELAXED)) {
    if (!__atomic_load_n(&forwarding, __ATOMIC_RELAXED)) {
      usleep(1000);
      continue;
    }
    RTE_ETH_FOREACH_DEV(port) forward_once(port);
  }
  return 0;
}

static void start_port(uint16_t port, struct rte_mempool *pool) {
  const struct rte_eth_conf conf = {0};

  if (rte_eth_dev_configure(port, 1, 1, &conf) != 0 ||
      rte_eth_rx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL, pool) != 0 ||
      rte_eth_tx_queue_setup(port, 0, 256, SOCKET_ID_ANY, NULL) != 0 || rte_eth_dev_start(port) != 0)
    rte_exit(EXIT_FAILURE, "cannot start port %u\n", port);
}

static void reset(void) {
  pthread_mutex_lock(&waits.mutex);
  memset(&waits.longest, 0, sizeof waits.longest);
  memset(waits.histogram, 0, sizeof waits.histogram);
  __atomic_store_n(&calls, 0, __ATOMIC_RELAXED);
  pthread_mutex_unlock(&waits.mutex);
}

/* One JSON document; the histogram has the calls of 50 us and more. */
static void print_waits(void) {
  const struct wait *longest = &waits.longest;

  pthread_mutex_lock(&waits.mutex);
  printf("{\"packets\":%" PRIu64 ",\"calls\":%" PRIu64 ",\"longest\":{\"waitUs\":%" PRIu64 ",\"wallUs\":%" PRIu64
         ",\"cpuUs\":%" PRIu64 ",\"runDelayUs\":%" PRIu64 ",\"call\":\"%s\",\"size\":%zu},\"histogram\":{",
         __atomic_load_n(&packets, __ATOMIC_RELAXED), __atomic_load_n(&calls, __ATOMIC_RELAXED),
         longest->wait_ns / 1000, longest->took.wall_ns / 1000, longest->took.cpu_ns / 1000,
         longest->took.run_delay_ns / 1000, longest->call ? longest->call : "", longest->size);
  for (unsigned int i = 0; i < RTE_DIM(columns_us); i++)
    printf("\"<%u us\":%" PRIu64 ",", columns_us[i], waits.histogram[i]);
  printf("\"more\":%" PRIu64 "}}\n", waits.histogram[RTE_DIM(columns_us)]);
  pthread_mutex_unlock(&waits.mutex);
}

static bool has_room_for(unsigned long mib) {
  void *memory = rte_malloc(NULL, mib << 20, 0);

  rte_free(memory);
  return memory != NULL;
}

static void carry_out(const char *command) {
  if (strncmp(command, "take ", 5) == 0) {
    printf("room %s\n", has_room_for(strtoul(command + 5, NULL, 10)) ? "yes" : "no");
    return;
  }
  if (strcmp(command, "max\n") == 0) {
    print_waits();
    return;
  }
  if (strcmp(command, "reset\n") == 0) reset();
  if (strncmp(command, "forward ", 8) == 0)
    __atomic_store_n(&forwarding, strcmp(command + 8, "on\n") == 0, __ATOMIC_RELAXED);
  printf("done %s", command);
}

int main(int argc, char **argv) {
  struct rte_mempool *pool;
  char line[64];
  uint16_t port;
  int option;

  while ((option = getopt(argc, argv, "+n:")) == 'n') forwarder_nice = atoi(optarg);
  argv[optind - 1] = argv[0];
  if (rte_eal_init(argc - optind + 1, argv + optind - 1) < 0)
    rte_exit(EXIT_FAILURE, "rte_eal_init: %s\n", rte_strerror(rte_errno));
  if (rte_lcore_count() != 3) rte_exit(EXIT_FAILURE, "three lcores are needed\n");
  pool = rte_pktmbuf_pool_create("mbufs", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  if (pool == NULL || rte_pdump_init() < 0) rte_exit(EXIT_FAILURE, "set-up: %s\n", rte_strerror(rte_errno));
  RTE_ETH_FOREACH_DEV(port) start_port(port, pool);
  unsigned int worker = rte_get_next_lcore(-1, 1, 0);
  rte_eal_remote_launch(forward, NULL, worker);
  rte_eal_remote_launch(allocate, NULL, rte_get_next_lcore(worker, 1, 0));
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  printf("ready\n");
  while (fgets(line, sizeof line, stdin) != NULL && strcmp(line, "quit\n") != 0) carry_out(line);
  __atomic_store_n(&ended, true, __ATOMIC_RELAXED);
  rte_eal_mp_wait_lcore();
  rte_pdump_uninit();
  return rte_eal_cleanup();
}
