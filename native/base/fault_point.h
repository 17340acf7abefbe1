// Named points at which tests have an engine killed, stopped, crashed or delayed.
#pragma once

namespace dpcap {

// Any thread. Does what the environment variable DPCAP_FAULT asks for at this point: a list, separated by commas, of
// `point=action` or `point@N=action` (the N-th time the point is passed), where the action is kill, stop, segv or
// sleep:MILLISECONDS. Without the variable it costs one comparison. No point lies inside of EAL: what is killed here
// holds none of EAL's locks. Points: those that the sources name, e.g. "pool.piece".
void fault_point(const char* name);

}  // namespace dpcap
