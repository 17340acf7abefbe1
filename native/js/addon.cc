// The exports of the addon. Only this folder includes napi.h.
#include <napi.h>

#include "host/versions.h"
#include "js/exports.h"

// Exports the versions of the libraries.
static void export_versions(Napi::Object exports) {
  const Napi::Env env = exports.Env();
  exports.Set("dpdkVersion", Napi::String::New(env, dpcap::dpdk_version()));
  exports.Set("dpdkVersionNumber", Napi::Number::New(env, dpcap::dpdk_version_number()));
  exports.Set("pcapVersion", Napi::String::New(env, dpcap::pcap_version()));
}

static Napi::Object Init(Napi::Env, Napi::Object exports) {
  export_filter(exports);
  export_versions(exports);
  export_primary(exports);
  export_capture(exports);
  export_interface(exports);
  export_life(exports);
  export_host(exports);
  return exports;
}

NODE_API_MODULE(dpcap, Init)
