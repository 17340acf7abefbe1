/*
 * Loaded into an application, it lets the system's clock seem to be set: by DPCAP_TEST_STEP seconds as soon as the file
 * DPCAP_TEST_STEPPED exists.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *time) {
  const char *const stepped = getenv("DPCAP_TEST_STEPPED");
  const long err = syscall(SYS_clock_gettime, id, time);

  if (err == 0 && id == CLOCK_REALTIME && stepped != NULL && access(stepped, F_OK) == 0)
    time->tv_sec += atol(getenv("DPCAP_TEST_STEP"));
  return (int)err;
}
