#include "filter/pcap_library.h"

#include <dlfcn.h>

#include <string>

#include "base/error.h"

namespace dpcap {
namespace {

// Debian and what comes from it call it .0.8 for historical reasons, all others .1.
constexpr const char* kNames[] = {"libpcap.so.0.8", "libpcap.so.1"};

std::string loader_words() {
  const char* words = dlerror();
  return words == nullptr ? "no reason given" : words;
}

void* open_library() {
  std::string words;
  for (const char* name : kNames) {
    if (void* library = dlopen(name, RTLD_LAZY | RTLD_LOCAL)) return library;
    words = loader_words();
  }
  throw Error("ERR_ADDON_LOAD", "libpcap cannot be loaded: " + words, 0, kNames[0]);
}

template <typename Function>
void find(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  if (*function == nullptr) throw Error("ERR_ADDON_LOAD", "libpcap lacks a function: " + loader_words(), 0, name);
}

PcapLibrary load() {
  void* library = open_library();
  PcapLibrary pcap{};
  find(library, "pcap_open_dead", &pcap.open_dead);
  find(library, "pcap_compile", &pcap.compile);
  find(library, "pcap_geterr", &pcap.geterr);
  find(library, "pcap_freecode", &pcap.freecode);
  find(library, "pcap_close", &pcap.close);
  find(library, "pcap_open_offline", &pcap.open_offline);
  find(library, "pcap_datalink", &pcap.datalink);
  find(library, "pcap_next_ex", &pcap.next_ex);
  find(library, "pcap_lib_version", &pcap.lib_version);
  find(library, "bpf_filter", &pcap.filter);
  find(library, "bpf_validate", &pcap.validate);
  return pcap;
}

}  // namespace

const PcapLibrary& pcap_library() {
  static const PcapLibrary library = load();  // an exception leaves it for the next call
  return library;
}

}  // namespace dpcap
