// What the agent tells about its process and its ports. Agent's thread.
#pragma once
#include <stddef.h>
#include <stdint.h>

// To be called when the library was loaded into a running application. Any thread, before the agent's is started.
void hello_is_injected(void);
// Writes a dpcap_agent_hello and as many ports as there is room for; returns the bytes.
size_t hello_write(uint8_t *out, size_t room);
