#include "agent/library/recorder/process_facts.h"

#include <stdio.h>
#include <string.h>

static size_t read_text(const char *path, char *out, size_t room) {
  out[0] = 0;
  FILE *const file = fopen(path, "re");
  if (file == NULL) return 0;
  const size_t size = fread(out, 1, room - 1, file);
  fclose(file);
  out[size] = 0;
  return size;
}

// The 22nd word; the second is the program's name in parentheses, which may hold spaces and parentheses itself.
uint64_t process_start_ticks(void) {
  char text[1024];
  unsigned long long ticks = 0;
  read_text("/proc/self/stat", text, sizeof text);
  const char *const name_end = strrchr(text, ')');
  if (name_end == NULL) return 0;
  const int found =
      sscanf(name_end + 1, " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &ticks);
  return found == 1 ? ticks : 0;
}

void read_boot_id(char *out, size_t room) {
  read_text("/proc/sys/kernel/random/boot_id", out, room);
  out[strcspn(out, "\n")] = 0;
}
