// What the agent tells through DPDK's telemetry, where the application has that: /dpcap/captures and /dpcap/mirrors,
// for dpdk-telemetry.py and exporters.
#pragma once

// Registers the commands. Agent's thread, once EAL is up.
void telemetry_register(void);
