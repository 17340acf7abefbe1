// From a core error to a JavaScript error: the single door. The object carries code (ErrorCode), errno (a name) and
// subject; src/native/ turns it into a DpcapError.
#pragma once
#include <napi.h>

#include "base/error.h"

Napi::Error to_js_error(Napi::Env env, const dpcap::Error& error);
