// The closing statistics of files that follow one another: each has those of its own span, from the end of the file
// before it to its own, and together they are those of the capture.
//
// The drain thread (or the merge thread) calls end(). Once that thread has ended, any thread calls rest().
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "record/ledger.h"
#include "record/pcap_format.h"

namespace dpcap {

// Adds what one lane had to the totals of its interface.
void add_lane(InterfaceTotals& total, const SourceCounters& source, uint64_t written);

class FileSpans {
 public:
  // `interface_of`: of each lane, below `interfaces`.
  FileSpans(const FileOptions& options, std::vector<uint32_t> interface_of, size_t interfaces)
      : options_(options), interface_of_(std::move(interface_of)), lost_(interface_of_.size()), told_(interfaces) {}

  // Returns the trailer of a file that ends now, with so many packets of each lane. `counted`: what the application has
  // counted for each lane; empty when that cannot be told now, and then its losses are told with a later file.
  std::vector<uint8_t> end(const std::vector<uint64_t>& packets_by_lane, const std::vector<SourceCounters>& counted,
                           uint64_t start_ns);
  // Returns what is left of the capture's totals for its last file.
  std::vector<InterfaceTotals> rest(std::vector<InterfaceTotals> all) const;
  // When the last span ended, CLOCK_REALTIME; 0 when none has.
  uint64_t ended_ns() const { return ended_ns_; }

 private:
  const FileOptions options_;
  const std::vector<uint32_t> interface_of_;
  std::vector<SourceCounters> lost_;   // what has been told of each lane's losses
  std::vector<InterfaceTotals> told_;  // of all files that ended
  uint64_t ended_ns_ = 0;
};

}  // namespace dpcap
