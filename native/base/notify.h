// How a thread that handles packets says, once, that something happened.
#pragma once
#include <functional>

namespace dpcap {

// Called by any thread, and so often in the middle of its work: must not wait. Empty where nobody wants to know.
using Notify = std::function<void()>;

}  // namespace dpcap
