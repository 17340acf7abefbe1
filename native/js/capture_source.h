// What an addon's captures have as their source. Each addon defines this function for its own: pdump/source_js.cc,
// host/agent_js.cc, ebpf/ebpf_js.cc.
#pragma once
#include <napi.h>

#include <functional>
#include <memory>

#include "base/notify.h"
#include "capture/plan.h"
#include "capture/source.h"

using MakeSource = std::function<std::unique_ptr<dpcap::Source>(const dpcap::Notify&)>;

// Reads the source's part of a plan, on the JavaScript thread; the source is made later, on another thread. `capture`:
// what to_capture_plan() returned for the plan, and `number` the capture's.
MakeSource to_source(const Napi::Object& plan, const dpcap::CapturePlan& capture, uint32_t number);
