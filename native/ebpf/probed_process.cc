#include "ebpf/probed_process.h"

#include <algorithm>
#include <set>

namespace dpcap {

void ProbedProcess::attach(const std::vector<Lane*>& lanes) {
  {
    const std::lock_guard lock(mutex_);
    for (Lane* lane : lanes)
      lanes_.push_back({lane, read_device_name(table_, lane->id.port).value_or(""), {}, nullptr});
  }
  follow();
}

void ProbedProcess::open() {
  const std::lock_guard lock(mutex_);
  is_open_ = true;
  for (const Watched& watched : lanes_) add_queue(watched);
}

// A queue of another device may be where the lane's was, so that the lane gives its place up at once.
void ProbedProcess::note_ports() {
  const std::lock_guard lock(mutex_);
  for (Watched& watched : lanes_) {
    const auto name = read_device_name(table_, watched.lane->id.port);
    if (!name || watched.device.empty()) continue;
    if (*name == watched.device) {
      watched.lane->begin_again();
    } else {
      watched.lane->end(LaneState::port_gone);
      leave(watched);
    }
  }
}

// Returns where a lane's calls are to be probed now; nothing when the process has ended.
std::optional<FastPath> ProbedProcess::wanted(const Watched& watched) const {
  return watched.lane->is_live() ? read_fast_path(table_, watched.lane->id) : FastPath{};
}

bool ProbedProcess::has_changed() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(lanes_.begin(), lanes_.end(), [&](const Watched& watched) {
    const auto now = wanted(watched);
    return now && watched.differs_from(*now);
  });
}

std::vector<std::string> ProbedProcess::follow() {
  const std::lock_guard lock(mutex_);
  std::set<std::string> told;
  std::vector<std::pair<Watched*, FastPath>> moves;
  for (Watched& watched : lanes_) {
    const auto now = wanted(watched);
    if (now && watched.differs_from(*now)) moves.emplace_back(&watched, *now);
  }
  // A queue may be where another one was: all old places are given up before a lane takes a new one.
  for (const auto& [watched, now] : moves) leave(*watched);
  for (const auto& [watched, now] : moves) {
    const std::string& device = watched->lane->id.device;
    if (!watched->lane->is_live()) {
      // Whoever watches the lanes' states tells it.
    } else if (!now.is_set()) {
      told.insert(device + " was stopped: its packets are seen again as soon as it starts");
    } else {
      told.insert(
          device +
          " has started, or has other functions now, and is probed again: packets of about 0.1 s before are missing");
    }
    move(*watched, now);
  }
  return {told.begin(), told.end()};
}

// A lane that cannot be moved then has no place, and is tried again: its old one may be another lane's by that time.
void ProbedProcess::leave(Watched& watched) {
  if (watched.path.is_set()) program_.remove_queue(key_of(watched));
  watched.path = {};
}

// The old probe goes when the last lane that needs it has moved away.
void ProbedProcess::move(Watched& watched, const FastPath& to) {
  watched.probe = to.is_set() ? probe_on({watched.lane->id.direction, to.function}) : nullptr;
  watched.path = to;
  if (is_open_) add_queue(watched);
}

void ProbedProcess::add_queue(const Watched& watched) {
  if (watched.path.is_set()) program_.add_queue(key_of(watched), static_cast<uint32_t>(watched.lane->index));
}

std::shared_ptr<Probe> ProbedProcess::probe_on(const Function& function) {
  std::weak_ptr<Probe>& known = probes_[function];
  if (std::shared_ptr<Probe> probe = known.lock()) return probe;
  const auto direction = static_cast<uint32_t>(function.first);
  std::shared_ptr<Probe> probe =
      program_.attach(direction, table_.pid, number_, code_place(table_.pid, function.second));
  known = probe;
  return probe;
}

dpcap_probe_queue ProbedProcess::key_of(const Watched& watched) const {
  return {watched.path.queue, static_cast<uint32_t>(watched.lane->id.direction), number_};
}

void ProbedProcess::detach() {
  const std::lock_guard lock(mutex_);
  for (const Watched& watched : lanes_) {
    if (watched.path.is_set()) program_.remove_queue(key_of(watched));
  }
  lanes_.clear();
}

}  // namespace dpcap
