// Where the agent listens. Agent's thread.
#pragma once
#include <stdbool.h>
#include <sys/un.h>

// Writes the address of this process's socket: dpcap_agent_<pid> in DPDK's runtime directory, which is made where EAL
// has made none (--in-memory, --no-shconf); from `number` 2 on dpcap_agent_<pid>_<number>. Returns whether there is
// such a place; says why not.
bool address_make(struct sockaddr_un *address, unsigned int number);
// Who listens there already: another copy of this library in this process, or another process, which has the same pid
// in a PID namespace of its own.
enum listener { LISTENER_NONE, LISTENER_SELF, LISTENER_OTHER };
enum listener address_listener(const struct sockaddr_un *address);
// The directory of that socket.
const char *address_directory(void);
// Removes the socket, and the directory if it was made here.
void address_remove(const struct sockaddr_un *address);
