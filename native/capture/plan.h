// What a capture is to do with the packets of its source. All decisions have been made. Any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "record/lane.h"
#include "record/pcap_format.h"
#include "sink/compress/compression.h"
#include "sink/rotation/rotation.h"
#include "sink/tunnel/tunnel_options.h"

namespace dpcap {

// The greatest number that a capture of a process may have: it is part of names.
constexpr uint32_t kMostCaptureNumber = 99;

struct LanePlan {
  LaneId id;
  uint32_t interface;
  uint32_t thread;  // index of the drain thread that drains the lane
  LaneRule rule{};
};

// A filter, as ebpf_insn bytes for packets that are received and for those that are sent; both empty for all packets.
struct FilterPrograms {
  std::vector<uint8_t> rx;
  std::vector<uint8_t> tx;
};

// Where packets go. The capture takes the descriptors over.
struct FrameQueue {
  int rx_fd;
  int tx_fd;  // may be the same
};
struct SinkPlan {
  int fd;                               // of the file or of the tunnel's socket, or -1
  std::vector<FrameQueue> queues;       // of an interface: one for each drain thread
  uint32_t max_rate;                    // of an interface: packets a second, 0 for no limit
  std::optional<TunnelOptions> tunnel;  // fed by one drain thread
  Compression compression{};            // of a file
};

struct CapturePlan {
  std::vector<LanePlan> lanes;
  std::vector<InterfaceInfo> interfaces;
  std::vector<FilterPrograms> filters;  // see LaneRule; the first is that of lanes without one of their own
  FileOptions file;
  FileInfo info;
  uint64_t packet_limit;  // 0 for no limit
  uint64_t byte_limit;
  uint64_t min_free;                       // bytes of the disk, else the capture ends; 0 for no limit
  std::optional<RotationLimits> rotation;  // of files that follow one another
  bool packet_buffered;                    // each round's packets go to the file at once
  SinkPlan sink;
  uint32_t threads;       // number of drain threads
  std::vector<int> cpus;  // for the threads that handle packets; empty: any
};

}  // namespace dpcap
