// Which of the primary's memory is mapped in this process. Any thread.
#pragma once

namespace dpcap {

// Tells whether `address` is in memory of the primary that is mapped here. False for memory that an application has put
// under EAL's management itself (external memory, such as testpmd's --mp-alloc=xmem).
bool is_mapped_here(const void* address);

}  // namespace dpcap
