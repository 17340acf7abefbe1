#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_string_fns.h>

#include <cstdlib>
#include <cstring>

#include "core/pdump_request.h"

namespace dpcap {
namespace {

// What every secondary asks at its start: which virtual devices are there? Name and layout from
// drivers/bus/vdev/vdev.c, the same in 18.05 to 26.07. The primary answers from the thread that also carries out
// requests for memory, so an answer says that this one works.
constexpr char kAction[] = "bus_vdev_mp";
constexpr int kScanRequest = 1;

struct VdevParam {
  int type;
  int num;
  char name[RTE_DEV_NAME_MAX_LEN];
};

}  // namespace

bool primary_answers(int timeout_ms) {
  rte_mp_msg message;
  memset(&message, 0, sizeof message);
  rte_strscpy(message.name, kAction, sizeof message.name);
  const VdevParam question = {kScanRequest, 0, {}};
  message.len_param = sizeof question;
  memcpy(message.param, &question, sizeof question);
  const timespec timeout = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
  struct rte_mp_reply replies;
  memset(&replies, 0, sizeof replies);
  const bool is_answered = rte_mp_request_sync(&message, &replies, &timeout) == 0 && replies.nb_received == 1;
  free(replies.msgs);
  return is_answered;
}

}  // namespace dpcap
