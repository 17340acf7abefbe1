#include "js/convert.h"

#include <sched.h>

#include <cmath>
#include <functional>

using namespace dpcap;

Napi::TypeError wrong_type(Napi::Env env, const char* name, const char* expected) {
  return Napi::TypeError::New(env, std::string("Expected ") + name + " to be " + expected);
}

uint64_t number(const Napi::Object& object, const char* name, uint64_t max) {
  const Napi::Value value = object.Get(name);
  if (!value.IsNumber()) throw wrong_type(object.Env(), name, "a number");
  const double real = value.As<Napi::Number>().DoubleValue();
  if (!(real >= 0) || real > static_cast<double>(max) || real != std::floor(real)) {
    throw Napi::RangeError::New(object.Env(),
                                std::string("Expected ") + name + " to be an integer from 0 to " + std::to_string(max));
  }
  return static_cast<uint64_t>(real);
}

std::string text(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsString()) throw wrong_type(object.Env(), name, "a string");
  return value.As<Napi::String>();
}

std::vector<std::string> texts(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsArray()) throw wrong_type(object.Env(), name, "an array of strings");
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value element = array.Get(i);
    if (!element.IsString()) throw wrong_type(object.Env(), name, "an array of strings");
    texts.push_back(element.As<Napi::String>());
  }
  return texts;
}

bool boolean(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsBoolean()) throw wrong_type(object.Env(), name, "a boolean");
  return value.As<Napi::Boolean>();
}

Napi::Object child(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsObject()) throw wrong_type(object.Env(), name, "an object");
  return value.As<Napi::Object>();
}

std::vector<uint8_t> bytes(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw wrong_type(object.Env(), name, "a Uint8Array");
  }
  const auto array = value.As<Napi::Uint8Array>();
  return std::vector<uint8_t>(array.Data(), array.Data() + array.ByteLength());
}

namespace {

constexpr uint64_t kSafeInteger = (1ull << 53) - 1;
constexpr uint64_t kMostThreads = 8;
constexpr uint64_t kMostSnaplen = 262144;

template <typename T>
std::vector<T> list(const Napi::Object& object, const char* name,
                    const std::function<T(const Napi::Object&)>& convert) {
  const Napi::Value value = object.Get(name);
  if (!value.IsArray()) throw wrong_type(object.Env(), name, "an array");
  const auto array = value.As<Napi::Array>();
  std::vector<T> result;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value element = array.Get(i);
    if (!element.IsObject()) throw wrong_type(object.Env(), name, "an array of objects");
    result.push_back(convert(element.As<Napi::Object>()));
  }
  return result;
}

LanePlan to_lane(const Napi::Object& o) {
  return {{text(o, "device"), static_cast<uint16_t>(number(o, "port", UINT16_MAX)),
           static_cast<uint16_t>(number(o, "queue", UINT16_MAX)),
           either(o, "direction", "rx", Direction::rx, "tx", Direction::tx)},
          static_cast<uint32_t>(number(o, "interface", UINT16_MAX)),
          static_cast<uint32_t>(number(o, "thread", UINT16_MAX))};
}

InterfaceInfo to_interface(const Napi::Object& o) {
  InterfaceInfo interface { text(o, "name"), text(o, "description"), text(o, "filter") };
  if (o.Has("snaplen")) interface.snaplen = static_cast<uint32_t>(number(o, "snaplen", kMostSnaplen));
  if (o.Has("linkType")) interface.link_type = static_cast<uint16_t>(number(o, "linkType", UINT16_MAX));
  if (o.Has("options")) interface.options = bytes(o, "options");
  return interface;
}

FrameQueue to_frame_queue(const Napi::Object& o) {
  return {static_cast<int>(number(o, "rxFd", INT32_MAX)), static_cast<int>(number(o, "txFd", INT32_MAX))};
}

Compression to_compression(const Napi::Object& o) {
  constexpr uint64_t kMostLevel = 22;
  const std::string name = text(o, "codec");
  for (const Codec codec : {Codec::gzip, Codec::zstd, Codec::lz4}) {
    if (name != name_of(codec)) continue;
    const auto threads = static_cast<unsigned>(number(o, "threads", kMostThreads));
    return {codec, static_cast<int>(number(o, "level", kMostLevel)), threads};
  }
  throw wrong_type(o.Env(), "codec", "'gzip', 'zstd' or 'lz4'");
}

SinkPlan to_sink(const Napi::Object& o) {
  const std::string kind = text(o, "kind");
  if (kind == "file") return {static_cast<int>(number(o, "fd", INT32_MAX)), {}, 0, {}};
  if (kind == "tunnel") return {static_cast<int>(number(o, "fd", INT32_MAX)), {}, 0, to_tunnel(o)};
  if (kind != "frames") throw wrong_type(o.Env(), "kind", "'file', 'frames' or 'tunnel'");
  SinkPlan sink{
      -1, list<FrameQueue>(o, "queues", to_frame_queue), static_cast<uint32_t>(number(o, "maxRate", UINT32_MAX)), {}};
  if (sink.queues.empty()) throw wrong_type(o.Env(), "queues", "at least one queue");
  return sink;
}

std::optional<RotationLimits> to_rotation(const Napi::Object& plan) {
  if (!plan.Has("rotation") || plan.Get("rotation").IsUndefined()) return std::nullopt;
  const Napi::Object o = child(plan, "rotation");
  constexpr uint64_t kNsPerMs = 1'000'000;
  constexpr uint64_t kMostMs = 1ull << 43;
  return RotationLimits{number(o, "bytes", kSafeInteger), number(o, "packets", kSafeInteger),
                        number(o, "durationMs", kMostMs) * kNsPerMs, number(o, "intervalMs", kMostMs) * kNsPerMs,
                        static_cast<uint32_t>(number(o, "mostFiles", UINT32_MAX))};
}

