#include "reader/file_source.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "capture/capture.h"
#include "file_bytes.h"
#include "tap.h"
#include "temporary_file.h"

using namespace dpcap;

namespace {

// A descriptor of a file with these bytes.
int opened(const TemporaryFile& file, const std::vector<uint8_t>& bytes) {
  if (write(file.fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) abort();
  close(file.fd);
  return open(file.path.c_str(), O_RDONLY | O_CLOEXEC);
}

std::shared_ptr<InputFile> input_of(int fd) {
  auto input = std::make_shared<InputFile>(fd);
  while (!input->open()) {
  }
  return input;
}

FileBytes numbered(uint32_t packets) {
  FileBytes file;
  file.pcap_head(0xa1b23c4d);
  for (uint32_t i = 0; i < packets; i++) {
    std::string packet(60, static_cast<char>(i));
    memcpy(packet.data(), &i, sizeof i);
    file.pcap_record(i, 0, packet, 60);
  }
  return file;
}

CapturePlan plan_for(const InputFile& input, int fd, uint64_t byte_limit = 0, FileFormat format = FileFormat::pcap) {
  CapturePlan plan{};
  const auto& interfaces = input.file().interfaces();
  for (uint32_t i = 0; i < interfaces.size(); i++) {
    plan.lanes.push_back({{"a", static_cast<uint16_t>(i), 0, Direction::rx}, i, 0});
    plan.interfaces.push_back({interfaces[i].name, interfaces[i].description, interfaces[i].filter});
  }
  plan.file = {format, true, 262144};
  plan.info.has_statistics = false;
  plan.byte_limit = byte_limit;
  plan.sink.fd = fd;
  plan.threads = 1;
  return plan;
}

// Reads a file to its end, as the engine does.
CaptureStats read_into(int fd, const std::shared_ptr<InputFile>& input, Selection selection, uint64_t byte_limit = 0,
                       FileFormat format = FileFormat::pcap) {
  std::atomic<int> calls{0};
  const Notify notify = [&] { calls++; };
  const CapturePlan plan = plan_for(*input, fd, byte_limit, format);
  Capture capture(plan, std::make_unique<FileSource>(ReaderPlan{input, {}, plan.file, selection}, notify), notify);
  capture.prepare();
  capture.enable();
  while (calls == 0) std::this_thread::yield();
  CHECK(capture.disable(Primary::alive).empty());
  capture.finish(Capture::Quiet::confirmed);
  CHECK(capture.free());
  CaptureStats stats = capture.stats();
  CHECK(stats.lanes[0].balance.on_their_way() == 0);
  return stats;
}

void whole_file() {
  TemporaryFile in, out;
  const FileBytes file = numbered(20'000);
  const CaptureStats stats = read_into(out.fd, input_of(opened(in, file.bytes)), {});
  CHECK(stats.source.input_end.how == InputEnd::How::complete && stats.lanes[0].balance.written == 20'000);
  CHECK(out.bytes() == file.bytes);
}

// Which packets are left out, which are taken, and that no more is read than that.
void selections() {
  struct Case {
    Selection selection;
    InputEnd::How how;
    uint64_t written, filtered;
  };
  for (const Case& one :
       {Case{{5, 0}, InputEnd::How::complete, 995, 5}, Case{{0, 7}, InputEnd::How::limit, 7, 0},
        Case{{990, 7}, InputEnd::How::limit, 7, 990}, Case{{2000, 7}, InputEnd::How::complete, 0, 1000},
        Case{{0, 1000}, InputEnd::How::limit, 1000, 0}}) {
    TemporaryFile in, out;
    const CaptureStats stats = read_into(out.fd, input_of(opened(in, numbered(1000).bytes)), one.selection);
    const Balance& balance = stats.lanes[0].balance;
    CHECK(stats.source.input_end.how == one.how && balance.written == one.written);
    CHECK(balance.source.filtered == one.filtered && balance.surplus == 0 && balance.sinkdrop == 0);
    CHECK(out.size() == 24 + 76 * one.written);
  }
}

// What a packet that is left out says of those lost before it, the next one of its interface says.
void gaps_go_on() {
  FileBytes file;
  file.section().interface("a").interface("b");
  const auto packet = [&](uint32_t interface, uint64_t lost) {
    FileBytes body = file.part().word(interface).word(0).word(0).word(4).word(4).raw("abcd");
    if (lost != 0) body.option(4, file.part().wide(lost)).end_of_options();
    file.block(6, body);
  };
  packet(0, 5);
  packet(0, 0);
  packet(1, 9);
  packet(1, 0);
  packet(0, 2);
  packet(0, 3);
  TemporaryFile in, out;
  read_into(out.fd, input_of(opened(in, file.bytes)), {3, 0}, 0, FileFormat::pcapng);
  FileBytes expected;
  const auto told = [&](uint32_t interface, uint64_t lost) {
    FileBytes body = expected.part().word(interface).word(0).word(0).word(4).word(4).raw("abcd");
    expected.block(6, body.option(4, expected.part().wide(lost)).end_of_options());
  };
  told(1, 9);
  told(0, 7);
  told(0, 3);
  const std::vector<uint8_t> bytes = out.bytes();
  CHECK(bytes.size() > expected.bytes.size());
  CHECK(
      std::equal(expected.bytes.begin(), expected.bytes.end(), bytes.end() - static_cast<long>(expected.bytes.size())));
}

void size_limit() {
  TemporaryFile in, out;
  const CaptureStats stats = read_into(out.fd, input_of(opened(in, numbered(1000).bytes)), {}, 24 + 76 * 10);
  CHECK(stats.limit_reached && stats.lanes[0].balance.written == 10 && stats.lanes[0].balance.surplus == 0);
  CHECK(out.size() == 24 + 76 * 10);
}

// What is wrong with a file is told, and what was read until then is there.
void bad_ends() {
  FileBytes file = numbered(100);
  const std::vector<uint8_t> cut(file.bytes.begin(), file.bytes.end() - 1);
  file.word(0).word(0).word(UINT32_MAX).word(0);
  TemporaryFile in[2], out[2];
  const CaptureStats damaged = read_into(out[0].fd, input_of(opened(in[0], file.bytes)), {});
  CHECK(damaged.source.input_end.how == InputEnd::How::damaged && damaged.lanes[0].balance.written == 100);
  CHECK(damaged.source.input_end.words.find("claims 4294967295 bytes") != std::string::npos);
  const CaptureStats shorter = read_into(out[1].fd, input_of(opened(in[1], cut)), {});
  CHECK(shorter.source.input_end.how == InputEnd::How::cut && shorter.lanes[0].balance.written == 99);
}

// Whoever reads the output slowly gets all of it: the end is not told before everything has been written.
void slow_reader() {
  TemporaryFile in;
  const FileBytes file = numbered(50'000);
  int ends[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const auto input = input_of(opened(in, file.bytes));
  const CapturePlan plan = plan_for(*input, ends[1]);
  std::atomic<int> calls{0};
  const Notify notify = [&] { calls++; };
  Capture capture(plan, std::make_unique<FileSource>(ReaderPlan{input, {}, plan.file, {}}, notify), notify);
  capture.prepare();
  capture.enable();
  std::vector<uint8_t> got(file.bytes.size());
  size_t size = 0;
  while (size < got.size()) {
    if (size + 300'000 < got.size()) CHECK_ALL(calls == 0);  // more than a socket has room for is still to come
    const ssize_t some = read(ends[0], &got[size], std::min<size_t>(20'000, got.size() - size));
    CHECK_ALL(some > 0);
    size += static_cast<size_t>(some);
  }
  while (calls == 0) std::this_thread::yield();
  capture.disable(Primary::alive);
  capture.finish(Capture::Quiet::confirmed);
  CHECK(got == file.bytes && capture.stats().lanes[0].balance.sinkdrop == 0);
  close(ends[0]);
}

// A pipe gives packets as they come, and may be given up at any moment.
void live_pipe() {
  TemporaryFile out;
  int ends[2];
  CHECK(pipe2(ends, O_CLOEXEC) == 0);
  auto input = std::make_shared<InputFile>(ends[0]);
  CHECK(!input->open());
  FileBytes file = numbered(3);
  CHECK(write(ends[1], file.bytes.data(), file.bytes.size() - 1) > 0);
  CHECK(input->open());
  const CapturePlan plan = plan_for(*input, out.fd);
  Capture capture(plan, std::make_unique<FileSource>(ReaderPlan{input, {}, plan.file, {}}, Notify{}), {});
  capture.prepare();
  capture.enable();
  while (out.size() < 24 + 2 * 76) std::this_thread::yield();
  capture.disable(Primary::alive);
  capture.finish(Capture::Quiet::confirmed);
  CHECK(capture.stats().source.input_end.how == InputEnd::How::going_on && out.size() == 24 + 2 * 76);
  close(ends[1]);
}

// A file tells of interfaces anywhere; they are all known before its first packet is.
void late_interfaces() {
  TemporaryFile in;
  FileBytes file;
  file.section().interface("a").enhanced(0, 1, "1", 1).interface("b").enhanced(1, 2, "2", 1);
  const auto input = input_of(opened(in, file.bytes));
  CHECK(input->file().interfaces().size() == 2);
  FilePacket packet{};
  CHECK(input->next(&packet) == PacketFile::Next::packet && packet.interface == 0);
  CHECK(input->next(&packet) == PacketFile::Next::packet && packet.interface == 1);
  CHECK(input->next(&packet) == PacketFile::Next::end && !input->file().is_cut());
}

}  // namespace

void test_file_source() {
  whole_file();
  selections();
  gaps_go_on();
  size_limit();
  bad_ends();
  slow_reader();
  live_pipe();
  late_interfaces();
}
