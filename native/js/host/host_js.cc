// Implements HostBinding of src/native/host-binding.ts: converts arguments and results, without logic.
#include "host/file_lock.h"
#include "host/libraries.h"
#include "host/telemetry_client.h"
#include "js/errors.h"
#include "js/exports.h"

namespace {

std::string text_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsString()) throw Napi::TypeError::New(info.Env(), std::string("Expected a string: ") + name);
  return info[index].As<Napi::String>().Utf8Value();
}

std::vector<std::string> text_list_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  const std::string expected = std::string("Expected an array of strings: ") + name;
  if (!info[index].IsArray()) throw Napi::TypeError::New(info.Env(), expected);
  const Napi::Array list = info[index].As<Napi::Array>();
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < list.Length(); i++) {
    const Napi::Value item = list.Get(i);
    if (!item.IsString()) throw Napi::TypeError::New(info.Env(), expected);
    texts.push_back(item.As<Napi::String>().Utf8Value());
  }
  return texts;
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
  std::vector<std::string> commands = text_list_argument(info, 1, "commands");
  int timeout_ms = timeout_argument(info, 2);
  std::vector<std::string> answers = dpcap::telemetry(path, commands, timeout_ms);
  Napi::Array result = Napi::Array::New(info.Env(), answers.size());
  for (size_t i = 0; i < answers.size(); i++) result.Set(i, answers[i]);
  return result;
}

// loadLibraries(paths): loads shared libraries, for an addon that needs them.
Napi::Value JS_LoadLibraries(const Napi::CallbackInfo& info) {
  dpcap::load_libraries(text_list_argument(info, 0, "paths"));
  return info.Env().Undefined();
}

// tryLock(path): returns a descriptor, or -1.
Napi::Value JS_TryLock(const Napi::CallbackInfo& info) {
  const std::string path = text_argument(info, 0, "path");
  return Napi::Number::New(info.Env(), dpcap::try_lock(path));
}

}  // namespace

void export_host(Napi::Object exports) {
  add_function<JS_lock_holder>(exports, "lockHolder");
  add_function<JS_telemetry>(exports, "telemetry");
  add_function<JS_telemetry_all>(exports, "telemetryAll");
  add_function<JS_TryLock>(exports, "tryLock");
  add_function<JS_LoadLibraries>(exports, "loadLibraries");
}
