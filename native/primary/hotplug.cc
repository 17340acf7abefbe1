#include "primary/hotplug.h"

#include <rte_eal.h>

#include <cstring>

namespace dpcap {
namespace {

// The name and the layout are from lib/eal/common/hotplug_mp.h, and the same in 18.11 to 26.07.
constexpr char kAction[] = "eal_dev_mp_request";

struct HotplugRequest {
  int type;
  char devargs[128];
  int result;
};

// Runs on EAL's IPC thread.
int say_done(const rte_mp_msg* request, const void* peer) {
  if (request->len_param != static_cast<int>(sizeof(HotplugRequest))) return -1;  // the layout is unknown: stay silent
  rte_mp_msg reply = *request;
  HotplugRequest body;
  memcpy(&body, reply.param, sizeof body);
  body.result = 0;
  memcpy(reply.param, &body, sizeof body);
  reply.num_fds = 0;
  return rte_mp_reply(&reply, static_cast<const char*>(peer));
}

}  // namespace

void answer_hotplug_requests() {
  rte_mp_action_unregister(kAction);
  rte_mp_action_register(kAction, say_done);
}

}  // namespace dpcap
