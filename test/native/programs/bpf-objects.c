// Prints a line for each program of dpcap's that is in the kernel, and for each link that holds one, as `bpftool prog`
// and `bpftool link` would:
//
//   program 17 rx_return
//   link 9 of program 17
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char* const NAMES[] = {"rx_entry", "rx_return", "tx_entry", "tx_return"};

static int bpf(enum bpf_cmd command, union bpf_attr* attr) {
  return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

// Reads what the kernel tells of the object with this id. One that has gone meanwhile has nothing to tell.
static int read_info(enum bpf_cmd get_fd, __u32 id, void* info, __u32 size) {
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.prog_id = id;
  const int fd = bpf(get_fd, &attr);
  if (fd < 0) return -1;
  memset(&attr, 0, sizeof attr);
  attr.info.bpf_fd = (__u32)fd;
  attr.info.info_len = size;
  attr.info.info = (__u64)(unsigned long)info;
  memset(info, 0, size);
  const int failed = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
  close(fd);
  return failed;
}

static int is_ours(__u32 program, struct bpf_prog_info* info) {
  if (read_info(BPF_PROG_GET_FD_BY_ID, program, info, sizeof *info) != 0) return 0;
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
    if (strcmp(info->name, NAMES[i]) == 0) return 1;
  return 0;
}

// Sets `*id` to the next one after it. Returns whether there is one.
static int next(enum bpf_cmd get_next, __u32* id) {
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.start_id = *id;
  if (bpf(get_next, &attr) != 0) return 0;
  *id = attr.next_id;
  return 1;
}

int main(void) {
  struct bpf_prog_info program;
  struct bpf_link_info link;
  for (__u32 id = 0; next(BPF_PROG_GET_NEXT_ID, &id);)
    if (is_ours(id, &program)) printf("program %u %s\n", id, program.name);
  for (__u32 id = 0; next(BPF_LINK_GET_NEXT_ID, &id);)
    if (read_info(BPF_LINK_GET_FD_BY_ID, id, &link, sizeof link) == 0 && is_ours(link.prog_id, &program))
      printf("link %u of program %u\n", id, link.prog_id);
  return 0;
}
