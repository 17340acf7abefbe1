// Named points at which tests kill, stop, crash or delay an engine. Any thread.
#pragma once

namespace dpcap {

// Does what the environment variable DPCAP_FAULT asks for at this point. The variable is a comma-separated list of
// `point=action` or `point@N=action` (the N-th time that the point is passed); the action is kill, stop, segv or
// sleep:MILLISECONDS. Without the variable, a call costs one comparison. No point lies inside EAL, so a process that is
// killed here holds none of EAL's locks. The points are those that the sources name, e.g. "pool.piece".
void fault_point(const char* name);

}  // namespace dpcap
