#include "agent/library/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void agent_say(const char *format, ...) {
  char line[256] = "dpcap-agent: ";
  const size_t start = strlen(line);
  va_list values;
  va_start(values, format);
  vsnprintf(line + start, sizeof line - start - 1, format, values);
  va_end(values);
  strcat(line, "\n");
  if (write(STDERR_FILENO, line, strlen(line)) < 0) return;  // a closed standard error is the application's choice
}
