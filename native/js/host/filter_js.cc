// Filters without DPDK's libraries: compileFilter, runClassic, runInterpreter, readCaptureFile. They convert
// arguments and results.
#include <cstring>

#include "filter/filter.h"
#include "js/errors.h"
#include "js/exports.h"
#include "js/samples.h"

namespace {

Napi::Value JS_compileFilter(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "expected expression to be a string");
  const bool optimize = info[1].IsUndefined() || info[1].ToBoolean().Value();
  const auto program = dpcap::compile_filter(info[0].As<Napi::String>().Utf8Value(), optimize);
  Napi::Array result = Napi::Array::New(info.Env(), program.size());
  for (size_t i = 0; i < program.size(); i++) {
    Napi::Object insn = Napi::Object::New(info.Env());
    insn.Set("code", program[i].code);
    insn.Set("jt", program[i].jt);
    insn.Set("jf", program[i].jf);
    insn.Set("k", program[i].k);
    result.Set(static_cast<uint32_t>(i), insn);
  }
  return result;
}

Napi::Value JS_runClassic(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = program_from(info);
  std::vector<dpcap::ClassicInsn> program(bytes.ByteLength() / sizeof(dpcap::ClassicInsn));
  if (!program.empty()) memcpy(program.data(), bytes.Data(), bytes.ByteLength());
  return to_js(info.Env(), dpcap::run_classic(program, samples_from(info, 1)));
}

using RunProgram = std::vector<uint8_t>(const std::vector<uint8_t>& program, const std::vector<dpcap::Sample>& frames,
                                        size_t segment_size);

template <RunProgram* run>
Napi::Value JS_run(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = program_from(info);
  const std::vector<dpcap::Sample> frames = samples_from(info, 1, info[3]);
  const size_t segment_size = info[2].IsNumber() ? info[2].As<Napi::Number>().Uint32Value() : 0;
  return to_js(info.Env(), run({bytes.Data(), bytes.Data() + bytes.ByteLength()}, frames, segment_size));
}

Napi::Value JS_readCaptureFile(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Napi::TypeError::New(info.Env(), "expected path to be a string");
  const auto packets = dpcap::read_capture_file(info[0].As<Napi::String>());
  Napi::Array array = Napi::Array::New(info.Env(), packets.size());
  for (size_t i = 0; i < packets.size(); i++) array.Set(static_cast<uint32_t>(i), to_js(info.Env(), packets[i]));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("packets", array);
  return result;
}

}  // namespace

void export_filter(Napi::Object exports) {
  add_function<JS_compileFilter>(exports, "compileFilter");
  add_function<JS_runClassic>(exports, "runClassic");
  add_function<JS_run<dpcap::run_interpreter>>(exports, "runInterpreter");
  add_function<JS_run<dpcap::run_compiled>>(exports, "runCompiled");
  add_function<JS_readCaptureFile>(exports, "readCaptureFile");
}
