// Where the agent listens. Agent's thread.
#pragma once
#include <stdbool.h>
#include <sys/un.h>

// Writes an address for this process's socket at which nobody listens: dpcap_agent_<pid> in DPDK's runtime directory,
// which is made where EAL has made none (--in-memory, --no-shconf). Where another process has that name, with the same
// pid in a PID namespace of its own, a number follows. Returns whether there is such a place; says why not, also where
// another copy of this library listens in this process.
bool address_find(struct sockaddr_un *address);
// The directory of that socket.
const char *address_directory(void);
// Removes the socket, and the directory if it was made here.
void address_remove(const struct sockaddr_un *address);
