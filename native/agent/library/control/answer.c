#include "agent/library/control/answer.h"

#include <string.h>
#include <sys/socket.h>

void answer(int fd, const struct dpcap_agent_header *asked, int err, const void *body, size_t bytes, const int *fds,
            size_t fd_count) {
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
  sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void answer_error(int fd, const struct dpcap_agent_header *asked, int err) { answer(fd, asked, err, NULL, 0, NULL, 0); }
