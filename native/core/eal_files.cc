#include "core/eal_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "core/descriptor.h"

namespace dpcap {
namespace {

bool is_huge_page(int fd) {
  struct statfs status;
  return fstatfs(fd, &status) == 0 && status.f_type == HUGETLBFS_MAGIC;
}

// Where a descriptor of ours leads; empty when it is gone, or no file.
std::string path_of(int fd) {
  char path[4096];
  const ssize_t length = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  return length > 0 && path[0] == '/' ? std::string(path, static_cast<size_t>(length)) : "";
}

std::vector<int> own_descriptors(const std::function<bool(int)>& wanted) {
  std::vector<int> fds;
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return fds;
  while (const dirent* entry = readdir(dir)) {
    const int fd = atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != dirfd(dir) && wanted(fd)) fds.push_back(fd);
  }
  closedir(dir);
  return fds;
}

// A mapping keeps a lock alive whose descriptors are closed (it holds the open file), hence the explicit unlock. The
// number stays taken: EAL, which knows nothing of this, may close it or lock it again, and must not meet another file.
void let_go(const std::vector<int>& fds) {
  const Descriptor nowhere(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : fds) {
    flock(fd, LOCK_UN);
    if (nowhere.get() >= 0) dup3(nowhere.get(), fd, O_CLOEXEC);
  }
}

}  // namespace

void let_go_of_eal_files(const std::string& runtime_dir) {
  char* real = realpath(runtime_dir.c_str(), nullptr);
  const std::string arrays = std::string(real != nullptr ? real : runtime_dir.c_str()) + "/fbarray_";
  free(real);
  // The arrays last: as long as they are locked, no primary gets as far as to its memory (rte_fbarray_init), where it
  // would take up pages that it could not remove (--single-file-segments).
  let_go(own_descriptors(is_huge_page));
  let_go(own_descriptors([&](int fd) { return path_of(fd).rfind(arrays, 0) == 0; }));
}

}  // namespace dpcap
