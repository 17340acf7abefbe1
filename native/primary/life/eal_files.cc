#include "primary/life/eal_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <set>
#include <vector>

#include "base/fd.h"
#include "base/process/mappings.h"

namespace dpcap {
namespace {

std::vector<Mapping> own_mappings() {
  std::vector<Mapping> mappings;
  find_mapping("self", [&](const Mapping& one) {
    mappings.push_back(one);
    return false;
  });
  return mappings;
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

bool is_huge_page(int fd) {
  struct statfs status;
  return fstatfs(fd, &status) == 0 && status.f_type == HUGETLBFS_MAGIC;
}

// The path of a descriptor of this process; empty when it is closed, or not a file.
std::string path_of(int fd) {
  char path[4096];
  const ssize_t length = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  return length > 0 && path[0] == '/' ? std::string(path, static_cast<size_t>(length)) : "";
}

bool starts_with(const std::string& text, const std::string& start) { return text.rfind(start, 0) == 0; }

// Replaces a shared mapping by a private copy. The copy is read through /proc/self/mem: a direct read would raise
// SIGBUS where a new primary has truncated the file.
void make_private(const Mapping& mapping, int own_memory) {
  void* copy = mmap(nullptr, mapping.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (copy == MAP_FAILED) return;
  for (size_t at = 0; at < mapping.size() && mapping.protection != PROT_NONE;) {
    const ssize_t got =
        pread(own_memory, static_cast<char*>(copy) + at, mapping.size() - at, static_cast<off_t>(mapping.start + at));
    if (got <= 0) break;
    at += static_cast<size_t>(got);
  }
  mprotect(copy, mapping.size(), mapping.protection);
  mremap(copy, mapping.size(), mapping.size(), MREMAP_MAYMOVE | MREMAP_FIXED, reinterpret_cast<void*>(mapping.start));
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Makes the mappings of the configuration with its locks, and of the lists of memzones and pages, private. A new
// primary uses the same files, and a thread of this process that is inside EAL at this moment would release, or take, a
// lock of the new primary. EAL's shadow lists, whose names contain this process's pid, belong to this process alone.
void leave_shared_state(const std::string& dir) {
  const Descriptor own_memory(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  const std::string ours = "_" + std::to_string(getpid());
  for (const Mapping& mapping : own_mappings()) {
    if (starts_with(mapping.name, dir) && !ends_with(mapping.name, ours)) make_private(mapping, own_memory.get());
  }
}

// A primary asks every process whose socket lies in `dir` for consent to changes of its memory, and waits for the
// answers. This process would map the new primary's pages over the old one's.
void remove_socket(const std::string& dir) {
  own_descriptors([&](int fd) {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 || address.sun_family != AF_UNIX)
      return false;
    char* real = realpath(address.sun_path, nullptr);
    if (real != nullptr && starts_with(real, dir)) unlink(real);
    free(real);
    return false;
  });
}

// Removes a file that holds several pages (--single-file-segments). The next primary's EAL does not remove it if it
// looked before this process let go.
void remove_if_shared(int fd) {
  struct stat status;
  if (fstat(fd, &status) == 0 && status.st_size > status.st_blksize) unlink(path_of(fd).c_str());
}

// A mapping keeps a lock alive after the descriptors are closed (it holds the open file), hence the explicit unlock.
// The descriptor number stays taken: EAL, which knows nothing of this, may close it or lock it again, and must not meet
// another file.
void let_go(const std::vector<int>& fds) {
  const Descriptor nowhere(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : fds) {
    flock(fd, LOCK_UN);
    if (nowhere.get() >= 0) dup3(nowhere.get(), fd, O_CLOEXEC);
  }
}

std::mutex devices_mutex;
std::set<dev_t> huge_page_devices;

void remember_device(int fd) {
  struct stat status;
  const std::lock_guard lock(devices_mutex);
  if (fstat(fd, &status) == 0) huge_page_devices.insert(status.st_dev);
}

}  // namespace

// The arrays' locks are released last: while they are held, no primary gets to its memory (rte_fbarray_init).
void let_go_of_eal_files(const std::string& runtime_dir) {
  char* real = realpath(runtime_dir.c_str(), nullptr);
  const std::string dir = std::string(real != nullptr ? real : runtime_dir.c_str()) + "/";
  free(real);
  leave_shared_state(dir);
  remove_socket(dir);
  const std::vector<int> pages = own_descriptors(is_huge_page);
  for (const int fd : pages) {
    remember_device(fd);
    remove_if_shared(fd);
  }
  let_go(pages);
  let_go(own_descriptors([&](int fd) { return starts_with(path_of(fd), dir + "fbarray_"); }));
}

void let_go_of_huge_pages() {
  const std::lock_guard lock(devices_mutex);
  for (const Mapping& mapping : own_mappings()) {
    if (huge_page_devices.count(mapping.device) == 0) continue;
    mmap(reinterpret_cast<void*>(mapping.start), mapping.size(), PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  }
}

}  // namespace dpcap
