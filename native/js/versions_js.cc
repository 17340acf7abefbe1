// Versions the addon was built with.
#include "core/versions.h"
#include "js/exports.h"

void export_versions(Napi::Env env, Napi::Object exports) {
  exports.Set("dpdkVersion", Napi::String::New(env, dpcap::dpdk_version()));
  exports.Set("dpdkVersionNumber", Napi::Number::New(env, dpcap::dpdk_version_number()));
  exports.Set("pcapVersion", Napi::String::New(env, dpcap::pcap_version()));
}
