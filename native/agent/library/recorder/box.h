// A black box as the agent writes it: its file, its tables, its ring of segments. Agent's thread.
#pragma once
#include "agent/library/datapath/box_ring.h"
#include "agent/library/recorder/box_file.h"
#include "agent/library/recorder/order.h"

struct box {
  struct box_file file;
  struct box_ring ring;
  struct dpcap_box_header *header;
  struct dpcap_box_lane *lanes;
  uint8_t *data;
  uint32_t segment_bytes;
};

// Makes the box that is asked for, with its header. Returns 0 or an errno, as box_file_make().
int box_make(struct box *box, const struct recorder_order *order, const char *runtime_dir);
// Forgets it, and removes its file.
void box_remove(struct box *box);
