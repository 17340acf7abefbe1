/*
 * Loaded into an application, it stands in for a driver that takes flow rules: it takes every one, counts for it, and
 * appends to the file DPCAP_TEST_FLOWS what it was asked, a line each. DPCAP_TEST_FLOWS_REFUSED is a function and a
 * number, such as "create 2": the second of its calls is refused. Its ports are of the driver DPCAP_TEST_DRIVER, where
 * that is set; the functions of drivers that it stands in for are those of net_ixgbe.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_LINE 4096
#define MOST_RULES 64

struct rte_flow {
  int number; /* from 1, in the order in which they were made */
};

static struct rte_flow rules[MOST_RULES];
static int made;

struct line {
  char text[MOST_LINE];
  size_t length;
};

static void add(struct line *line, const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  line->length += (size_t)vsnprintf(line->text + line->length, MOST_LINE - line->length, format, arguments);
  va_end(arguments);
}

static void write_line(struct line *line) {
  const char *const path = getenv("DPCAP_TEST_FLOWS");
  const int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

  add(line, "\n");
  if (fd < 0 || write(fd, line->text, line->length) < 0) abort();
  close(fd);
}

static int is_refused(const char *function) {
  static int calls;
  const char *const refused = getenv("DPCAP_TEST_FLOWS_REFUSED");
  const size_t length = strlen(function);

  if (refused == NULL || strncmp(refused, function, length) != 0 || refused[length] != ' ') return 0;
  return ++calls == atoi(refused + length);
}

static void add_bytes(struct line *line, const char *name, const void *bytes, size_t size) {
  if (bytes == NULL) return;
  add(line, " %s=", name);
  for (size_t i = 0; i < size; i++) add(line, "%02x", ((const uint8_t *)bytes)[i]);
}

/* The size of what describes an item; 0 for one that the agent does not make. */
static size_t size_of(enum rte_flow_item_type type, const char **name) {
  switch (type) {
    case RTE_FLOW_ITEM_TYPE_REPRESENTED_PORT:
      *name = "represented_port";
      return sizeof(struct rte_flow_item_ethdev);
    case RTE_FLOW_ITEM_TYPE_ETH:
      *name = "eth";
      return sizeof(struct rte_flow_item_eth);
    case RTE_FLOW_ITEM_TYPE_VLAN:
      *name = "vlan";
      return sizeof(struct rte_flow_item_vlan);
    case RTE_FLOW_ITEM_TYPE_IPV4:
      *name = "ipv4";
      return sizeof(struct rte_flow_item_ipv4);
    case RTE_FLOW_ITEM_TYPE_IPV6:
      *name = "ipv6";
      return sizeof(struct rte_flow_item_ipv6);
    case RTE_FLOW_ITEM_TYPE_TCP:
      *name = "tcp";
      return sizeof(struct rte_flow_item_tcp);
    case RTE_FLOW_ITEM_TYPE_UDP:
      *name = "udp";
      return sizeof(struct rte_flow_item_udp);
    default:
      return 0;
  }
}

static void add_items(struct line *line, const struct rte_flow_item *item) {
  for (; item->type != RTE_FLOW_ITEM_TYPE_END; item++) {
    const char *name = "?";
    const size_t size = size_of(item->type, &name);

    add(line, " | %s", name);
    add_bytes(line, "spec", item->spec, size);
    add_bytes(line, "last", item->last, size);
    add_bytes(line, "mask", item->mask, size);
  }
}