FileFormat to_format(const Napi::Object& o) {
  return either(o, "format", "pcap", FileFormat::pcap, "pcapng", FileFormat::pcapng);
}

std::vector<int> to_cpus(const Napi::Object& o) {
  const Napi::Value value = o.Get("cpus");
  if (!value.IsArray()) throw wrong_type(o.Env(), "cpus", "an array of numbers");
  const auto array = value.As<Napi::Array>();
  std::vector<int> cpus;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value cpu = array.Get(i);
    if (!cpu.IsNumber()) throw wrong_type(o.Env(), "cpus", "an array of numbers");
    const int number = cpu.As<Napi::Number>();
    if (number < 0 || number >= CPU_SETSIZE) throw Napi::RangeError::New(o.Env(), "Expected cpus to be CPU numbers");
    cpus.push_back(number);
  }
  return cpus;
}

}  // namespace

Compression compression_of(const Napi::Object& o) {
  return o.Has("compression") ? to_compression(child(o, "compression")) : Compression{};
}

FilterPrograms to_programs(const Napi::Object& o) {
  FilterPrograms programs{bytes(o, "program"), bytes(o, "programTx")};
  if (programs.rx.empty() != programs.tx.empty()) throw wrong_type(o.Env(), "programTx", "empty with program");
  return programs;
}

namespace {

// An interface may have a snaplen and a filter of its own, which are those of its lanes.
void set_rules(const Napi::Object& o, CapturePlan& plan) {
  std::vector<LaneRule> rules;
  plan.filters.push_back(to_programs(o));
  const auto interfaces = o.Get("interfaces").As<Napi::Array>();
  for (const InterfaceInfo& interface : plan.interfaces) {
    const Napi::Value element = interfaces.Get(static_cast<uint32_t>(rules.size()));
    const auto given = element.As<Napi::Object>();
    LaneRule& rule = rules.emplace_back();
    if (interface.snaplen != 0) rule.snaplen = interface.snaplen;
    if (!given.Has("program")) continue;
    rule.filter = static_cast<uint32_t>(plan.filters.size());
    plan.filters.push_back(to_programs(given));
  }
  for (LanePlan& lane : plan.lanes) lane.rule = rules[lane.interface];
}

}  // namespace

CapturePlan to_capture_plan(const Napi::Object& o) {
  const Napi::Object info = child(o, "info");
  CapturePlan plan{};
  plan.lanes = list<LanePlan>(o, "lanes", to_lane);
  plan.interfaces = list<InterfaceInfo>(o, "interfaces", to_interface);
  plan.threads = static_cast<uint32_t>(number(o, "threads", kMostThreads));
  for (const LanePlan& lane : plan.lanes) {
    if (lane.interface >= plan.interfaces.size()) throw wrong_type(o.Env(), "interface", "an index of interfaces");
    if (lane.thread >= plan.threads) throw wrong_type(o.Env(), "thread", "one of threads");
  }
  set_rules(o, plan);
  plan.file.format = to_format(o);
  plan.file.nanoseconds = boolean(o, "nanoseconds");
  plan.file.snaplen = static_cast<uint32_t>(number(o, "snaplen", kMostSnaplen));
  plan.info = {text(info, "application"), text(info, "operatingSystem"), texts(info, "comments")};
  if (info.Has("hasStatistics")) plan.info.has_statistics = boolean(info, "hasStatistics");
  plan.packet_limit = number(o, "packetLimit", kSafeInteger);
  plan.byte_limit = number(o, "byteLimit", kSafeInteger);
  if (o.Has("minFree")) plan.min_free = number(o, "minFree", kSafeInteger);
  plan.packet_buffered = boolean(o, "packetBuffered");
  plan.sink = to_sink(child(o, "sink"));
  plan.rotation = to_rotation(o);
  plan.sink.compression = compression_of(o);
  const bool has_queues = !plan.sink.queues.empty();
  if (plan.rotation && (has_queues || plan.byte_limit != 0)) throw wrong_type(o.Env(), "rotation", "of files alone");
  const bool has_limit = plan.packet_limit != 0 || plan.byte_limit != 0 || (plan.rotation && plan.rotation->files != 0);
  if (plan.threads == 0 || (plan.threads > 1 && has_limit && !has_queues)) {
    throw wrong_type(o.Env(), "threads", "one where a limit is counted");
  }
  if (has_queues && plan.sink.queues.size() != plan.threads) throw wrong_type(o.Env(), "queues", "one for each thread");
  if (plan.sink.tunnel && plan.threads != 1) throw wrong_type(o.Env(), "threads", "one for a tunnel");
  plan.cpus = to_cpus(o);
  return plan;
}

Napi::Value from_u64(Napi::Env env, uint64_t value) { return Napi::BigInt::New(env, value); }

Napi::Value from_strings(Napi::Env env, const std::vector<std::string>& strings) {
  Napi::Array array = Napi::Array::New(env, strings.size());
  for (uint32_t i = 0; i < strings.size(); i++) array.Set(i, strings[i]);
  return array;
}

std::vector<std::string> to_strings(const Napi::Value& value) {
  if (!value.IsArray()) throw wrong_type(value.Env(), "the argument", "an array of strings");
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value element = array.Get(i);
    if (!element.IsString()) throw wrong_type(value.Env(), "the argument", "an array of strings");
    strings.push_back(element.As<Napi::String>());
  }
  return strings;
}
