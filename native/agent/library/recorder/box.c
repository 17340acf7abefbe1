#define _GNU_SOURCE
#include "agent/library/recorder/box.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/library/dpdk.h"
#include "agent/library/recorder/process_facts.h"

#define MOST_SEGMENT (1u << 20)
#define LEAST_SEGMENT (256u << 10)
#define WANTED_SEGMENTS 128
// The largest head and tail of a record, rounded up.
#define RECORD_EXTRA 128u

// Small segments where there would be few: each lane keeps one, also one that is idle. A record fits in any.
static uint32_t choose_segment_bytes(const struct dpcap_agent_recorder_order *head) {
  uint32_t bytes = MOST_SEGMENT;
  while (bytes > LEAST_SEGMENT && head->memory_bytes / bytes < WANTED_SEGMENTS &&
         bytes / 2 >= head->snaplen + RECORD_EXTRA)
    bytes /= 2;
  return bytes;
}

static uint64_t now(clockid_t id) {
  struct timespec time;
  clock_gettime(id, &time);
  return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

static void write_text(char *out, size_t room, const char *text) {
  const size_t length = text == NULL ? 0 : strnlen(text, room - 1);
  memcpy(out, text == NULL ? "" : text, length);
  out[length] = 0;
}

static void describe_process(struct dpcap_box_header *header, const char *runtime_dir) {
  const char *const slash = strrchr(runtime_dir, '/');
  header->pid = (uint32_t)getpid();
  header->process_start_ticks = process_start_ticks();
  header->started_wall_ns = now(CLOCK_REALTIME);
  header->started_steady_ns = now(CLOCK_MONOTONIC);
  header->tsc_hz = dpdk.tsc_hz();
  read_boot_id(header->boot_id, sizeof header->boot_id);
  write_text(header->program, sizeof header->program, program_invocation_short_name);
  write_text(header->file_prefix, sizeof header->file_prefix, slash == NULL ? runtime_dir : slash + 1);
  write_text(header->dpdk_version, sizeof header->dpdk_version, dpdk.version());
}

// The magic is last: a file without it is none.
static void write_header(struct box *box, const struct recorder_order *order, const char *runtime_dir) {
  struct dpcap_box_header *const header = box->header;
  header->version = DPCAP_BOX_VERSION;
  header->lane_slots = DPCAP_BOX_LANES;
  header->segments = box->ring.segments;
  header->segment_bytes = box->segment_bytes;
  header->segments_offset = dpcap_box_segments_offset();
  header->data_offset = dpcap_box_data_offset(box->ring.segments);
  header->file_bytes = box->file.size;
  header->snaplen = order->head.snaplen;
  memcpy(header->filter, order->filter, order->head.filter_bytes);
  describe_process(header, runtime_dir);
  memcpy(header->magic, DPCAP_BOX_MAGIC, sizeof header->magic);
}

static int publish(struct box *box) {
  const int err = box_file_publish(&box->file);
  if (err != 0) box_remove(box);
  return err;
}

int box_make(struct box *box, const struct recorder_order *order, const char *runtime_dir) {
  memset(box, 0, sizeof *box);
  box->file.fd = -1;
  box->segment_bytes = choose_segment_bytes(&order->head);
  box->ring.segments = (uint32_t)(order->head.memory_bytes / box->segment_bytes);
  box->ring.taken = calloc(box->ring.segments, 1);
  if (box->ring.taken == NULL) return ENOMEM;
  const uint64_t data_offset = dpcap_box_data_offset(box->ring.segments);
  const uint64_t size = data_offset + (uint64_t)box->ring.segments * box->segment_bytes;
  const int err = box_file_make(&box->file, runtime_dir, size);
  if (err != 0) {
    free(box->ring.taken);
    box->ring.taken = NULL;
    return err;
  }
  uint8_t *const bytes = box->file.bytes;
  box->header = (void *)bytes;
  box->lanes = (void *)(bytes + DPCAP_BOX_HEADER_BYTES);
  box->ring.table = (void *)(bytes + dpcap_box_segments_offset());
  box->data = bytes + data_offset;
  write_header(box, order, runtime_dir);
  return publish(box);
}

void box_remove(struct box *box) {
  box_file_remove(&box->file);
  free(box->ring.taken);
  memset(box, 0, sizeof *box);
  box->file.fd = -1;
}
