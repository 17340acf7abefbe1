// The address of a socket that has a path. Any thread.
#pragma once
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"

namespace dpcap {

// `what`: what cannot be done with a path that is too long, as for system_error().
inline sockaddr_un unix_address(const std::string& path, const char* what) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw system_error(what, ENAMETOOLONG, path);
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

}  // namespace dpcap
