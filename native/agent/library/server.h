// The agent's socket, its clients and their messages. Agent's thread, unless it says something else.
#pragma once
#include <stdbool.h>

// Listens in DPDK's runtime directory. Returns whether it does; says why not.
bool server_open(void);
// Serves clients. Does not return.
void server_run(void);
// Called in a child of the process, which must not keep a client's connection open.
void server_leave(void);
// Removes the socket. Called when the process ends.
void server_close(void);

// Says something to the user of the application, in one line on standard error.
__attribute__((format(printf, 1, 2))) void agent_say(const char *format, ...);
