#include "reader/file_poller.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/error.h"
#include "reader/format/pcapng_options.h"

namespace dpcap {
namespace {

std::vector<Lane*> by_interface(const std::vector<Lane*>& lanes) {
  std::vector<Lane*> sorted;
  for (Lane* lane : lanes) {
    sorted.resize(std::max<size_t>(sorted.size(), lane->interface + 1));
    sorted[lane->interface] = lane;
  }
  return sorted;
}

}  // namespace

FilePoller::FilePoller(const std::vector<Lane*>& lanes, const ReaderInput& input, Selection selection,
                       std::unique_ptr<PacketOutput> output, Sink& sink, Admission& admission)
    : lanes_(by_interface(lanes)),
      input_(input),
      selection_(selection),
      output_(std::move(output)),
      sink_(sink),
      admission_(admission),
      lost_(lanes_.size()) {}

uint32_t FilePoller::deliver(More) {
  if (!input_.flows.load(std::memory_order_acquire)) return 0;
  if (has_ended_) {
    tell_end();
    return 0;
  }
  try {
    return read_some();
  } catch (const Error& error) {
    end_with(InputEnd::How::damaged, error.what());
  } catch (const std::bad_alloc&) {
    end_with(InputEnd::How::damaged, "there is no memory for what comes next in it");
  }
  return 0;
}

uint32_t FilePoller::read_some() {
  uint32_t count = 0;
  while (count < kMostInRound && !has_ended_) {
    if (!admission_.is_open()) {  // a limit was reached, or the sink failed: those tell of it themselves
      has_ended_ = true;
      return count;
    }
    const PacketFile::Next next = input_.file.next(&packet_);
    if (next == PacketFile::Next::not_yet) return count;
    if (next == PacketFile::Next::end) {
      end_with(input_.file.file().is_cut() ? InputEnd::How::cut : InputEnd::How::complete, "");
      return count;
    }
    handle(packet_);
    count++;
  }
  return count;
}

void FilePoller::handle(FilePacket& packet) {
  const Lane& lane = *lanes_[packet.interface];
  input_.read[lane.index].add(1);
  uint64_t& lost = lost_[packet.interface];
  if (is_left_out(packet)) {
    lost += lost_before(packet.options);
    return admission_.filtered(lane, 1);
  }
  if (lost != 0) add_lost_before(std::exchange(lost, 0), &packet.options);
  const uint32_t admitted = admission_.admit(lane, 1);
  if (admitted == 0) return;
  admission_.recorded(lane, admitted, output_->put(packet, lane));
  if (selection_.limit != 0 && --selection_.limit == 0) end_with(InputEnd::How::limit, "");
}

bool FilePoller::is_left_out(const FilePacket& packet) {
  if (!input_.filter.matches(packet.bytes, packet.caplen, packet.len)) return true;
  if (selection_.skip == 0) return false;
  selection_.skip--;
  return true;
}

void FilePoller::end_with(InputEnd::How how, std::string words) {
  has_ended_ = true;
  end_ = InputEnd{how, std::move(words)};
}

// A slow reader of the output is waited for: once the end is told, it no longer is.
void FilePoller::tell_end() {
  if (!end_) return;
  sink_.flush();
  if (!sink_.has_sent_all()) return;
  input_.end.tell(*end_);
  end_.reset();
}

}  // namespace dpcap
