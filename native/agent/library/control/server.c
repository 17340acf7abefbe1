#define _GNU_SOURCE
#include "agent/library/control/server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/library/clock.h"
#include "agent/library/control/address.h"
#include "agent/library/control/answer.h"
#include "agent/library/control/hello.h"
#include "agent/library/control/mirroring.h"
#include "agent/library/control/recording.h"
#include "agent/library/datapath/lane.h"
#include "agent/library/dpdk.h"
#include "agent/library/say.h"
#include "agent/library/session.h"
#include "agent/protocol.h"

#define TICK_MS 100
// A client that asked to stop is answered when no thread is inside, or that there is one, after this time.
#define STOP_MS 50
// Connections: of captures, and of those that look, and set, renew and clear mirrors.
#define MOST_CLIENTS 64

struct client {
  int fd;
  uint32_t pid;
  struct session *session;
};

// Held while clients are served: other threads may want to describe the sessions.
static pthread_mutex_t serving = PTHREAD_MUTEX_INITIALIZER;

static int listener = -1;
static struct sockaddr_un address;
static struct client clients[MOST_CLIENTS];
static unsigned int client_count;
// Sessions of clients that have left, which a thread of the application was still in.
static struct session *leaving[DPCAP_AGENT_MAX_SESSIONS];

union message {
  struct dpcap_agent_header header;
  uint8_t bytes[DPCAP_AGENT_MAX_MESSAGE];
};

bool server_open(void) {
  if (!address_find(&address)) return false;
  listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  unlink(address.sun_path);  // of an earlier process with this pid
  fchmod(listener, 0600);    // the file will have this mode (unix_bind in Linux)
  if (listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 4) == 0)
    return true;
  agent_say("cannot listen on %s: %s", address.sun_path, strerror(errno));
  return false;
}

void server_leave(void) {
  pthread_mutex_init(&serving, NULL);  // a thread of the parent may have held it
  lanes_leave();
  if (listener >= 0) close(listener);
  for (unsigned int i = 0; i < client_count; i++) close(clients[i].fd);
  recording_leave();
  mirroring_leave();
  listener = -1;
  client_count = 0;
}

void server_close(void) {
  if (listener >= 0) address_remove(&address);
}

static unsigned int session_count(void) {
  unsigned int count = 0;
  for (unsigned int i = 0; i < client_count; i++) count += clients[i].session != NULL;
  return count;
}

