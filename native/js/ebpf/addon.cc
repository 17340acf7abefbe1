// The addon that captures by probes of the kernel's. It needs libbpf, and no library of DPDK.
#include <napi.h>

#include "js/exports.h"

namespace {

Napi::Object Init(Napi::Env, Napi::Object exports) {
  export_capture(exports);
  export_life(exports);
  export_ebpf(exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(dpcap_ebpf, Init)
