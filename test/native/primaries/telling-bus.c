/*
 * A bus in a folder of plugins: it appends a line to the file DPCAP_TEST_BUS whenever EAL scans it, with the process's
 * id. struct rte_bus is in the driver SDK, which distributions do not install; this is how it begins (22.11 to 25.11).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct bus {
  struct bus *next[2];
  const char *name;
  int (*scan)(void);
  int (*probe)(void);
  void *(*find_device)(const void *start, void *compare, const void *data);
  void *others[24];
};

void rte_bus_register(struct bus *bus);

static int scan(void) {
  const char *const path = getenv("DPCAP_TEST_BUS");
  const int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return 0;
  dprintf(fd, "%d\n", (int)getpid());
  close(fd);
  return 0;
}

static int probe(void) { return 0; }

static void *find_device(const void *start, void *compare, const void *data) {
  (void)start, (void)compare, (void)data;
  return NULL;
}

static struct bus telling = {.name = "telling", .scan = scan, .probe = probe, .find_device = find_device};

__attribute__((constructor)) static void add(void) { rte_bus_register(&telling); }
