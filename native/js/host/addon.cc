// The addon that needs no library of DPDK: what looks at primaries from outside, compiles filters, opens interfaces,
// captures through agents, brings agents into running processes, and reads files of
// packets.
#include <napi.h>

#include "filter/pcap_library.h"
#include "js/errors.h"
#include "js/exports.h"

namespace {

// pcapVersion(): "libpcap version 1.10.3 (with TPACKET_V3)". Throws ERR_ADDON_LOAD where there is none.
Napi::Value JS_PcapVersion(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), dpcap::pcap_library().lib_version());
}

Napi::Object Init(Napi::Env, Napi::Object exports) {
  add_function<JS_PcapVersion>(exports, "pcapVersion");
  export_layouts(exports);
  export_host(exports);
  export_filter(exports);
  export_interface(exports);
  export_life(exports);
  export_agent(exports);
  export_inject(exports);
  export_mirror(exports);
  export_flow(exports);
  export_recorder(exports);
  export_reader(exports);
  export_user(exports);
  export_capture(exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(dpcap_host, Init)
