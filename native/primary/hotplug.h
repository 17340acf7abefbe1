// Answers the primary's hot-plug requests in place of EAL's own handler. The answers come from EAL's IPC thread.
#pragma once

namespace dpcap {

// When a primary attaches or detaches a device, it asks every secondary to do the same, and rolls its own attach back
// if one of them fails. dpcap has no drivers and needs none, so EAL's handler would always fail, and an attached dpcap
// would break the primary's hot-plug. This handler answers "done" and does nothing. Call once, after rte_eal_init.
void answer_hotplug_requests();

}  // namespace dpcap
