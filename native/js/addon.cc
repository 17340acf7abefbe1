// Exports of the addon. The only folder that includes napi.h is this one.
#include <napi.h>

#include "js/exports.h"

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
