// Loads shared libraries from where they are, before an addon that needs them: the loader then finds them by their
// SONAMEs and looks nowhere else. Any thread.
#pragma once
#include <string>
#include <vector>

namespace dpcap {

// Loads these files in an order in which each finds what it needs; they stay loaded. Throws ERR_ADDON_LOAD with the
// loader's words about the first that cannot be loaded.
void load_libraries(std::vector<std::string> paths);

}  // namespace dpcap
