#define _GNU_SOURCE
#include "agent/library/server.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/library/address.h"
#include "agent/library/clock.h"
#include "agent/library/dpdk.h"
#include "agent/library/hello.h"
#include "agent/library/session.h"
#include "agent/protocol.h"

#define TICK_MS 100
// A client that asked to stop is answered when no thread is inside, or that there is one, after this time.
#define STOP_MS 50

struct client {
  int fd;
  struct session *session;
};

static int listener = -1;
static struct sockaddr_un address;
static struct client clients[DPCAP_AGENT_MAX_SESSIONS];
static unsigned int client_count;
// Sessions of clients that have left, which a thread of the application was still in.
static struct session *leaving[DPCAP_AGENT_MAX_SESSIONS];

void agent_say(const char *format, ...) {
  char line[256] = "dpcap-agent: ";
  const size_t start = strlen(line);
  va_list values;
  va_start(values, format);
  vsnprintf(line + start, sizeof line - start - 1, format, values);
  va_end(values);
  strcat(line, "\n");
  if (write(STDERR_FILENO, line, strlen(line)) < 0) return;  // a closed standard error is the application's choice
}

union message {
  struct dpcap_agent_header header;
  uint8_t bytes[DPCAP_AGENT_MAX_MESSAGE];
};

bool server_open(void) {
  if (!address_make(&address)) return false;
  listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  unlink(address.sun_path);  // of an earlier process with this pid
  fchmod(listener, 0600);    // the file will have this mode (unix_bind in Linux)
  if (listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 4) == 0)
    return true;
  agent_say("cannot listen on %s: %s", address.sun_path, strerror(errno));
  return false;
}

void server_leave(void) {
  if (listener >= 0) close(listener);
  for (unsigned int i = 0; i < client_count; i++) close(clients[i].fd);
  listener = -1;
  client_count = 0;
}

void server_close(void) {
  if (listener >= 0) address_remove(&address);
}

static void answer(int fd, const struct dpcap_agent_header *asked, int err, const void *body, size_t bytes,
                   const int *fds, size_t fd_count) {
  struct dpcap_agent_header header = *asked;
  header.magic = DPCAP_AGENT_MAGIC;
  header.version = DPCAP_AGENT_VERSION;
  header.length = (uint32_t)(sizeof header + bytes);
  header.error = err;
  struct iovec parts[2] = {{&header, sizeof header}, {(void *)(uintptr_t)body, bytes}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control = {0};
  if (fd_count > 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
    memcpy(CMSG_DATA(&control.header), fds, fd_count * sizeof(int));
  }
  sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);  // a client that does not read is missed by nobody
}

static void answer_error(const struct client *client, const struct dpcap_agent_header *asked, int err) {
  answer(client->fd, asked, err, NULL, 0, NULL, 0);
}

static void prepare(struct client *client, const union message *message) {
  const struct dpcap_agent_header *const header = &message->header;
  int err = EALREADY;
  if (client->session == NULL) {
    const size_t bytes = header->length - sizeof *header;
    client->session = session_prepare(message->bytes + sizeof *header, bytes, &err);
    if (client->session != NULL) {
      const struct memory *const memory = session_memory(client->session);
      const struct dpcap_agent_prepared made = {memory->segments, memory->bursts, memory->is_huge,
                                                memory->segment_bytes};
      const int fds[2] = {memory->control_fd, memory->data_fd};
      return answer(client->fd, header, 0, &made, sizeof made, fds, 2);
    }
  }
  answer_error(client, header, err);
}

static bool stop_session(struct session *session, int ms) {
  const struct timespec nap = {0, 1000000};
  for (int waited = 0; !session_stop(session); waited++) {
    if (waited == ms) return false;
    nanosleep(&nap, NULL);
  }
  return true;
}

static void say_hello(const struct client *client, const struct dpcap_agent_header *header) {
  static uint8_t body[DPCAP_AGENT_MAX_MESSAGE - sizeof(struct dpcap_agent_header)];
  answer(client->fd, header, 0, body, hello_write(body, sizeof body), NULL, 0);
}

static void handle(struct client *client, const union message *message) {
  const struct dpcap_agent_header *const header = &message->header;
  switch (header->operation) {
    case DPCAP_AGENT_HELLO:
      return say_hello(client, header);
    case DPCAP_AGENT_PREPARE:
      return prepare(client, message);
    case DPCAP_AGENT_OPEN:
      return answer_error(client, header, client->session == NULL ? EINVAL : session_open(client->session));
    case DPCAP_AGENT_STOP:
      return answer_error(client, header,
                          client->session == NULL || stop_session(client->session, STOP_MS) ? 0 : EBUSY);
    default:
      return answer_error(client, header, ENOSYS);
  }
}

// Returns whether the client stays.
static bool serve(struct client *client) {
  static union message message;
  const ssize_t size = recv(client->fd, message.bytes, sizeof message, MSG_DONTWAIT | MSG_TRUNC);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) return false;
  if ((size_t)size >= sizeof message.header && (size_t)size <= sizeof message &&
      message.header.magic == DPCAP_AGENT_MAGIC && message.header.length == (size_t)size) {
    const bool is_known = message.header.version == DPCAP_AGENT_VERSION;
    if (is_known)
      handle(client, &message);
    else
      answer_error(client, &message.header, EPROTO);
    return is_known;
  }
  const struct dpcap_agent_header none = {0};
  answer_error(client, &none, EINVAL);
  return false;
}

static void end(unsigned int index) {
  struct session *const session = clients[index].session;
  close(clients[index].fd);
  clients[index] = clients[--client_count];
  if (session == NULL) return;
  if (session_stop(session)) return session_free(session);
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_SESSIONS; i++) {
    if (leaving[i] != NULL) continue;
    leaving[i] = session;
    return;
  }
  agent_say("the memory of a capture stays: threads do not leave its callbacks");
}

static bool is_trusted(int fd) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == 0 || peer.uid == geteuid());
}

static void welcome(void) {
  const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  if (is_trusted(fd) && client_count < DPCAP_AGENT_MAX_SESSIONS) {
    clients[client_count++] = (struct client){fd, NULL};
    return;
  }
  const struct dpcap_agent_header none = {0};
  answer(fd, &none, is_trusted(fd) ? EUSERS : EACCES, NULL, 0, NULL, 0);
  close(fd);
}

static bool tick(void) {
  bool is_needed = false;
  for (unsigned int i = 0; i < client_count; i++) {
    if (clients[i].session == NULL) continue;
    session_watch(clients[i].session);
    is_needed = true;
  }
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_SESSIONS; i++) {
    if (leaving[i] == NULL) continue;
    is_needed = true;
    if (!session_stop(leaving[i])) continue;
    session_free(leaving[i]);
    leaving[i] = NULL;
  }
  return is_needed;
}

void server_run(void) {
  while (listener >= 0) {
    struct pollfd polled[1 + DPCAP_AGENT_MAX_SESSIONS] = {{listener, POLLIN, 0}};
    const unsigned int count = client_count;
    for (unsigned int i = 0; i < count; i++) polled[1 + i] = (struct pollfd){clients[i].fd, POLLIN, 0};
    // Until somebody has a session, there is nothing to do in between.
    const bool has_sessions = tick();
    if (poll(polled, 1 + count, has_sessions ? TICK_MS : -1) < 0) continue;
    if (count > 0) clock_renew(dpdk.tsc_hz());
    for (unsigned int i = count; i-- > 0;) {
      if (polled[1 + i].revents != 0 && !serve(&clients[i])) end(i);
    }
    if (polled[0].revents != 0) welcome();
  }
}
