#define _GNU_SOURCE
#include "agent/library/control/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/library/clock.h"
#include "agent/library/control/address.h"
#include "agent/library/control/answer.h"
#include "agent/library/dpdk.h"
#include "agent/library/recorder/environment.h"
#include "agent/library/recorder/recorder.h"
#include "agent/library/say.h"

#define VARIABLE "DPCAP_RECORDER"

static struct recorder *recorder;

int recording_on(const void *order, size_t bytes) {
  int err;
  if (recorder != NULL) return EALREADY;
  recorder = recorder_make(order, bytes, address_directory(), &err);
  if (recorder == NULL) return err;
  clock_renew(dpdk.tsc_hz());
  recorder_watch(recorder);
  return 0;
}

static const char *reason(int err) {
  switch (err) {
    case ENOMEM:
    case ENOSPC:
      return "the machine has no memory to spare for it";
    case EDQUOT:
      return "too many boxes of dead processes are there: dpcap recorder status names them";
    case EPERM:
      return "another user has made the folder of the boxes";
    default:
      return strerror(err);
  }
}

void recording_begin(void) {
  uint8_t *order = NULL;
  size_t bytes = 0;
  const char *const problem = environment_read(getenv(VARIABLE), &order, &bytes);
  if (problem != NULL) agent_say("nothing is recorded, because of " VARIABLE ": %s", problem);
  if (order == NULL) return;
  const int err = recording_on(order, bytes);
  free(order);
  if (err != 0) agent_say("nothing is recorded: %s", reason(err));
}

int recording_off(void) {
  if (recorder == NULL) return ENOENT;
  if (!recorder_stop(recorder)) return EBUSY;
  recorder_free(recorder);
  recorder = NULL;
  return 0;
}

// A description of its own, which cannot write.
static int open_to_read(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", recorder_fd(recorder));
  return open(path, O_RDONLY | O_CLOEXEC);
}

void recording_tell(int fd, const struct dpcap_agent_header *asked) {
  struct dpcap_agent_recorder told;
  if (recorder == NULL) return answer_error(fd, asked, ENOENT);
  const int box = open_to_read();
  if (box < 0) return answer_error(fd, asked, errno);
  recorder_describe(recorder, &told);
  answer(fd, asked, 0, &told, sizeof told, &box, 1);
  close(box);
}

bool recording_is_on(void) { return recorder != NULL; }

bool recording_tick(void) {
  if (recorder != NULL) recorder_watch(recorder);
  return recorder != NULL;
}

void recording_leave(void) {
  if (recorder != NULL) close(recorder_fd(recorder));
  recorder = NULL;
}
