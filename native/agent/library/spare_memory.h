// How much memory the application can do without. Agent's thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// So many times what is taken must be free: the application keeps its share.
#define SPARE_SHARE 2

// Whether the application would not miss so much memory, of the machine's and of its control groups'.
bool memory_is_to_spare(uint64_t bytes);
