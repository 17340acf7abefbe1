// libdpcap_agent.so: dpcap inside an application. It starts one thread, which waits until DPDK is there and a client
// connects; until then it does nothing. It is never the reason that an application does not start, or ends.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/library/control/hello.h"
#include "agent/library/control/server.h"
#include "agent/library/control/telemetry.h"
#include "agent/library/dpdk.h"
#include "agent/library/say.h"
#include "dpcap_agent.h"

#define NAME "libdpcap_agent"
// How often EAL is looked at until it is ready: soon in the first second, then more rarely.
#define SOON_NS 20000000
#define LATER_NS 500000000
#define SOON_LOOKS 50

static atomic_bool is_serving;

static void *run(void *unused) {
  (void)unused;
  pthread_setname_np(pthread_self(), "dpcap-agent");
  const char *const problem = dpdk_look_up();
  if (problem != NULL) {
    agent_say("it does nothing in this process: %s", problem);
    return NULL;
  }
  for (int looks = 0; !dpdk_is_ready(); looks++) {
    const struct timespec pause = {0, looks < SOON_LOOKS ? SOON_NS : LATER_NS};
    nanosleep(&pause, NULL);
  }
  if (!server_open()) return NULL;
  atomic_store(&is_serving, true);
  telemetry_register();
  server_run();
  return NULL;
}

static void start_thread(void) {
  sigset_t all, before;
  pthread_t thread;
  pthread_attr_t attributes;
  sigfillset(&all);
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_sigmask(SIG_BLOCK, &all, &before);  // the thread inherits this
  const int err = pthread_create(&thread, &attributes, run, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (err != 0) agent_say("cannot start its thread: %s", strerror(err));
}

// A daemon forks before it sets DPDK up, and the thread stays behind in its parent. A child of a process in which DPDK
// is set up does not have it.
static void in_child(void) {
  server_leave();
  if (!atomic_exchange(&is_serving, false)) start_thread();
}

// A shell that starts the application passes LD_PRELOAD on to it; the application's children need no agent.
static void leave_preload(void) {
  const char *const given = getenv("LD_PRELOAD");
  if (given == NULL || strstr(given, NAME) == NULL) return;
  char *const words = strdup(given);
  char *const kept = calloc(1, strlen(given) + 1);
  if (words != NULL && kept != NULL) {
    char *rest = words;
    for (char *word; (word = strsep(&rest, ": ")) != NULL;) {
      if (word[0] == 0 || strstr(word, NAME) != NULL) continue;
      if (kept[0] != 0) strcat(kept, ":");
      strcat(kept, word);
    }
    if (kept[0] == 0)
      unsetenv("LD_PRELOAD");
    else
      setenv("LD_PRELOAD", kept, 1);
  }
  free(words);
  free(kept);
}

// It may be preloaded, named with -d, and called: it starts once.
__attribute__((visibility("default"))) int dpcap_agent_start(void) {
  static atomic_bool has_begun;
  if (!dpdk_is_here()) return -ENOTSUP;
  if (atomic_exchange(&has_begun, true)) return 0;
  if (dpdk_is_up_already()) {
    hello_is_injected();
    agent_say("it was loaded into this process while that runs (dpcap agent inject)");
  }
  leave_preload();
  pthread_atfork(NULL, NULL, in_child);
  start_thread();
  return 0;
}

__attribute__((constructor)) static void begin(void) { dpcap_agent_start(); }

__attribute__((destructor)) static void end(void) {
  if (atomic_load(&is_serving)) server_close();
}
