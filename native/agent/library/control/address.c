#define _GNU_SOURCE
#include "agent/library/control/address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/library/dpdk.h"
#include "agent/library/say.h"
#include "agent/protocol.h"

// The value of --file-prefix among the process's own words, where EAL was given it there; else EAL's default.
static void read_prefix(char *prefix, size_t room) {
  char words[4096];
  snprintf(prefix, room, "rte");
  FILE *const file = fopen("/proc/self/cmdline", "re");
  if (file == NULL) return;
  const size_t size = fread(words, 1, sizeof words - 1, file);
  fclose(file);
  words[size] = 0;
  for (const char *word = words; word < words + size; word += strlen(word) + 1) {
    const char *value = NULL;
    if (strncmp(word, "--file-prefix=", 14) == 0) value = word + 14;
    if (strcmp(word, "--file-prefix") == 0) value = word + 14;  // the next word: this one ends before it
    if (value != NULL && value < words + size && strchr(value, '/') == NULL) snprintf(prefix, room, "%s", value);
  }
}

// EAL's rule (eal_create_runtime_dir, 22.11 to 25.11).
static const char *base_directory(void) {
  const char *const own = getenv("RUNTIME_DIRECTORY");
  if (own != NULL) return own;
  const char *const user = getenv("XDG_RUNTIME_DIR");
  return getuid() == 0 ? "/var/run" : user != NULL ? user : "/tmp";
}

// The directory that was made, to be removed again.
static char made[sizeof((struct sockaddr_un *)0)->sun_path];

static bool make_directory(char *path) {
  for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    const bool is_there = mkdir(path, 0700) == 0 || errno == EEXIST;
    *slash = '/';
    if (!is_there) return false;
  }
  if (mkdir(path, 0700) != 0) return errno == EEXIST;
  snprintf(made, sizeof made, "%s", path);
  return true;
}

void address_remove(const struct sockaddr_un *address) {
  unlink(address->sun_path);
  if (made[0] != 0) rmdir(made);
}

static char directory[sizeof((struct sockaddr_un *)0)->sun_path];

const char *address_directory(void) { return directory; }

// Others could put a socket of theirs in the place of this one.
static bool is_own_directory(void) {
  struct stat status;
  return stat(directory, &status) == 0 && (status.st_uid == 0 || status.st_uid == geteuid());
}

static bool make(struct sockaddr_un *address, unsigned int number) {
  const char *const given = dpdk.runtime_dir();
  if (given != NULL && given[0] != 0) {
    snprintf(directory, sizeof directory, "%s", given);
  } else {
    char prefix[64];
    read_prefix(prefix, sizeof prefix);
    snprintf(directory, sizeof directory, "%s/dpdk/%s", base_directory(), prefix);
  }
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  char more[16] = "";
  if (number > 1) snprintf(more, sizeof more, "_%u", number);
  const int length = snprintf(address->sun_path, sizeof address->sun_path, "%s/" DPCAP_AGENT_SOCKET "%d%s", directory,
                              (int)getpid(), more);
  if (length >= (int)sizeof address->sun_path) {
    agent_say("the runtime directory %s is too long a path for a socket", directory);
    return false;
  }
  if (!make_directory(directory)) {
    agent_say("cannot make %s: %s", directory, strerror(errno));
    return false;
  }
  if (is_own_directory()) return true;
  agent_say("%s is another user's", directory);
  return false;
}

// Who listens there already.
enum listener { LISTENER_NONE, LISTENER_SELF, LISTENER_OTHER };

static enum listener listener_at(const struct sockaddr_un *address) {
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct ucred peer = {0};
  socklen_t size = sizeof peer;
  enum listener who = LISTENER_NONE;
  if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0) {
    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    who = peer.pid == getpid() ? LISTENER_SELF : LISTENER_OTHER;
  } else if (fd >= 0 && errno != ENOENT && errno != ECONNREFUSED) {
    who = LISTENER_OTHER;  // one that has much to do (EAGAIN)
  }
  if (fd >= 0) close(fd);
  return who;
}

bool address_find(struct sockaddr_un *address) {
  enum { MOST_NAMES = 64 };
  for (unsigned int number = 1; number <= MOST_NAMES; number++) {
    if (!make(address, number)) return false;
    const enum listener who = listener_at(address);
    if (who == LISTENER_NONE) return true;
    if (who == LISTENER_SELF) break;
  }
  agent_say("it does nothing in this process: there is another one already");
  return false;
}
