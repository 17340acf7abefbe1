// The flight recorder: keeps the newest packets of an application in a black box. It follows ports as they come and go,
// and goes on without a client. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/protocol.h"

struct recorder;

// Makes the box and the filters; `order` is the body of a RECORDER_ON message. Returns NULL and sets the errno: EINVAL
// when it is malformed, else as box_file_make().
struct recorder *recorder_make(const void *order, size_t bytes, const char *runtime_dir, int *err);
// Has packets of ports and queues that are new recorded, and notes those that are gone. To be called now and then, once
// clock_renew() has been.
void recorder_watch(struct recorder *recorder);
// From here nothing new begins. Returns whether no thread of the application is inside any more.
bool recorder_stop(struct recorder *recorder);
// Frees what recorder_stop() has found outside, and removes the box.
void recorder_free(struct recorder *recorder);
void recorder_describe(const struct recorder *recorder, struct dpcap_agent_recorder *out);
const char *recorder_path(const struct recorder *recorder);
// The descriptor by which the box is locked.
int recorder_fd(const struct recorder *recorder);
