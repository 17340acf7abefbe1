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
// Ends that: from here nothing new begins. Returns whether no thread of the application is inside any more.
bool session_stop(struct session *session);
// Notes lanes that are gone, and publishes what threads outside of a callback count.
void session_watch(struct session *session);
// Frees what session_stop() has found outside.
void session_free(struct session *session);
