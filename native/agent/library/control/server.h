// The agent's socket, its clients and their messages. Agent's thread, unless it says something else.
#pragma once
#include <stdbool.h>

#include "agent/library/control/mirroring.h"
#include "agent/protocol.h"

// Listens in DPDK's runtime directory. Returns whether it does; says why not.
bool server_open(void);
// Serves clients. Does not return.
void server_run(void);
// Called in a child of the process, which must not keep a client's connection open.
void server_leave(void);
// Removes the socket. Called when the process ends.
void server_close(void);

// Describes the captures that there are, `most` of them at the most; returns how many. Any thread.
unsigned int server_describe(struct dpcap_agent_status *captures, unsigned int most);
// Describes the mirrors. Any thread.
void server_describe_mirrors(struct mirroring_description *mirrors);
