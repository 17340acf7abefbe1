// The source of the captures of this addon: the primary's pdump.
#include "js/capture_source.h"
#include "js/convert.h"
#include "pdump/pdump_source.h"

namespace {

using namespace dpcap;

PdumpPlan to_pdump_plan(const Napi::Object& o, const CapturePlan& capture, uint32_t capture_number) {
  PdumpPlan plan{};
  plan.number = capture_number;
  plan.filters = capture.filters;
  plan.mode = either(o, "mode", "plain", CopyMode::plain, "stamped", CopyMode::stamped);
  const auto mbufs = [&](const char* name) { return static_cast<uint32_t>(number(o, name, (1u << 27) - 1)); };
  plan.pool = {mbufs("mbufs"), mbufs("mostMbufs"), static_cast<uint32_t>(number(o, "dataRoom", UINT16_MAX))};
  plan.purpose = text(o, "purpose");
  plan.file = capture.file;
  plan.threads = capture.threads;
  return plan;
}

}  // namespace

MakeSource to_source(const Napi::Object& plan, const CapturePlan& capture, uint32_t number) {
  const PdumpPlan pdump = to_pdump_plan(plan, capture, number);
  return [pdump](const Notify& notify) { return std::make_unique<PdumpSource>(pdump, notify); };
}
