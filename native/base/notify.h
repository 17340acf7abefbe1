// How a thread that handles packets reports, once, that something has happened.
#pragma once
#include <functional>

namespace dpcap {

// Any thread may call it, often in the middle of its work, so it must not wait. It is empty where nobody wants to know.
using Notify = std::function<void()>;

}  // namespace dpcap
