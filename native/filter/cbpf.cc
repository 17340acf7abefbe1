// The part of filter.h that uses libpcap. It is apart from ebpf.cc because <pcap/bpf.h> and <bpf_def.h> define the same
// macros.
#include <climits>
#include <memory>

#include "base/error.h"
#include "filter/filter.h"
#include "filter/pcap_library.h"

namespace dpcap {
namespace {

constexpr int kSnaplen = 262144;  // tcpdump's default; it is also the value an accepting program returns

static_assert(sizeof(ClassicInsn) == sizeof(bpf_insn));

struct PcapCloser {
  void operator()(pcap_t* handle) const { pcap_library().close(handle); }
};

// Frees libpcap's program, also when copying it throws.
struct CompiledProgram {
  bpf_program program{};
  CompiledProgram() = default;
  CompiledProgram(const CompiledProgram&) = delete;
  CompiledProgram& operator=(const CompiledProgram&) = delete;
  ~CompiledProgram() { pcap_library().freecode(&program); }
};

}  // namespace

std::vector<ClassicInsn> compile_filter(const std::string& text, bool optimize) {
  const PcapLibrary& pcap = pcap_library();
  std::unique_ptr<pcap_t, PcapCloser> handle(pcap.open_dead(DLT_EN10MB, kSnaplen));
  if (!handle) throw Error("ERR_NO_MEMORY", "libpcap cannot allocate a handle", ENOMEM);
  CompiledProgram compiled;
  if (pcap.compile(handle.get(), &compiled.program, text.c_str(), optimize ? 1 : 0, PCAP_NETMASK_UNKNOWN) != 0)
    throw Error("ERR_FILTER_SYNTAX", pcap.geterr(handle.get()));
  std::vector<ClassicInsn> result;
  result.reserve(compiled.program.bf_len);
  for (u_int i = 0; i < compiled.program.bf_len; i++) {
    const bpf_insn& insn = compiled.program.bf_insns[i];
    result.push_back({insn.code, insn.jt, insn.jf, insn.k});
  }
  return result;
}

std::vector<std::vector<uint8_t>> read_capture_file(const std::string& path) {
  const PcapLibrary& pcap = pcap_library();
  char reason[PCAP_ERRBUF_SIZE] = "";
  const std::unique_ptr<pcap_t, PcapCloser> file(pcap.open_offline(path.c_str(), reason));
  if (!file) throw Error("ERR_SYSTEM", reason, 0, path);
  if (pcap.datalink(file.get()) != DLT_EN10MB)
    throw Error("ERR_SYSTEM", path + " does not hold Ethernet frames", 0, path);
  std::vector<std::vector<uint8_t>> packets;
  pcap_pkthdr* header;
  const u_char* bytes;
  int result;
  while ((result = pcap.next_ex(file.get(), &header, &bytes)) == 1) packets.emplace_back(bytes, bytes + header->caplen);
  if (result == PCAP_ERROR) throw Error("ERR_SYSTEM", path + ": " + pcap.geterr(file.get()), 0, path);
  return packets;
}

std::vector<uint8_t> run_classic(const std::vector<ClassicInsn>& program, const std::vector<Sample>& frames) {
  const PcapLibrary& pcap = pcap_library();
  const auto* insns = reinterpret_cast<const bpf_insn*>(program.data());
  // bpf_filter aborts the process on an opcode it does not know, so only what libpcap calls valid may run.
  if (program.empty() || program.size() > INT_MAX || !pcap.validate(insns, static_cast<int>(program.size())))
    throw Error("ERR_FILTER_UNSUPPORTED", "libpcap does not accept the classic program");
  std::vector<uint8_t> verdicts;
  verdicts.reserve(frames.size());
  for (const Sample& frame : frames) {
    const auto len = static_cast<u_int>(frame.len);
    verdicts.push_back(pcap.filter(insns, frame.data, len, len) != 0 ? 1 : 0);
  }
  return verdicts;
}

}  // namespace dpcap
