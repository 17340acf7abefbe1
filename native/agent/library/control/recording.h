// The agent's one recorder: what a client, or the environment, asks of it. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "agent/protocol.h"

// Begins what DPCAP_RECORDER asks for, if anything; says why not.
void recording_begin(void);
// Begins what the body of a message asks for. Returns 0 or an errno.
int recording_on(const void *order, size_t bytes);
// Ends it, and removes its box. Returns 0, ENOENT when there is none, or EBUSY: to be asked again.
int recording_off(void);
// Answers a client with what there is, and a descriptor of the box.
void recording_tell(int fd, const struct dpcap_agent_header *asked);
// Looks after it; ten times a second. Returns whether there is one.
bool recording_tick(void);
bool recording_is_on(void);
// Called in a child of the process: the box is not its own.
void recording_leave(void);
