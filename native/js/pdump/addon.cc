// The addon for one release of DPDK: joins primaries and captures through pdump.
#include <napi.h>

#include "js/exports.h"
#include "primary/versions.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("dpdkVersion", Napi::String::New(env, dpcap::dpdk_version()));
  exports.Set("dpdkVersionNumber", Napi::Number::New(env, dpcap::dpdk_version_number()));
  exports.Set("dpdkBuildNumber", Napi::Number::New(env, dpcap::dpdk_build_number()));
  export_layouts(exports);
  export_primary(exports);
  export_capture(exports);
  export_extended(exports);
  export_life(exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(dpcap_pdump, Init)
