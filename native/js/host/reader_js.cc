// Reading files of packets: what they are, and the source of a capture that reads one.
#include "js/host/reader_js.h"

#include <optional>

#include "js/convert.h"
#include "js/errors.h"
#include "js/exports.h"
#include "js/promise.h"
#include "reader/file_source.h"
#include "reader/input_file.h"

namespace {

using namespace dpcap;
using Handle = std::shared_ptr<InputFile>;

constexpr uint64_t kSafeInteger = (1ull << 53) - 1;

Handle handle_of(const Napi::Value& value) {
  if (!value.IsExternal()) throw Napi::TypeError::New(value.Env(), "Expected what openInput returned");
  return *value.As<Napi::External<Handle>>().Data();
}

// openInput(fd): what the other functions take. The descriptor is taken over.
Napi::Value JS_OpenInput(const Napi::CallbackInfo& info) {
  if (!info[0].IsNumber()) throw Napi::TypeError::New(info.Env(), "Expected a file descriptor");
  const int fd = info[0].As<Napi::Number>();
  return Napi::External<Handle>::New(info.Env(), new Handle(std::make_shared<InputFile>(fd)),
                                     [](Napi::Env, const Handle* handle) { delete handle; });
}

Napi::Object from_interface(Napi::Env env, const FileInterface& interface) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", interface.name);
  object.Set("description", interface.description);
  object.Set("filter", interface.filter);
  object.Set("linkType", interface.link_type);
  object.Set("snaplen", interface.snaplen);
  object.Set("options", Napi::Buffer<uint8_t>::Copy(env, interface.options.data(), interface.options.size()));
  return object;
}

Napi::Value from_input(Napi::Env env, const InputFile& input) {
  const std::vector<FileInterface>& interfaces = input.file().interfaces();
  Napi::Array array = Napi::Array::New(env, interfaces.size());
  for (uint32_t i = 0; i < interfaces.size(); i++) array.Set(i, from_interface(env, interfaces[i]));
  Napi::Object object = Napi::Object::New(env);
  object.Set("format", input.file().format());
  object.Set("codec", name_of(input.codec()));
  object.Set("comment", input.file().comment());
  object.Set("interfaces", array);
  return object;
}

// readInputHead(input): Promise<InputFacts | undefined>, undefined when it has to be called again.
Napi::Value JS_ReadInputHead(const Napi::CallbackInfo& info) {
  const Handle input = handle_of(info[0]);
  return PromiseWorker<bool>::run(
      info.Env(), [input] { return input->open(); },
      [input](Napi::Env env, const bool& is_open) { return is_open ? from_input(env, *input) : env.Undefined(); });
}

}  // namespace

MakeSource to_reader_source(const Napi::Object& plan, const CapturePlan& capture) {
  const Napi::Object at = plan.Get("input").As<Napi::Object>();
  if (capture.threads != 1) throw wrong_type(plan.Env(), "threads", "one for a file that is read");
  const ReaderPlan reader{handle_of(at.Get("handle")),
                          to_programs(plan).rx,
                          capture.file,
                          {number(at, "skip", kSafeInteger), number(at, "limit", kSafeInteger)}};
  return [reader](const Notify& notify) { return std::make_unique<FileSource>(reader, notify); };
}

void export_reader(Napi::Object exports) {
  add_function<JS_OpenInput>(exports, "openInput");
  add_function<JS_ReadInputHead>(exports, "readInputHead");
}
