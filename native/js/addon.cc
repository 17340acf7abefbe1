// Exports of the addon. The only folder that includes napi.h is this one.
#include <napi.h>

#include "host/versions.h"
#include "js/exports.h"

// What the addon was built with.
static void export_versions(Napi::Env env, Napi::Object exports) {
  exports.Set("dpdkVersion", Napi::String::New(env, dpcap::dpdk_version()));
  exports.Set("dpdkVersionNumber", Napi::Number::New(env, dpcap::dpdk_version_number()));
  exports.Set("pcapVersion", Napi::String::New(env, dpcap::pcap_version()));
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  export_filter(env, exports);
  export_versions(env, exports);
  export_primary(env, exports);
  export_capture(env, exports);
  export_interface(env, exports);
  export_life(env, exports);
  export_host(env, exports);
  return exports;
}

NODE_API_MODULE(dpcap, Init)
