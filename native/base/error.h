// The one error type of the native side. Any thread.
#pragma once
#include <cstring>
#include <stdexcept>
#include <string>

namespace dpcap {

// code: an ErrorCode of src/errors.ts. err: a positive errno, 0 when there is none. what(): the trail.
class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& what, int err = 0, std::string subject = "")
      : std::runtime_error(what), code_(std::move(code)), err_(err < 0 ? -err : err), subject_(std::move(subject)) {}

  const std::string& code() const { return code_; }
  int err() const { return err_; }
  const std::string& subject() const { return subject_; }

 private:
  std::string code_;
  int err_;
  std::string subject_;
};

// ERR_SYSTEM: what could not be done, and with which file; `err` says why.
inline Error system_error(const std::string& what, int err, const std::string& path) {
  return Error("ERR_SYSTEM", what + " " + path + ": " + strerror(err), err, path);
}

}  // namespace dpcap
