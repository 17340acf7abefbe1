// What the agent says to the user of the application. Any thread.
#pragma once

// Writes one line to standard error.
__attribute__((format(printf, 1, 2))) void agent_say(const char *format, ...);
