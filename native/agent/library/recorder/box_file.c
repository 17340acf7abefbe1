#define _GNU_SOURCE
#include "agent/library/recorder/box_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "agent/library/recorder/process_facts.h"
#include "agent/library/spare_memory.h"

// So many times the box's size must be free in its file system: /run, for one, is needed by others.
#define SHARE 2
// An application that crashes again and again does not fill the machine's memory with its boxes.
#define MOST_DEAD 8

// Opens the folder, and makes it where there is none; -1 with errno. One that others could have made, or can write to,
// is none of ours.
static int open_folder(const char *path) {
  struct stat status;
  if (mkdir(path, 0700) != 0 && errno != EEXIST) return -1;
  const int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) {
    if (errno == ELOOP || errno == ENOTDIR) errno = EPERM;
    return -1;
  }
  if (fstat(folder, &status) == 0 && status.st_uid == geteuid() && (status.st_mode & 022) == 0) return folder;
  close(folder);
  errno = EPERM;
  return -1;
}

static int judge_room(int folder, size_t size) {
  struct statfs status;
  if (fstatfs(folder, &status) != 0) return errno;
  if ((unsigned long)status.f_type != TMPFS_MAGIC) return ENODEV;
  return (uint64_t)status.f_bavail * (uint64_t)status.f_bsize / SHARE >= size ? 0 : ENOSPC;
}

static bool is_dead(int folder, const char *name) {
  if (strncmp(name, DPCAP_BOX_FILE, strlen(DPCAP_BOX_FILE)) != 0) return false;
  const int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  const bool is_free = flock(fd, LOCK_SH | LOCK_NB) == 0;
  close(fd);
  return is_free;
}

static int judge_number(int folder) {
  unsigned int dead = 0;
  const int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *const names = again < 0 ? NULL : fdopendir(again);
  if (names == NULL) return errno;
  for (const struct dirent *one; (one = readdir(names)) != NULL;) dead += is_dead(folder, one->d_name);
  closedir(names);
  return dead < MOST_DEAD ? 0 : EDQUOT;
}

// fallocate() makes the pages: where there are none, it says so, and no later access ends in SIGBUS.
static int fill(struct box_file *file) {
  if (ftruncate(file->fd, (off_t)file->size) != 0 || fallocate(file->fd, 0, 0, (off_t)file->size) != 0) return errno;
  if (flock(file->fd, LOCK_EX | LOCK_NB) != 0) return errno;
  void *const mapped = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file->fd, 0);
  if (mapped == MAP_FAILED) return errno;
  madvise(mapped, file->size, MADV_DONTFORK);
  madvise(mapped, file->size, MADV_DONTDUMP);
  file->bytes = mapped;
  return 0;
}

static int make_file(struct box_file *file, int folder, const char *folder_path) {
  const int length = snprintf(file->path, sizeof file->path, "%s/" DPCAP_BOX_FILE "%d_%llu", folder_path, (int)getpid(),
                              (unsigned long long)process_start_ticks());
  if (length >= (int)sizeof file->path) return ENAMETOOLONG;
  file->fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file->fd < 0) return errno;
  const int err = fill(file);
  if (err != 0) box_file_remove(file);
  return err;
}

int box_file_publish(const struct box_file *file) {
  char own[64];
  snprintf(own, sizeof own, "/proc/self/fd/%d", file->fd);
  return linkat(AT_FDCWD, own, AT_FDCWD, file->path, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

static int make_in(struct box_file *file, const char *folder_path, size_t size) {
  const int folder = open_folder(folder_path);
  if (folder < 0) return errno;
  *file = (struct box_file){-1, NULL, size, ""};
  int err = judge_room(folder, size);
  if (err == 0) err = judge_number(folder);
  if (err == 0) err = make_file(file, folder, folder_path);
  close(folder);
  if (err != 0) rmdir(folder_path);  // stays if it is not empty
  return err;
}

// Whether an environment variable names the directory that this one is below.
static bool is_below(const char *variable, const char *runtime_dir) {
  const char *const named = getenv(variable);
  return named != NULL && named[0] != 0 && strncmp(named, runtime_dir, strlen(named)) == 0;
}

// systemd names runtime directories that it removes with what is in them: a service's when that has ended, however that
// was (RuntimeDirectory=), and a user's when he has logged out.
static bool outlives_process(const char *runtime_dir) {
  return !is_below("RUNTIME_DIRECTORY", runtime_dir) && !is_below("XDG_RUNTIME_DIR", runtime_dir);
}

int box_file_make(struct box_file *file, const char *runtime_dir, size_t size) {
  char path[PATH_MAX];
  if (!memory_is_to_spare(size)) return ENOMEM;
  if (outlives_process(runtime_dir) &&
      snprintf(path, sizeof path, "%s/" DPCAP_BOX_FOLDER, runtime_dir) < (int)sizeof path) {
    const int err = make_in(file, path, size);
    if (err == 0 || err == EDQUOT) return err;
  }
  snprintf(path, sizeof path, "/dev/shm/" DPCAP_BOX_FOLDER "_%u", (unsigned int)geteuid());
  return make_in(file, path, size);
}

void box_file_remove(struct box_file *file) {
  struct stat status;
  if (file->bytes != NULL) munmap(file->bytes, file->size);
  if (file->fd >= 0) {
    if (fstat(file->fd, &status) == 0 && status.st_nlink > 0) unlink(file->path);
    close(file->fd);
    *strrchr(file->path, '/') = 0;
    rmdir(file->path);
  }
  *file = (struct box_file){-1, NULL, 0, ""};
}
