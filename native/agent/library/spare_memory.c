#include "agent/library/spare_memory.h"

#include <stdio.h>
#include <string.h>

#define MOST_PATH 640

// The number behind a word in a file, in units of `unit` bytes; UINT64_MAX where there is none.
static uint64_t number_in(const char *path, const char *word, uint64_t unit) {
  char line[128];
  uint64_t found = UINT64_MAX;
  FILE *const file = fopen(path, "re");
  if (file == NULL) return found;
  while (found == UINT64_MAX && fgets(line, sizeof line, file) != NULL) {
    unsigned long long value;
    const size_t length = strlen(word);
    if (strncmp(line, word, length) == 0 && sscanf(line + length, "%llu", &value) == 1) found = value * unit;
  }
  fclose(file);
  return found;
}

// Where control groups say what memory they may have, and what they use of it. A machine has its memory in one of the
// two; "max", of a group without a limit, is no number.
struct hierarchy {
  const char *line;  // what is in front of the group in /proc/self/cgroup
  const char *mount;
  const char *limit;
  const char *usage;
};
static const struct hierarchy HIERARCHIES[] = {
    {"0::", "/sys/fs/cgroup", "memory.max", "memory.current"},
    {":memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"},
};

// Writes this process's control group of that hierarchy, which begins with a slash. Returns whether there is one.
static bool read_group(const struct hierarchy *hierarchy, char *group, size_t room) {
  char line[512];
  const char *found = NULL;
  FILE *const file = fopen("/proc/self/cgroup", "re");
  if (file == NULL) return false;
  while (found == NULL && fgets(line, sizeof line, file) != NULL) {
    const char *const at = strstr(line, hierarchy->line);
    const bool is_whole = at != NULL && (at == line || hierarchy->line[0] == ':');
    if (is_whole && at[strlen(hierarchy->line)] == '/') found = at + strlen(hierarchy->line);
  }
  fclose(file);
  if (found == NULL) return false;
  line[strcspn(line, "\n")] = 0;
  snprintf(group, room, "%s", found);
  return true;
}

static bool fits_into_group(const struct hierarchy *hierarchy, const char *group, uint64_t bytes) {
  char path[MOST_PATH];
  snprintf(path, sizeof path, "%s%s/%s", hierarchy->mount, group, hierarchy->limit);
  const uint64_t most = number_in(path, "", 1);
  snprintf(path, sizeof path, "%s%s/%s", hierarchy->mount, group, hierarchy->usage);
  const uint64_t used = number_in(path, "", 1);
  return most == UINT64_MAX || used == UINT64_MAX || (used <= most && most - used >= SPARE_SHARE * bytes);
}

// Whether the limit of this process's control group leaves so much room, and those of the groups around it: in a
// container these are what is mounted there. Beyond the limit the kernel would end the application.
static bool fits_into_groups(const struct hierarchy *hierarchy, uint64_t bytes) {
  char group[512];
  if (!read_group(hierarchy, group, sizeof group)) return true;
  for (char *end = group + strlen(group); end != NULL; end = strrchr(group, '/')) {
    *end = 0;
    if (!fits_into_group(hierarchy, group, bytes)) return false;
  }
  return true;
}

bool memory_is_to_spare(uint64_t bytes) {
  return number_in("/proc/meminfo", "MemAvailable:", 1024) / SPARE_SHARE >= bytes &&
         fits_into_groups(&HIERARCHIES[0], bytes) && fits_into_groups(&HIERARCHIES[1], bytes);
}
