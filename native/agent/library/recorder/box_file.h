// The file of a black box: where it is put, and that nobody else is written to. Agent's thread.
#pragma once
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/box.h"

struct box_file {
  int fd;  // locked as long as the application lives: so everybody sees that, also from another PID namespace
  uint8_t *bytes;
  size_t size;
  char path[PATH_MAX];
};

// Makes a file of this size in memory, all of which is there, and which has no name yet: it will be in the folder
// dpcap_recorder of `runtime_dir`, where that is in memory, else in /dev/shm/dpcap_recorder_UID. Returns 0 or an errno:
// ENOMEM and ENOSPC when the application or the file system would miss the room, EPERM when another user has made the
// folder, EDQUOT when too many boxes of dead processes are there, ENODEV when there is no file system in memory.
int box_file_make(struct box_file *file, const char *runtime_dir, size_t size);
// Gives it its name, when there is something in it: who dies before leaves nothing. Returns 0 or an errno.
int box_file_publish(const struct box_file *file);
// Unmaps and removes it.
void box_file_remove(struct box_file *file);
