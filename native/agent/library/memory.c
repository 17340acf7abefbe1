#define _GNU_SOURCE
#include "agent/library/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/library/spare_memory.h"

#define HUGE_PAGE (2u << 20)
#define BURSTS 32768u
// A segment is smaller where there would be few of them: each lane has one of its own, also one that is idle.
#define MOST_SEGMENT (1u << 20)
#define LEAST_SEGMENT (256u << 10)
#define SEGMENTS_A_LANE 4
#define LEAST_SEGMENTS_A_LANE 2

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static uint64_t free_huge_bytes(void) {
  unsigned long pages = 0;
  FILE *const file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");
  if (file == NULL) return 0;
  if (fscanf(file, "%lu", &pages) != 1) pages = 0;
  fclose(file);
  return (uint64_t)pages * HUGE_PAGE;
}

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u  // since Linux 6.3
#endif

// A file in memory that nobody can execute. Where vm.memfd_noexec is 2, Linux 6.3 to 6.5 make no other one
// (mm/memfd.c); before 6.3 the flag is not known.
static int make_memory_file(const char *name, unsigned int flags) {
  const int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | flags);
  return fd < 0 && errno == EINVAL ? memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | flags) : fd;
}

// Memory that cannot become shorter under the application. fallocate() makes the pages: where there are none, it says
// so, and no later access ends in SIGBUS.
static int make_area(const char *name, size_t bytes, unsigned int flags, int *fd, uint8_t **area) {
  *fd = make_memory_file(name, flags);
  if (*fd < 0) return errno;
  if (ftruncate(*fd, (off_t)bytes) == 0 && fallocate(*fd, 0, 0, (off_t)bytes) == 0 &&
      fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0) {
    void *const mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, *fd, 0);
    if (mapped != MAP_FAILED) {
      madvise(mapped, bytes, MADV_DONTFORK);
      madvise(mapped, bytes, MADV_DONTDUMP);
      *area = mapped;
      return 0;
    }
  }
  const int err = errno;
  close(*fd);
  *fd = -1;
  return err;
}

static int make_data(struct memory *memory) {
  const size_t bytes = memory->data_bytes;
  memory->is_huge = free_huge_bytes() >= SPARE_SHARE * (uint64_t)bytes &&
                    make_area("dpcap-data", bytes, MFD_HUGETLB, &memory->data_fd, &memory->data) == 0;
  if (!memory->is_huge && !memory_is_to_spare(bytes)) return ENOMEM;
  const int err = memory->is_huge ? 0 : make_area("dpcap-data", bytes, 0, &memory->data_fd, &memory->data);
  // From here nobody can map it to write, or punch holes into it. Linux before 5.1 does not know this seal.
  if (err == 0) fcntl(memory->data_fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
  return err;
}

int memory_make(struct memory *memory, uint64_t data_bytes, uint32_t lanes) {
  memset(memory, 0, sizeof *memory);
  memory->control_fd = memory->data_fd = -1;
  memory->segment_bytes = MOST_SEGMENT;
  while (memory->segment_bytes > LEAST_SEGMENT && data_bytes / memory->segment_bytes < SEGMENTS_A_LANE * lanes)
    memory->segment_bytes /= 2;
  const uint64_t least = (uint64_t)LEAST_SEGMENTS_A_LANE * lanes * memory->segment_bytes;
  const uint64_t wanted = data_bytes < least ? least : data_bytes;
  memory->data_bytes = (wanted + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  memory->segments = (uint32_t)(memory->data_bytes / memory->segment_bytes);
  memory->bursts = BURSTS;
  memory->control_bytes = dpcap_agent_control_bytes(memory->segments, lanes, BURSTS);
  int err = make_area("dpcap-control", memory->control_bytes, 0, &memory->control_fd, &memory->control);
  if (err == 0) err = make_data(memory);
  if (err != 0) memory_free(memory);
  return err;
}

void memory_free(struct memory *memory) {
  if (memory->control != NULL) munmap(memory->control, memory->control_bytes);
  if (memory->data != NULL) munmap(memory->data, memory->data_bytes);
  if (memory->control_fd >= 0) close(memory->control_fd);
  if (memory->data_fd >= 0) close(memory->data_fd);
  memset(memory, 0, sizeof *memory);
  memory->control_fd = memory->data_fd = -1;
}
