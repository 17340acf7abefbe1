// A process of ours becomes another user's.
#include <grp.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "js/errors.h"
#include "js/exports.h"

namespace {

// becomeUser(user, uid, gid). The C library sees to it that all threads do.
Napi::Value JS_BecomeUser(const Napi::CallbackInfo& info) {
  if (!info[0].IsString() || !info[1].IsNumber() || !info[2].IsNumber()) {
    throw Napi::TypeError::New(info.Env(), "Expected a user's name, a uid and a gid");
  }
  const std::string user = info[0].As<Napi::String>();
  const uid_t uid = info[1].As<Napi::Number>().Uint32Value();
  const gid_t gid = info[2].As<Napi::Number>().Uint32Value();
  if (initgroups(user.c_str(), gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0) {
    throw dpcap::Error("ERR_PERMISSION", "cannot become user " + user, errno, user);
  }
  return info.Env().Undefined();
}

}  // namespace

void export_user(Napi::Object exports) { add_function<JS_BecomeUser>(exports, "becomeUser"); }
