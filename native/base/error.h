// The one error type of the native side. Any thread.
#pragma once
#include <cstring>
#include <stdexcept>
#include <string>

namespace dpcap {

// `code` is an ErrorCode of src/errors.ts. `err` is a positive errno, or 0 when there is none. what() is the message.
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

// Returns an ERR_SYSTEM: `what` says what could not be done, `path` with which file, `err` why.
inline Error system_error(const std::string& what, int err, const std::string& path) {
  return Error("ERR_SYSTEM", what + " " + path + ": " + strerror(err), err, path);
}

}  // namespace dpcap
