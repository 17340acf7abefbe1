#include "host/libraries.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace dpcap {

// A library that needs one that comes later fails until that one is there, so they are tried again as long as another
// one could be loaded.
void load_libraries(std::vector<std::string> paths) {
  std::string words;
  while (!paths.empty()) {
    const size_t before = paths.size();
    words.clear();
    const auto is_loaded = [&words](const std::string& path) {
      if (dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr) return true;
      const char* said = dlerror();
      // That another one of them is not there yet is a consequence; what else is wrong is the cause.
      const bool is_cause = said != nullptr && strstr(said, "cannot open shared object file") == nullptr;
      if (said != nullptr && (words.empty() || is_cause)) words = said;
      return false;
    };
    paths.erase(std::remove_if(paths.begin(), paths.end(), is_loaded), paths.end());
    if (paths.size() == before) throw Error("ERR_ADDON_LOAD", words, 0, paths.front());
  }
}

}  // namespace dpcap
