// libpcap, loaded when it is first needed: dpcap lists, diagnoses and recovers without it. Any thread.
#pragma once
#include <pcap/pcap.h>

namespace dpcap {

// The functions of libpcap that are used, with its own types and meaning (pcap(3)).
struct PcapLibrary {
  decltype(&pcap_open_dead) open_dead;
  decltype(&pcap_compile) compile;
  decltype(&pcap_geterr) geterr;
  decltype(&pcap_freecode) freecode;
  decltype(&pcap_close) close;
  decltype(&pcap_open_offline) open_offline;
  decltype(&pcap_datalink) datalink;
  decltype(&pcap_next_ex) next_ex;
  decltype(&pcap_lib_version) lib_version;
  decltype(&bpf_filter) filter;
  decltype(&bpf_validate) validate;
};

// Throws ERR_ADDON_LOAD with the loader's words where libpcap is not installed.
const PcapLibrary& pcap_library();

}  // namespace dpcap
