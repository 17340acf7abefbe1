// Loads shared libraries from where they are, before an addon that needs them: the loader then finds them by their
// SONAMEs and looks nowhere else. Any thread.
#pragma once
#include <string>
#include <vector>

namespace dpcap {

// Loads these files in an order in which each finds what it needs; they stay loaded. Throws ERR_PERMISSION
// for a file that another user owns or may write to (a primary may belong to somebody with fewer rights), ERR_SYSTEM,
// and ERR_ADDON_LOAD with the loader's words when one cannot be loaded.
void load_libraries(std::vector<std::string> paths);

}  // namespace dpcap
