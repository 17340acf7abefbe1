#include "agent/library/control/telemetry.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <rte_common.h>
#include <rte_telemetry.h>
#include <stdio.h>
#include <string.h>

#include "agent/library/control/mirroring.h"
#include "agent/library/control/server.h"
#include "agent/protocol.h"

// librte_telemetry need not be there, and up to 23.03 the function for numbers has another name.
static struct {
  int (*register_cmd)(const char *, telemetry_cb, const char *);
  struct rte_tel_data *(*alloc)(void);
  void (*free)(struct rte_tel_data *);
  int (*add_container)(struct rte_tel_data *, const char *, struct rte_tel_data *, int);
  int (*start_dict)(struct rte_tel_data *);
  int (*add_number)(struct rte_tel_data *, const char *, uint64_t);
  int (*add_string)(struct rte_tel_data *, const char *, const char *);
} telemetry;

static bool look_up(void *function, const char *name) {
  void *const found = dlsym(RTLD_DEFAULT, name);
  memcpy(function, &found, sizeof found);  // as POSIX has it: an object pointer that is a function's
  return found != NULL;
}

static bool look_all_up(void) {
  return look_up(&telemetry.register_cmd, "rte_telemetry_register_cmd") &&
         look_up(&telemetry.alloc, "rte_tel_data_alloc") && look_up(&telemetry.free, "rte_tel_data_free") &&
         look_up(&telemetry.add_container, "rte_tel_data_add_dict_container") &&
         look_up(&telemetry.start_dict, "rte_tel_data_start_dict") &&
         look_up(&telemetry.add_string, "rte_tel_data_add_dict_string") &&
         (look_up(&telemetry.add_number, "rte_tel_data_add_dict_uint") ||
          look_up(&telemetry.add_number, "rte_tel_data_add_dict_u64"));
}

static struct rte_tel_data *describe(const struct dpcap_agent_status *capture) {
  struct rte_tel_data *const one = telemetry.alloc();
  if (one == NULL) return NULL;
  telemetry.start_dict(one);
  telemetry.add_number(one, "client_pid", capture->client_pid);
  telemetry.add_string(one, "state", dpcap_agent_state_name(capture->state));
  telemetry.add_number(one, "lanes", capture->lanes);
  telemetry.add_number(one, "snaplen", capture->snaplen);
  telemetry.add_number(one, "memory_bytes", capture->memory_bytes);
  telemetry.add_number(one, "accepted", capture->accepted);
  telemetry.add_number(one, "filtered", capture->filtered);
  telemetry.add_number(one, "ringfull", capture->full);
  telemetry.add_number(one, "contended", capture->contended);
  return one;
}

static void describe_counters(struct rte_tel_data *one, const struct dpcap_mirror_counters *counters) {
  telemetry.add_number(one, "filtered", counters->filtered);
  telemetry.add_number(one, "matched", counters->matched);
  telemetry.add_number(one, "copied", counters->copied);
  telemetry.add_number(one, "sent", counters->sent);
  telemetry.add_number(one, "refused", counters->refused);
  telemetry.add_number(one, "nombuf", counters->nombuf);
  telemetry.add_number(one, "contended", counters->contended);
  telemetry.add_number(one, "missed", counters->missed);
  telemetry.add_number(one, "cut", counters->cut);
}

static const char *tunnel_name(uint32_t kind) {
  if (kind == DPCAP_MIRROR_GRETAP) return "gretap";
  return kind == DPCAP_MIRROR_VXLAN ? "vxlan" : "erspan";
}

static void describe_tunnel(struct rte_tel_data *one, const struct dpcap_mirror_report *report) {
  static const uint8_t unknown[sizeof report->tunnel.next_hop];
  const struct dpcap_mirror_tunnel *const tunnel = &report->tunnel;
  const uint8_t *const hop = tunnel->next_hop;
  char collector[INET6_ADDRSTRLEN] = "", mac[18] = "";
  inet_ntop((tunnel->flags & DPCAP_MIRROR_IPV6) != 0 ? AF_INET6 : AF_INET, tunnel->destination, collector,
            sizeof collector);
  if (memcmp(hop, unknown, sizeof unknown) != 0)
    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", hop[0], hop[1], hop[2], hop[3], hop[4], hop[5]);
  telemetry.add_string(one, "tunnel", tunnel_name(tunnel->kind));
  telemetry.add_number(one, "tunnel_id", tunnel->id);
  telemetry.add_string(one, "collector", collector);
  telemetry.add_string(one, "next_hop", mac);
  telemetry.add_number(one, "limited", report->counters.limited);
  telemetry.add_number(one, "unresolved", report->counters.unresolved);
  telemetry.add_number(one, "own", report->counters.own);
}

