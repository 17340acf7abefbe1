// Filter programs: libpcap's compiler and interpreter, librte_bpf's verifier, interpreter and JIT. EAL is not needed.
// Any thread, but one at a time for run_extended and verify_extended, which borrow DPDK's log stream.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dpcap {

// One classic instruction, laid out as libpcap's struct bpf_insn.
struct ClassicInsn {
  uint16_t code;
  uint8_t jt;
  uint8_t jf;
  uint32_t k;
};
static_assert(sizeof(ClassicInsn) == 8);

// What an mbuf says about VLAN tags that are not in the packet.
struct SampleTags {
  uint64_t ol_flags;
  uint16_t vlan_tci;
  uint16_t vlan_tci_outer;
};

// Borrowed bytes of one frame to try a filter on; the caller keeps them alive during the call.
struct Sample {
  const uint8_t* data;
  size_t len;
  SampleTags tags{};
};

// Where a filter program finds a packet's metadata: offsets into struct rte_mbuf, and bits of ol_flags.
struct MbufLayout {
  uint32_t size;
  uint32_t pkt_len;
  uint32_t ol_flags;
  uint32_t vlan_tci;
  uint32_t vlan_tci_outer;
  uint64_t rx_vlan_stripped;
  uint64_t rx_qinq_stripped;
  uint64_t tx_vlan;
  uint64_t tx_qinq;
};
MbufLayout mbuf_layout();

// Compiles a filter expression for Ethernet with a snaplen of 262144. Throws ERR_FILTER_SYNTAX with libpcap's words.
std::vector<ClassicInsn> compile_filter(const std::string& text, bool optimize);

// Returns the packets of a pcap or pcapng file of Ethernet frames. Throws ERR_SYSTEM with libpcap's words.
std::vector<std::vector<uint8_t>> read_capture_file(const std::string& path);

// Runs libpcap's interpreter with wirelen = caplen. Returns 1 or 0 per frame. Throws when libpcap does not accept the
// program.
std::vector<uint8_t> run_classic(const std::vector<ClassicInsn>& program, const std::vector<Sample>& frames);

// Calls rte_bpf_load(), then DPDK's interpreter on mbufs in ordinary memory, which are cut into segments of at most
// segment_size bytes (0: as few segments as possible). `program` holds `count` 8-byte struct ebpf_insn.
// Throws ERR_FILTER_UNSUPPORTED with the verifier's words when it refuses the program.
std::vector<uint8_t> run_extended(const uint8_t* program, size_t count, const std::vector<Sample>& frames,
                                  size_t segment_size);

// Does the same with Interpreter, which verifies nothing.
std::vector<uint8_t> run_interpreter(const std::vector<uint8_t>& program, const std::vector<Sample>& frames,
                                     size_t segment_size);

// Does the same as the agent: with the program compiled to machine code. Throws ERR_FILTER_UNSUPPORTED where it is not.
std::vector<uint8_t> run_compiled(const std::vector<uint8_t>& program, const std::vector<Sample>& frames,
                                  size_t segment_size);

// Loads the program in a forked process, as the primary would. Throws ERR_FILTER_UNSUPPORTED when the verifier refuses
// it or takes longer than timeout_ms: the verifier's cost grows exponentially with some programs, and the primary's
// control thread would not answer for as long. Blocks the caller.
void verify_extended(const uint8_t* program, size_t count, int timeout_ms);

}  // namespace dpcap