static void prepare(struct client *client, const union message *message) {
  const struct dpcap_agent_header *const header = &message->header;
  const bool is_full = session_count() == DPCAP_AGENT_MAX_SESSIONS;
  int err = client->session != NULL ? EALREADY : EUSERS;
  if (client->session == NULL && !is_full) {
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
  answer_error(client->fd, header, err);
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

static unsigned int describe(struct dpcap_agent_status *captures, unsigned int most) {
  unsigned int count = 0;
  for (unsigned int i = 0; i < client_count && count < most; i++) {
    if (clients[i].session == NULL) continue;
    session_describe(clients[i].session, &captures[count]);
    captures[count++].client_pid = clients[i].pid;
  }
  for (unsigned int i = 0; i < DPCAP_AGENT_MAX_SESSIONS && count < most; i++) {
    if (leaving[i] != NULL) session_describe(leaving[i], &captures[count++]);
  }
  return count;
}

unsigned int server_describe(struct dpcap_agent_status *captures, unsigned int most) {
  pthread_mutex_lock(&serving);
  const unsigned int count = describe(captures, most);
  pthread_mutex_unlock(&serving);
  return count;
}

void server_describe_mirrors(struct mirroring_description *mirrors) {
  pthread_mutex_lock(&serving);
  mirroring_describe_all(mirrors);
  pthread_mutex_unlock(&serving);
}

static void say_status(const struct client *client, const struct dpcap_agent_header *header) {
  struct dpcap_agent_status captures[2 * DPCAP_AGENT_MAX_SESSIONS];
  const unsigned int count = describe(captures, RTE_DIM(captures));
  answer(client->fd, header, 0, captures, count * sizeof captures[0], NULL, 0);
}

static int change_filter(const struct client *client, const union message *message) {
  const size_t head = sizeof message->header;
  if (client->session == NULL) return EINVAL;
  return session_filter(client->session, message->bytes + head, message->header.length - head);
}

static int stop_recording(void) {
  const struct timespec nap = {0, 1000000};
  int err = recording_off();
  for (int waited = 0; err == EBUSY && waited < STOP_MS; waited++) {
    nanosleep(&nap, NULL);
    err = recording_off();
  }
  return err;
}

static void handle(struct client *client, const union message *message) {
  const struct dpcap_agent_header *const header = &message->header;
  switch (header->operation) {
    case DPCAP_AGENT_HELLO:
      return say_hello(client, header);
    case DPCAP_AGENT_PREPARE:
      return prepare(client, message);
    case DPCAP_AGENT_OPEN:
      return answer_error(client->fd, header, client->session == NULL ? EINVAL : session_open(client->session));
    case DPCAP_AGENT_STOP:
      return answer_error(client->fd, header,
                          client->session == NULL || stop_session(client->session, STOP_MS) ? 0 : EBUSY);
    case DPCAP_AGENT_FILTER:
      return answer_error(client->fd, header, change_filter(client, message));
    case DPCAP_AGENT_STATUS:
      return say_status(client, header);
    case DPCAP_AGENT_RECORDER_ON:
      return answer_error(client->fd, header,
                          recording_on(message->bytes + sizeof *header, header->length - sizeof *header));
    case DPCAP_AGENT_RECORDER_OFF:
      return answer_error(client->fd, header, stop_recording());
    case DPCAP_AGENT_RECORDER_STATUS:
      return recording_tell(client->fd, header);
    default:
      return mirroring_handle(client->fd, header, message->bytes + sizeof *header, header->length - sizeof *header);
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
      answer_error(client->fd, &message.header, EPROTO);
    return is_known;
  }
  const struct dpcap_agent_header none = {0};
  answer_error(client->fd, &none, EINVAL);
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

static bool is_trusted(int fd, struct ucred *peer) {
  socklen_t size = sizeof *peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &size) == 0 && (peer->uid == 0 || peer->uid == geteuid());
}

// Without a descriptor to spare a connection stays in the queue, and would be reported again at once.
static bool cannot_accept;

static void welcome(void) {
  const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  cannot_accept = fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
  if (fd < 0) return;
  struct ucred peer = {0};
  const bool is_welcome = is_trusted(fd, &peer);
  if (is_welcome && client_count < MOST_CLIENTS) {
    clients[client_count++] = (struct client){fd, (uint32_t)peer.pid, NULL};
    return;
  }
  const struct dpcap_agent_header none = {0};
  answer(fd, &none, is_welcome ? EUSERS : EACCES, NULL, 0, NULL, 0);
  close(fd);
}

static bool tick(void) {
  bool is_needed = recording_tick();
  is_needed |= mirroring_tick();
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

// Returns whether there are sessions, mirrors or a recorder, which have to be looked after.
static bool serve_all(const struct pollfd *polled, unsigned int count) {
  pthread_mutex_lock(&serving);
  if (count > 0 || recording_is_on() || mirroring_needs_clock()) clock_renew(dpdk.tsc_hz());
  for (unsigned int i = count; i-- > 0;) {
    if (polled[1 + i].revents != 0 && !serve(&clients[i])) end(i);
  }
  if (polled[0].revents != 0) welcome();
  const bool has_sessions = tick();
  pthread_mutex_unlock(&serving);
  return has_sessions;
}

void server_run(void) {
  recording_begin();
  bool has_sessions = recording_is_on();
  while (listener >= 0) {
    struct pollfd polled[1 + MOST_CLIENTS] = {{cannot_accept ? -1 : listener, POLLIN, 0}};
    const bool looks_again = cannot_accept || has_sessions;
    cannot_accept = false;
    const unsigned int count = client_count;
    for (unsigned int i = 0; i < count; i++) polled[1 + i] = (struct pollfd){clients[i].fd, POLLIN, 0};
    // Until somebody has a session, there is nothing to do in between.
    if (!looks_again && count == 0) clock_rest();
    if (poll(polled, 1 + count, looks_again ? TICK_MS : -1) < 0) continue;
    has_sessions = serve_all(polled, count);
  }
}
