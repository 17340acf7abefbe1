// Answers to a client's messages. Agent's thread.
#pragma once
#include <stddef.h>

#include "agent/protocol.h"

// Answers what was asked with an errno, a body and descriptors. A client that does not read is missed by nobody.
void answer(int fd, const struct dpcap_agent_header *asked, int err, const void *body, size_t bytes, const int *fds,
            size_t fd_count);
// With an errno alone, which may be 0.
void answer_error(int fd, const struct dpcap_agent_header *asked, int err);
