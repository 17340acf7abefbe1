// Probes on the functions of an application's drivers: what they cost, and the source of the captures of this addon.
#include <memory>

#include "ebpf/ebpf_source.h"
#include "ebpf/loading/filter_trial.h"
#include "ebpf/loading/poll_cost.h"
#include "js/capture_source.h"
#include "js/convert.h"
#include "js/errors.h"
#include "js/exports.h"
#include "js/samples.h"

namespace {

using namespace dpcap;

constexpr uint64_t kMostAddress = (1ull << 53) - 1;
constexpr uint64_t kMostOffset = 4096;
constexpr uint64_t kMostRow = 1 << 20;

FastPathLayout to_layout(const Napi::Object& o) {
  const auto at = [&](const char* name) { return static_cast<uint32_t>(number(o, name, kMostOffset)); };
  return {at("rowBytes"), at("rxFunction"), at("rxQueues"), at("txFunction"), at("txQueues")};
}

DeviceTable to_devices(const Napi::Object& process) {
  const Napi::Value given = process.Get("devices");
  if (!given.IsObject()) return {};
  const auto devices = given.As<Napi::Object>();
  return {number(devices, "address", kMostAddress), static_cast<uint32_t>(number(devices, "rowBytes", kMostRow)),
          static_cast<uint32_t>(number(devices, "data", kMostOffset))};
}

std::vector<FastPathTable> to_tables(const Napi::Object& ebpf) {
  const Napi::Value given = ebpf.Get("processes");
  const Napi::Value layout = ebpf.Get("layout");
  if (!given.IsArray()) throw wrong_type(ebpf.Env(), "processes", "an array");
  if (!layout.IsObject()) throw wrong_type(ebpf.Env(), "layout", "an object");
  const auto processes = given.As<Napi::Array>();
  std::vector<FastPathTable> tables;
  for (uint32_t i = 0; i < processes.Length(); i++) {
    const Napi::Value one = processes.Get(i);
    if (!one.IsObject()) throw wrong_type(ebpf.Env(), "processes", "an array of objects");
    const auto process = one.As<Napi::Object>();
    tables.push_back({static_cast<int>(number(process, "pid", INT32_MAX)), number(process, "table", kMostAddress),
                      static_cast<uint32_t>(number(process, "rows", UINT16_MAX)), to_layout(layout.As<Napi::Object>()),
                      to_devices(process)});
    if (tables.back().rows == 0) throw wrong_type(ebpf.Env(), "rows", "at least one");
  }
  return tables;
}

// The programs for the kernel are there with those for the engine, or are too long.
KernelFilter to_kernel_filter(const Napi::Object& ebpf) {
  const Napi::Value given = ebpf.Get("filter");
  if (!given.IsObject()) throw wrong_type(ebpf.Env(), "filter", "an object");
  const auto filter = given.As<Napi::Object>();
  const FilterPrograms programs = to_programs(filter);
  return {programs.rx, programs.tx, text(filter, "text")};
}

// runInKernel(program, packets, tags): Uint8Array of what the filter says.
Napi::Value JS_RunInKernel(const Napi::CallbackInfo& info) {
  const Napi::Uint8Array bytes = program_from(info);
  const std::vector<Sample> frames = samples_from(info, 1, info[2]);
  return to_js(info.Env(), run_in_kernel({bytes.Data(), bytes.Data() + bytes.ByteLength()}, frames));
}

// pollCost({processes, layout}): number, in ns. Takes some milliseconds.
Napi::Value JS_PollCost(const Napi::CallbackInfo& info) {
  if (!info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "expected an application's processes and layout");
  return Napi::Number::New(info.Env(), poll_cost_ns(read_entry(to_tables(info[0].As<Napi::Object>()))));
}

}  // namespace

MakeSource to_source(const Napi::Object& plan, const CapturePlan& capture, uint32_t) {
  constexpr uint64_t kMostRing = 1ull << 30;
  const Napi::Value given = plan.Get("ebpf");
  if (!given.IsObject()) throw wrong_type(plan.Env(), "ebpf", "an object");
  if (capture.threads != 1) throw wrong_type(plan.Env(), "threads", "one for probes");
  const auto at = given.As<Napi::Object>();
  const EbpfPlan ebpf{to_tables(at), capture.filters, to_kernel_filter(at), capture.file,
                      number(at, "memory", kMostRing)};
  return [ebpf](const Notify&) { return std::make_unique<EbpfSource>(ebpf); };
}

void export_ebpf(Napi::Object exports) {
  add_function<JS_PollCost>(exports, "pollCost");
  add_function<JS_RunInKernel>(exports, "runInKernel");
}
