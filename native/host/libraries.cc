#include "host/libraries.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/fd.h"

namespace dpcap {
namespace {

// Opens a library that nobody with fewer rights than this process can have written: what it contains is executed. The
// checks and the loader see the same file, because the loader gets the descriptor.
Descriptor open_trusted(const std::string& path) {
  Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) throw system_error("cannot open", errno, path);
  struct stat status;
  if (fstat(fd.get(), &status) != 0) throw system_error("cannot look at", errno, path);
  const bool is_ours = status.st_uid == 0 || status.st_uid == geteuid();
  if (S_ISREG(status.st_mode) && is_ours && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return fd;
  throw Error("ERR_PERMISSION", path + " is not loaded: another user could have written it", EACCES, path);
}

// Returns whether it is loaded now; otherwise `words` are the loader's, about the cause rather than a consequence.
//
// The descriptor stays open: the loader knows what it has loaded by name, and the next file must have another one.
bool load(const std::string& path, std::string* words) {
  const Descriptor& fd = *new Descriptor(open_trusted(path));
  const std::string name = "/proc/self/fd/" + std::to_string(fd.get());
  if (dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr) return true;
  const char* said = dlerror();
  delete &fd;
  if (said == nullptr) return false;
  // That another one of them is not there yet is a consequence; what else is wrong is the cause.
  const bool is_cause = strstr(said, "cannot open shared object file") == nullptr;
  if (words->empty() || is_cause) *words = path + ": " + said;
  return false;
}

}  // namespace

// A library that needs one that comes later fails until that one is there, so they are tried again as long as another
// one could be loaded.
void load_libraries(std::vector<std::string> paths) {
  while (!paths.empty()) {
    std::string words;
    const auto loaded =
        std::remove_if(paths.begin(), paths.end(), [&words](const std::string& path) { return load(path, &words); });
    if (loaded == paths.end()) throw Error("ERR_ADDON_LOAD", words, 0, paths.front());
    paths.erase(loaded, paths.end());
  }
}

}  // namespace dpcap
