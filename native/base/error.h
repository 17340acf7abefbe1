// The one error type of native/core, and the adapters for the three conventions of C.
#pragma once
#include <cerrno>
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

}  // namespace dpcap
