// The probes of a capture in one process, on the functions that its table names for the captured lanes. One call at a
// time, except has_changed() and note_ports(), which any thread may call.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ebpf/fast_path.h"
#include "ebpf/loading/kernel_program.h"
#include "record/lane.h"

namespace dpcap {

class ProbedProcess {
 public:
  // `number`: of the process in its capture. The program outlives this.
  ProbedProcess(const FastPathTable& table, uint32_t number, KernelProgram& program)
      : table_(table), number_(number), program_(program) {}

  // Sets the probes for these lanes, which copy nothing yet. A port that is stopped has none until it starts. Throws as
  // read_fast_path(), code_place() and KernelProgram.
  void attach(const std::vector<Lane*>& lanes);
  // From here on packets are copied. To set a probe takes the kernel a while, but this is done at once for all lanes.
  void open();
  // Ends the lanes whose port's number no device has any more, or another one, and goes on with those whose device is
  // back. Nothing more of a lane that has ended is copied. Any thread; for one process of the application: all have the
  // same ports. Throws ERR_PERMISSION.
  void note_ports();
  // Whether the table names other functions or queues than those that have probes.
  bool has_changed() const;
  // Sets the probes that the table asks for now, and takes out those that nobody needs any more. Returns what became of
  // the ports, for people. Throws as attach().
  std::vector<std::string> follow();
  // Ends the copying, at once for all lanes, and takes all probes out.
  void detach();

 private:
  struct Watched {
    Lane* lane;
    std::string device;  // its name in the process, empty where it cannot be told
    FastPath path;
    std::shared_ptr<Probe> probe;

    // A lane that gave its place up still has its probe.
    bool differs_from(const FastPath& now) const { return !(now == path) || (probe && !now.is_set()); }
  };
  using Function = std::pair<Direction, uint64_t>;

  std::optional<FastPath> wanted(const Watched& watched) const;
  void leave(Watched& watched);
  void move(Watched& watched, const FastPath& to);
  void add_queue(const Watched& watched);
  std::shared_ptr<Probe> probe_on(const Function& function);
  dpcap_probe_queue key_of(const Watched& watched) const;

  const FastPathTable table_;
  const uint32_t number_;
  KernelProgram& program_;
  mutable std::mutex mutex_;
  std::vector<Watched> lanes_;
  bool is_open_ = false;
  std::map<Function, std::weak_ptr<Probe>> probes_;  // one for all lanes that share a function
};

}  // namespace dpcap
