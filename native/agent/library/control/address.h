// Where the agent listens. Agent's thread.
#pragma once
#include <stdbool.h>
#include <sys/un.h>

// Writes the address of this process's socket: dpcap_agent_<pid> in DPDK's runtime directory, which is made where EAL
// has made none (--in-memory, --no-shconf). Returns whether there is such a place; says why not.
bool address_make(struct sockaddr_un *address);
// Whether somebody listens there already. The address has this process's pid in it: it is another copy of this library.
bool address_is_served(const struct sockaddr_un *address);
// The directory of that socket.
const char *address_directory(void);
// Removes the socket, and the directory if it was made here.
void address_remove(const struct sockaddr_un *address);
