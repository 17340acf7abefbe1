// A session: what one client captures. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/library/memory.h"
#include "agent/protocol.h"

struct session;

// Makes the memory, filters and streams of a capture; inert. `order` is the body of a PREPARE message. Returns NULL and
// sets the errno: EINVAL when it is malformed, ENODEV when a lane is not there, ENOMEM.
struct session *session_prepare(const void *order, size_t bytes, int *err);
const struct memory *session_memory(const struct session *session);
// Lets packets flow. Returns 0 or an errno; session_end() must be called even then.
int session_open(struct session *session);
// Gives all lanes other filters; `programs` is the body of a FILTER message. Returns 0 or an errno: EINVAL, ENOMEM, and
// EBUSY while a thread of the application may still be in the filters before.
int session_filter(struct session *session, const void *programs, size_t bytes);
// Ends that: from here nothing new begins. Returns whether no thread of the application is inside any more.
bool session_stop(struct session *session);
// Notes lanes that are gone, goes on with those that are back, and publishes what threads outside of a callback count.
void session_watch(struct session *session);
// What it has, and what became of the packets; the client is left out.
void session_describe(const struct session *session, struct dpcap_agent_status *status);
// Frees what session_stop() has found outside.
void session_free(struct session *session);
