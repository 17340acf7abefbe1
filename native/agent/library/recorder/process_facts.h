// What tells one process from all others. Any thread.
#pragma once
#include <stddef.h>
#include <stdint.h>

// When this process was started, in clock ticks since the machine was, as in /proc/PID/stat. 0 when that is not known.
uint64_t process_start_ticks(void);
// Writes the identity of this boot of the machine; empty when that is not known.
void read_boot_id(char *out, size_t room);