static void add_actions(struct line *line, const struct rte_flow_action *action) {
  for (; action->type != RTE_FLOW_ACTION_TYPE_END; action++) {
    if (action->type == RTE_FLOW_ACTION_TYPE_SAMPLE) {
      const struct rte_flow_action_sample *const sample = action->conf;

      add(line, " > sample %u [", sample->ratio);
      add_actions(line, sample->actions);
      add(line, " ]");
    } else if (action->type == RTE_FLOW_ACTION_TYPE_REPRESENTED_PORT) {
      add(line, " > represented_port %u", ((const struct rte_flow_action_ethdev *)action->conf)->port_id);
    } else if (action->type == RTE_FLOW_ACTION_TYPE_QUEUE) {
      add(line, " > queue %u", ((const struct rte_flow_action_queue *)action->conf)->index);
    } else if (action->type == RTE_FLOW_ACTION_TYPE_JUMP) {
      add(line, " > jump %u", ((const struct rte_flow_action_jump *)action->conf)->group);
    } else if (action->type == RTE_FLOW_ACTION_TYPE_COUNT) {
      add(line, " > count");
    } else if (action->type == RTE_FLOW_ACTION_TYPE_DROP) {
      add(line, " > drop");
    } else {
      add(line, " > ?");
    }
  }
}

static void record(const char *function, uint16_t port, const struct rte_flow_attr *attr,
                   const struct rte_flow_item *items, const struct rte_flow_action *actions) {
  struct line line = {.length = 0};

  add(&line, "%s %u %s%s%s group %u priority %u", function, port, attr->ingress ? "ingress" : "",
      attr->egress ? "egress" : "", attr->transfer ? "transfer" : "", attr->group, attr->priority);
  add_items(&line, items);
  add_actions(&line, actions);
  write_line(&line);
}

int rte_flow_validate(uint16_t port, const struct rte_flow_attr *attr, const struct rte_flow_item items[],
                      const struct rte_flow_action actions[], struct rte_flow_error *error) {
  record("validate", port, attr, items, actions);
  if (!is_refused("validate")) return 0;
  return rte_flow_error_set(error, EINVAL, RTE_FLOW_ERROR_TYPE_ITEM_MASK, NULL, "this mask is not for me");
}

struct rte_flow *rte_flow_create(uint16_t port, const struct rte_flow_attr *attr, const struct rte_flow_item items[],
                                 const struct rte_flow_action actions[], struct rte_flow_error *error) {
  record("create", port, attr, items, actions);
  if (is_refused("create") || made == MOST_RULES) {
    rte_flow_error_set(error, ENOSPC, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, NULL, "the table is full");
    return NULL;
  }
  rules[made].number = made + 1;
  return &rules[made++];
}

int rte_flow_destroy(uint16_t port, struct rte_flow *flow, struct rte_flow_error *error) {
  struct line line = {.length = 0};

  add(&line, "destroy %u rule %d", port, flow->number);
  write_line(&line);
  if (!is_refused("destroy")) return 0;
  return rte_flow_error_set(error, EAGAIN, RTE_FLOW_ERROR_TYPE_HANDLE, NULL, "not now");
}

int rte_flow_query(uint16_t port, struct rte_flow *flow, const struct rte_flow_action *action, void *data,
                   struct rte_flow_error *error) {
  struct rte_flow_query_count *const count = data;

  (void)port, (void)error;
  if (action->type != RTE_FLOW_ACTION_TYPE_COUNT) abort();
  count->hits_set = count->bytes_set = 1;
  count->hits = 100 * (uint64_t)flow->number;
  count->bytes = 6400 * (uint64_t)flow->number;
  return 0;
}

int rte_flow_pick_transfer_proxy(uint16_t port, uint16_t *proxy, struct rte_flow_error *error) {
  (void)port, (void)error;
  *proxy = 0;
  return 0;
}

int rte_eth_dev_info_get(uint16_t port, struct rte_eth_dev_info *info) {
  const char *const driver = getenv("DPCAP_TEST_DRIVER");
  int (*real)(uint16_t, struct rte_eth_dev_info *);
  int err;

  *(void **)&real = dlsym(RTLD_NEXT, "rte_eth_dev_info_get");
  if (real == NULL) abort();
  err = real(port, info);
  if (err == 0 && driver != NULL) info->driver_name = driver;
  return err;
}

int rte_pmd_ixgbe_set_tx_loopback(uint16_t port, uint8_t on) {
  struct line line = {.length = 0};

  add(&line, "loopback %u %u", port, on);
  write_line(&line);
  return is_refused("loopback") ? -ENODEV : 0;
}
