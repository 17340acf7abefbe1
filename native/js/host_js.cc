// Implements HostBinding of src/native/host-binding.ts: converts arguments and results, without logic.
#include "host/file_lock.h"
#include "host/layouts.h"
#include "host/telemetry_client.h"
#include "js/errors.h"
#include "js/exports.h"

namespace {

std::string text_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsString()) throw Napi::TypeError::New(info.Env(), std::string("Expected a string: ") + name);
  return info[index].As<Napi::String>().Utf8Value();
}

int timeout_argument(const Napi::CallbackInfo& info, size_t index) {
  double value = info[index].IsNumber() ? info[index].As<Napi::Number>().DoubleValue() : 0;
  if (!(value >= 1 && value <= 60000)) {
    throw Napi::RangeError::New(info.Env(), "Expected timeoutMs between 1 and 60000");
  }
  return static_cast<int>(value);
}

Napi::Value JS_lock_holder(const Napi::CallbackInfo& info) {
  std::string path = text_argument(info, 0, "path");
  dpcap::LockHolder holder = dpcap::lock_holder(path);
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("locked", holder.locked);
  result.Set("pid", holder.pid);
  return result;
}

Napi::Value JS_telemetry(const Napi::CallbackInfo& info) {
  std::string path = text_argument(info, 0, "socketPath");
  std::string command = text_argument(info, 1, "command");
  int timeout_ms = timeout_argument(info, 2);
  return Napi::String::New(info.Env(), dpcap::telemetry(path, {command}, timeout_ms).front());
}

Napi::Value JS_telemetry_all(const Napi::CallbackInfo& info) {
  std::string path = text_argument(info, 0, "socketPath");
  if (!info[1].IsArray()) throw Napi::TypeError::New(info.Env(), "Expected an array of strings: commands");
  Napi::Array list = info[1].As<Napi::Array>();
  std::vector<std::string> commands;
  for (uint32_t i = 0; i < list.Length(); i++) {
    Napi::Value item = list.Get(i);
    if (!item.IsString()) throw Napi::TypeError::New(info.Env(), "Expected an array of strings: commands");
    commands.push_back(item.As<Napi::String>().Utf8Value());
  }
  int timeout_ms = timeout_argument(info, 2);
  std::vector<std::string> answers = dpcap::telemetry(path, commands, timeout_ms);
  Napi::Array result = Napi::Array::New(info.Env(), answers.size());
  for (size_t i = 0; i < answers.size(); i++) result.Set(i, answers[i]);
  return result;
}

Napi::Object ops_layout(Napi::Env env) {
  Napi::Object ops = Napi::Object::New(env);
  const dpcap::OpsLayout table = dpcap::ops_layout();
  ops.Set("tableSize", static_cast<double>(table.table_size));
  ops.Set("numOpsOffset", static_cast<double>(table.num_ops_offset));
  ops.Set("entriesOffset", static_cast<double>(table.entries_offset));
  ops.Set("entrySize", static_cast<double>(table.entry_size));
  ops.Set("nameSize", static_cast<double>(table.name_size));
  ops.Set("maxOps", static_cast<double>(table.max_ops));
  return ops;
}

Napi::Object memzone_layout(Napi::Env env) {
  Napi::Object zone = Napi::Object::New(env);
  const dpcap::MemzoneLayout layout = dpcap::memzone_layout();
  zone.Set("entrySize", static_cast<double>(layout.entry_size));
  zone.Set("nameSize", static_cast<double>(layout.name_size));
  return zone;
}

}  // namespace

void export_host(Napi::Object exports) {
  add_function<JS_lock_holder>(exports, "lockHolder");
  add_function<JS_telemetry>(exports, "telemetry");
  add_function<JS_telemetry_all>(exports, "telemetryAll");
  exports.Set("opsLayout", ops_layout(exports.Env()));
  exports.Set("memzoneLayout", memzone_layout(exports.Env()));
}