// Of a mirror of either kind: whether it is on, or why not, and whose it is for how long.
static void describe_life(struct rte_tel_data *one, uint32_t state, const char *reason, uint32_t owner_pid,
                          uint32_t lease_left) {
  telemetry.add_string(one, "state", dpcap_mirror_state_name(state));
  if (state != DPCAP_MIRROR_ON) telemetry.add_string(one, "reason", reason);
  telemetry.add_number(one, "owner_pid", owner_pid);
  telemetry.add_number(one, "lease_left", lease_left);
}

static struct rte_tel_data *describe_mirror(const struct dpcap_mirror_report *report) {
  struct rte_tel_data *const one = telemetry.alloc();
  if (one == NULL) return NULL;
  const struct dpcap_mirror_status *const mirror = &report->mirror;
  telemetry.start_dict(one);
  describe_life(one, mirror->state, dpcap_mirror_end_name(mirror->reason), mirror->owner_pid, mirror->lease_left);
  telemetry.add_number(one, "source_port", mirror->source_port);
  telemetry.add_number(one, "target_port", mirror->target_port);
  telemetry.add_number(one, "target_queue", mirror->target_queue);
  describe_counters(one, &mirror->counters);
  if ((mirror->flags & DPCAP_MIRROR_TUNNEL) != 0) describe_tunnel(one, report);
  return one;
}

// The counters of one that is on are the NIC's: a driver is not asked by this thread.
static struct rte_tel_data *describe_flow(const struct dpcap_flow_status *mirror) {
  struct rte_tel_data *const one = telemetry.alloc();
  if (one == NULL) return NULL;
  telemetry.start_dict(one);
  telemetry.add_string(one, "way", "hardware");
  describe_life(one, mirror->state, dpcap_flow_end_name(mirror->reason), mirror->owner_pid, mirror->lease_left);
  telemetry.add_number(one, "source_port", mirror->source);
  telemetry.add_number(one, "rule_port", mirror->proxy);
  telemetry.add_number(one, "rules", mirror->rule_count);
  if (mirror->has_counters == 0) return one;
  telemetry.add_number(one, "packets", mirror->packets);
  telemetry.add_number(one, "bytes", mirror->bytes);
  return one;
}

static void add_object(struct rte_tel_data *answer, const char *name, struct rte_tel_data *object) {
  if (object != NULL && telemetry.add_container(answer, name, object, 0) != 0) telemetry.free(object);
}

static void add_mirror(struct rte_tel_data *answer, uint32_t id, struct rte_tel_data *mirror) {
  char name[12];
  snprintf(name, sizeof name, "%08x", id);
  add_object(answer, name, mirror);
}

// Runs in a thread of telemetry's, as tell_captures() does. Each has its id for a name.
static int tell_mirrors(const char *command, const char *parameters, struct rte_tel_data *answer) {
  struct mirroring_description all;
  server_describe_mirrors(&all);
  (void)command, (void)parameters;
  telemetry.start_dict(answer);
  for (unsigned int i = 0; i < all.mirror_count; i++)
    add_mirror(answer, all.mirrors[i].mirror.id, describe_mirror(&all.mirrors[i]));
  for (unsigned int i = 0; i < all.flow_count; i++) add_mirror(answer, all.flows[i].id, describe_flow(&all.flows[i]));
  return 0;
}

// Runs in a thread of telemetry's. The captures have numbers for names: an array takes no dictionaries up to 22.11.
static int tell_captures(const char *command, const char *parameters, struct rte_tel_data *answer) {
  struct dpcap_agent_status captures[2 * DPCAP_AGENT_MAX_SESSIONS];
  const unsigned int count = server_describe(captures, RTE_DIM(captures));
  (void)command, (void)parameters;
  telemetry.start_dict(answer);
  for (unsigned int i = 0; i < count; i++) {
    char number[12];
    snprintf(number, sizeof number, "%u", i);
    add_object(answer, number, describe(&captures[i]));
  }
  return 0;
}

void telemetry_register(void) {
  if (!look_all_up()) return;
  telemetry.register_cmd("/dpcap/captures", tell_captures, "Returns what dpcap captures here. Takes no parameters");
  telemetry.register_cmd("/dpcap/mirrors", tell_mirrors, "Returns what dpcap mirrors here. Takes no parameters");
}
