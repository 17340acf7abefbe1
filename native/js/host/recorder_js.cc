// Flight recorders: what is asked of those that are on, and reading their boxes.
#include <cstring>

#include "agent/agent_client.h"
#include "js/convert.h"
#include "js/errors.h"
#include "js/exports.h"
#include "js/host/agent_arguments.h"
#include "js/promise.h"
#include "recorder/box_facts.h"
#include "recorder/recorder_client.h"
#include "recorder/save_box.h"

namespace {

using namespace dpcap;

constexpr uint64_t kMostMemory = 64ull << 30;
constexpr uint64_t kMostMs = 1ull << 43;

int descriptor_of(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsNumber()) throw Napi::TypeError::New(info.Env(), "Expected a file descriptor");
  return info[index].As<Napi::Number>().Int32Value();
}

// recorderOn(path, order). Waits until packets are recorded.
Napi::Value JS_RecorderOn(const Napi::CallbackInfo& info) {
  const Napi::Object order = object_of(info, 1, "order");
  const FilterPrograms programs = to_programs(order);
  AgentClient client(socket_of(info));
  recorder_on(client, {number(order, "memory", kMostMemory),
                       static_cast<uint32_t>(number(order, "snaplen", UINT32_MAX)), boolean(order, "rx"),
                       boolean(order, "tx"), texts(order, "devices"), programs.rx, programs.tx, text(order, "filter")});
  return info.Env().Undefined();
}

// recorderOff(path): whether there was one.
Napi::Value JS_RecorderOff(const Napi::CallbackInfo& info) {
  AgentClient client(socket_of(info));
  return Napi::Boolean::New(info.Env(), recorder_off(client));
}

// recorderState(path): what is on there, undefined for nothing. The descriptor is the caller's.
Napi::Value JS_RecorderState(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  AgentClient client(socket_of(info));
  std::optional<RecorderState> state = recorder_state(client);
  if (!state) return env.Undefined();
  Napi::Object object = Napi::Object::New(env);
  object.Set("lanes", state->lanes);
  object.Set("path", state->path);
  object.Set("fd", state->box.release());
  return object;
}

Napi::Array from_lanes(Napi::Env env, const std::vector<dpcap_box_lane>& lanes) {
  Napi::Array array = Napi::Array::New(env, lanes.size());
  for (uint32_t i = 0; i < lanes.size(); i++) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("device", lanes[i].device);
    object.Set("port", lanes[i].port);
    object.Set("queue", lanes[i].queue);
    object.Set("direction", lanes[i].direction == DPCAP_AGENT_RX ? "rx" : "tx");
    object.Set("accepted", from_u64(env, lanes[i].counters.accepted));
    object.Set("filtered", from_u64(env, lanes[i].counters.filtered));
    object.Set("full", from_u64(env, lanes[i].counters.full));
    object.Set("contended", from_u64(env, lanes[i].counters.contended));
    array.Set(i, object);
  }
  return array;
}

// readBox(fd): BoxFacts.
Napi::Value JS_ReadBox(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const BoxFacts facts = read_box(descriptor_of(info, 0));
  const dpcap_box_header& header = facts.header;
  Napi::Object object = Napi::Object::New(env);
  object.Set("isRecording", facts.is_recording);
  object.Set("pid", header.pid);
  object.Set("program", header.program);
  object.Set("filePrefix", header.file_prefix);
  object.Set("dpdkVersion", header.dpdk_version);
  object.Set("bootId", header.boot_id);
  object.Set("filter", header.filter);
  object.Set("snaplen", header.snaplen);
  object.Set("bytes", static_cast<double>(header.file_bytes));
  object.Set("segments", header.segments);
  object.Set("segmentBytes", header.segment_bytes);
  object.Set("startedNs", from_u64(env, header.started_wall_ns));
  object.Set("firstNs", from_u64(env, facts.first_ns()));
  object.Set("lastNs", from_u64(env, facts.last_ns()));
  object.Set("overwrittenUntilNs", from_u64(env, facts.overwritten_until_ns));
  object.Set("packets", from_u64(env, facts.packets()));
  object.Set("lanes", from_lanes(env, facts.lanes));
  return object;
}

// isBoxHeld(fd): boolean.
Napi::Value JS_IsBoxHeld(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), is_box_held(descriptor_of(info, 0)));
}

Napi::Value from_saved(Napi::Env env, const Saved& saved) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("packets", from_u64(env, saved.packets));
  object.Set("bytes", from_u64(env, saved.bytes));
  object.Set("firstNs", from_u64(env, saved.first_ns));
  object.Set("lastNs", from_u64(env, saved.last_ns));
  object.Set("overwrittenUntilNs", from_u64(env, saved.overwritten_until_ns));
  object.Set("cutOff", saved.cut_off);
  object.Set("overwritten", saved.damage.overwritten);
  object.Set("damaged", saved.damage.damaged);
  object.Set("failure", saved.failure == 0 ? env.Null() : Napi::String::New(env, strerrorname_np(saved.failure)));
  return object;
}

// saveBox(fd, output, request): Promise<Saved>. The output is closed by it.
Napi::Value JS_SaveBox(const Napi::CallbackInfo& info) {
  if (!info[2].IsObject()) throw wrong_type(info.Env(), "request", "an object");
  const Napi::Object given = info[2].As<Napi::Object>();
  const int box = descriptor_of(info, 0), output = descriptor_of(info, 1);
  const SaveRequest request{either(given, "format", "pcap", FileFormat::pcap, "pcapng", FileFormat::pcapng),
                            number(given, "sinceMs", kMostMs) * 1'000'000,
                            {text(given, "application"), text(given, "operatingSystem"), {text(given, "comment")}},
                            compression_of(given)};
  return PromiseWorker<Saved>::run(
      info.Env(), [box, output, request] { return save_box(box, output, request); }, from_saved);
}

}  // namespace

void export_recorder(Napi::Object exports) {
  add_function<JS_RecorderOn>(exports, "recorderOn");
  add_function<JS_RecorderOff>(exports, "recorderOff");
  add_function<JS_RecorderState>(exports, "recorderState");
  add_function<JS_ReadBox>(exports, "readBox");
  add_function<JS_IsBoxHeld>(exports, "isBoxHeld");
  add_function<JS_SaveBox>(exports, "saveBox");
}
