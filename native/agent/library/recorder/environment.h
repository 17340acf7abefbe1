// What DPCAP_RECORDER in the application's environment asks for. Agent's thread.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Reads words such as "memory=256M,snaplen=128,directions=rx,ports=A+B,program=HEX,program-tx=HEX,filter=TEXT"; the
// filter is the last, because it may hold commas. There is no compiler in the application: `dpcap recorder env` prints
// the words with the programs that belong to the filter. Makes the body of a RECORDER_ON message of them, to be freed.
// Returns NULL, or what is wrong with the words; without any, *message is NULL.
const char *environment_read(const char *words, uint8_t **message, size_t *bytes);
