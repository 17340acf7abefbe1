/*
 * Loaded into an application behind the agent, it stands in for vhost-net and the virtio-user driver on kernels without
 * vhost-net: such a device is made of a net_tap instead, whose other end is a kernel interface as well. It appends to the
 * file DPCAP_TEST_VHOST what the agent asks for, a line each. All else goes to DPDK as it is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VHOST_NET "/dev/vhost-net"
#define VIRTIO_USER "net_virtio_user"
#define TAP "net_tap"
#define MOST_NAME 64

static void *next(const char *name) {
  void *const function = dlsym(RTLD_NEXT, name);
  if (function == NULL) abort();
  return function;
}

static void write_line(const char *what, const char *device, const char *arguments) {
  const char *const path = getenv("DPCAP_TEST_VHOST");
  const int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || dprintf(fd, "%s %s %s\n", what, device, arguments) < 0) abort();
  close(fd);
}

static int is_virtio_user(const char *device) { return strncmp(device, VIRTIO_USER, strlen(VIRTIO_USER)) == 0; }

/* The device that stands for it. */
static const char *stand_in(const char *device, char name[MOST_NAME]) {
  if (!is_virtio_user(device)) return device;
  snprintf(name, MOST_NAME, TAP "%s", device + strlen(VIRTIO_USER));
  return name;
}

int access(const char *path, int mode) {
  int (*real)(const char *, int);
  *(void **)&real = next("access");
  return strcmp(path, VHOST_NET) == 0 ? 0 : real(path, mode);
}

int rte_eal_hotplug_add(const char *bus, const char *device, const char *arguments) {
  char name[MOST_NAME];
  int (*real)(const char *, const char *, const char *);
  *(void **)&real = next("rte_eal_hotplug_add");
  if (!is_virtio_user(device)) return real(bus, device, arguments);
  write_line("plug", device, arguments);
  const char *const interface = strstr(arguments, "iface=");
  return real(bus, stand_in(device, name), interface == NULL ? "" : interface);
}

int rte_eal_hotplug_remove(const char *bus, const char *device) {
  char name[MOST_NAME];
  int (*real)(const char *, const char *);
  *(void **)&real = next("rte_eal_hotplug_remove");
  if (is_virtio_user(device)) write_line("unplug", device, "");
  return real(bus, stand_in(device, name));
}

int rte_eth_dev_get_port_by_name(const char *device, uint16_t *port) {
  char name[MOST_NAME];
  int (*real)(const char *, uint16_t *);
  *(void **)&real = next("rte_eth_dev_get_port_by_name");
  return real(stand_in(device, name), port);
}
