#include "sink/interface/tap_device.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace dpcap {
namespace {

constexpr const char* kDevice = "/dev/net/tun";

Error failed(const TapOptions& options, const std::string& step, const std::string& subject) {
  const int err = errno;
  return Error("ERR_SINK_OPEN", "cannot create the interface " + options.name + ": " + step, err, subject);
}

Error failed(const TapOptions& options, const std::string& step) { return failed(options, step, options.name); }

void enter_namespace(const TapOptions& options) {
  if (options.netns.empty()) return;
  const Descriptor ns(open(("/var/run/netns/" + options.netns).c_str(), O_RDONLY | O_CLOEXEC));
  if (ns.get() < 0) throw failed(options, "network namespace " + options.netns, options.netns);
  if (setns(ns.get(), CLONE_NEWNET) != 0) {
    throw failed(options, "entering network namespace " + options.netns, options.netns);
  }
}

ifreq request_for(const TapOptions& options) {
  ifreq request;
  memset(&request, 0, sizeof request);
  strncpy(request.ifr_name, options.name.c_str(), sizeof request.ifr_name - 1);
  return request;
}

Descriptor open_queue(const TapOptions& options, int flags) {
  Descriptor tap(open(kDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (tap.get() < 0) throw failed(options, kDevice, kDevice);
  ifreq request = request_for(options);
  if (options.queues > 1) flags |= IFF_MULTI_QUEUE;
  request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | flags);
  if (ioctl(tap.get(), TUNSETIFF, &request) != 0) throw failed(options, "TUNSETIFF");
  return tap;
}

void set_up(const TapOptions& options) {
  // This comes before the interface is up, or the kernel has already announced itself on it.
  std::ofstream("/proc/sys/net/ipv6/conf/" + options.name + "/disable_ipv6") << 1;
  const Descriptor control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = request_for(options);
  request.ifr_mtu = static_cast<int>(options.mtu);
  if (ioctl(control.get(), SIOCSIFMTU, &request) != 0) throw failed(options, "MTU " + std::to_string(options.mtu));
  request = request_for(options);
  if (ioctl(control.get(), SIOCGIFFLAGS, &request) != 0) throw failed(options, "reading its flags");
  request.ifr_flags |= IFF_UP | IFF_NOARP | IFF_PROMISC;
  request.ifr_flags &= static_cast<short>(~IFF_MULTICAST);
  if (ioctl(control.get(), SIOCSIFFLAGS, &request) != 0) throw failed(options, "setting it up");
}

// Runs on a thread that is in the right network namespace.
std::vector<int> create(const TapOptions& options) {
  std::vector<Descriptor> queues;
  queues.push_back(open_queue(options, IFF_TUN_EXCL));
  while (queues.size() < options.queues) queues.push_back(open_queue(options, 0));
  set_up(options);
  std::vector<int> fds;
  for (Descriptor& queue : queues) fds.push_back(queue.release());
  return fds;
}

}  // namespace

std::vector<int> create_tap(const TapOptions& options) {
  if (options.name.empty() || options.name.size() >= IFNAMSIZ) {
    errno = ENAMETOOLONG;
    throw failed(options, "a name has 1 to 15 characters");
  }
  // Only this thread enters the namespace. It ends right after, and the rest of the process stays where it was.
  std::vector<int> fds;
  std::optional<Error> error;
  std::thread creator([&] {
    try {
      enter_namespace(options);
      fds = create(options);
    } catch (const Error& thrown) {
      error = thrown;
    }
  });
  creator.join();
  if (error) throw *error;
  return fds;
}

void set_up_interface(const std::string& name, uint32_t mtu) { set_up({name, "", mtu, 1}); }

}  // namespace dpcap
