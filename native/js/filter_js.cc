// compileFilter, runClassic, runExtended, runInterpreter, verifyExtended, readCaptureFile, mbufLayout: they convert
// arguments and results.
#include <cstring>

#include "filter/filter.h"
#include "js/errors.h"
#include "js/exports.h"

namespace {

std::vector<dpcap::Frame> frames_from(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsArray()) throw Napi::TypeError::New(info.Env(), "expected packets to be an array of Uint8Array");
  const Napi::Array array = info[index].As<Napi::Array>();
  std::vector<dpcap::Frame> frames;
  frames.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value value = array[i];
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
      throw Napi::TypeError::New(info.Env(), "expected packet " + std::to_string(i) + " to be a Uint8Array");
    const auto bytes = value.As<Napi::Uint8Array>();
    frames.push_back({bytes.Data(), bytes.ByteLength()});
  }
  return frames;
}

// Four words for each frame: the low and the high half of ol_flags, vlan_tci, vlan_tci_outer.
void set_tags(const Napi::Value& value, std::vector<dpcap::Frame>& frames) {
  if (value.IsUndefined()) return;
  const bool ok = value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint32_array &&
                  value.As<Napi::TypedArray>().ElementLength() == 4 * frames.size();
  if (!ok) throw Napi::TypeError::New(value.Env(), "expected tags to be a Uint32Array of four words a packet");
  const auto words = value.As<Napi::Uint32Array>();
  for (size_t i = 0; i < frames.size(); i++) {
    const uint32_t* word = words.Data() + 4 * i;
    frames[i].tags = {word[0] | static_cast<uint64_t>(word[1]) << 32, static_cast<uint16_t>(word[2]),
                      static_cast<uint16_t>(word[3])};
  }
}

Napi::Uint8Array program_from(const Napi::CallbackInfo& info) {
  const bool ok = info[0].IsTypedArray() && info[0].As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array &&
                  info[0].As<Napi::TypedArray>().ByteLength() % 8 == 0;
  if (!ok) throw Napi::TypeError::New(info.Env(), "expected program to be a Uint8Array of 8-byte instructions");
  return info[0].As<Napi::Uint8Array>();
}

Napi::Value to_js(Napi::Env env, const std::vector<uint8_t>& bytes) {
  Napi::Uint8Array result = Napi::Uint8Array::New(env, bytes.size());
  if (!bytes.empty()) memcpy(result.Data(), bytes.data(), bytes.size());
  return result;
}

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
  return to_js(info.Env(), dpcap::run_classic(program, frames_from(info, 1)));
}

Napi::Value JS_runExtended(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = program_from(info);
  const bool jit = !info[2].IsUndefined() && info[2].ToBoolean().Value();
  if (!info[3].IsUndefined() && !info[3].IsNumber())
    throw Napi::TypeError::New(info.Env(), "expected segmentSize to be a number of bytes");
  const size_t segment_size = info[3].IsNumber() ? info[3].As<Napi::Number>().Uint32Value() : 0;
  std::vector<dpcap::Frame> frames = frames_from(info, 1);
  set_tags(info[4], frames);
  return to_js(info.Env(), dpcap::run_extended(bytes.Data(), bytes.ByteLength() / 8, frames, jit, segment_size));
}

Napi::Value JS_runInterpreter(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = program_from(info);
  std::vector<dpcap::Frame> frames = frames_from(info, 1);
  set_tags(info[3], frames);
  const size_t segment_size = info[2].IsNumber() ? info[2].As<Napi::Number>().Uint32Value() : 0;
  const std::vector<uint8_t> program(bytes.Data(), bytes.Data() + bytes.ByteLength());
  return to_js(info.Env(), dpcap::run_interpreter(program, frames, segment_size));
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

Napi::Value JS_verifyExtended(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = program_from(info);
  if (!info[1].IsNumber()) throw Napi::TypeError::New(info.Env(), "expected timeoutMs to be a number");
  dpcap::verify_extended(bytes.Data(), bytes.ByteLength() / 8, info[1].As<Napi::Number>().Int32Value());
  return info.Env().Undefined();
}

Napi::Object layout_to_js(Napi::Env env) {
  const dpcap::MbufLayout layout = dpcap::mbuf_layout();
  Napi::Object result = Napi::Object::New(env);
  result.Set("size", layout.size);
  result.Set("pktLen", layout.pkt_len);
  result.Set("olFlags", layout.ol_flags);
  result.Set("vlanTci", layout.vlan_tci);
  result.Set("vlanTciOuter", layout.vlan_tci_outer);
  result.Set("rxVlanStripped", static_cast<double>(layout.rx_vlan_stripped));
  result.Set("rxQinqStripped", static_cast<double>(layout.rx_qinq_stripped));
  result.Set("txVlan", static_cast<double>(layout.tx_vlan));
  result.Set("txQinq", static_cast<double>(layout.tx_qinq));
  return result;
}

}  // namespace

void export_filter(Napi::Object exports) {
  add_function<JS_compileFilter>(exports, "compileFilter");
  add_function<JS_runClassic>(exports, "runClassic");
  add_function<JS_runExtended>(exports, "runExtended");
  add_function<JS_verifyExtended>(exports, "verifyExtended");
  add_function<JS_runInterpreter>(exports, "runInterpreter");
  add_function<JS_readCaptureFile>(exports, "readCaptureFile");
  exports.Set("mbufLayout", layout_to_js(exports.Env()));
}
