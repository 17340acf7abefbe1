#include "filter/ebpf_vm.h"

#include <cstring>

namespace dpcap {
namespace {

constexpr size_t kStackBytes = 512;
constexpr int kRegisters = 11;

// The state of one execution: registers, stack, and the mbuf's fields as the program is to see them.
struct Machine {
  uint64_t reg[kRegisters] = {};
  uint8_t stack[kStackBytes] = {};
  rte_mbuf fields;
  const rte_mbuf* mbuf;
  uint32_t offset;
  uint32_t len;

  // Returns where `size` bytes of the stack or the fields are; nullptr for any other address.
  uint8_t* memory(uint64_t address, size_t size) {
    const auto inside = [&](void* area, size_t bytes) -> uint8_t* {
      const uint64_t at = address - reinterpret_cast<uint64_t>(area);
      return at <= bytes - size ? static_cast<uint8_t*>(area) + at : nullptr;
    };
    uint8_t* found = inside(stack, kStackBytes);
    return found != nullptr ? found : inside(&fields, sizeof fields);
  }

  bool load_packet(uint64_t at, uint32_t size) {
    if (at + size > len) return false;
    // This is rte_pktmbuf_read(), which is a function of librte_mbuf for what lies in several segments.
    uint64_t from = offset + at;
    const rte_mbuf* segment = mbuf;
    reg[0] = 0;
    for (uint32_t i = 0; i < size; i++, from++) {
      for (; segment != nullptr && from >= segment->data_len; segment = segment->next) from -= segment->data_len;
      if (segment == nullptr) return false;
      reg[0] = reg[0] << 8 | *rte_pktmbuf_mtod_offset(segment, const uint8_t*, from);
    }
    return true;
  }
};

uint32_t size_of(uint8_t code) {
  switch (code & 0x18) {
    case BPF_B:
      return 1;
    case BPF_H:
      return 2;
    case EBPF_DW:
      return 8;
    default:
      return 4;
  }
}

uint32_t arithmetic(uint8_t op, uint32_t a, uint32_t b) {
  switch (op) {
    case BPF_ADD:
      return a + b;
    case BPF_SUB:
      return a - b;
    case BPF_MUL:
      return a * b;
    case BPF_DIV:
      return b == 0 ? 0 : a / b;
    case BPF_MOD:
      return b == 0 ? 0 : a % b;
    case BPF_OR:
      return a | b;
    case BPF_AND:
      return a & b;
    case BPF_XOR:
      return a ^ b;
    case BPF_LSH:
      return b < 32 ? a << b : 0;
    case BPF_RSH:
      return b < 32 ? a >> b : 0;
    case BPF_NEG:
      return -a;
    case EBPF_END:
      return __builtin_bswap32(a);
    default:
      return b;  // EBPF_MOV
  }
}

bool compare(uint8_t op, uint64_t a, uint64_t b) {
  switch (op) {
    case BPF_JEQ:
      return a == b;
    case EBPF_JNE:
      return a != b;
    case BPF_JGT:
      return a > b;
    case BPF_JGE:
      return a >= b;
    case EBPF_JLT:
      return a < b;
    case EBPF_JLE:
      return a <= b;
    case BPF_JSET:
      return (a & b) != 0;
    default:
      return true;  // BPF_JA
  }
}

// Executes an instruction that is not a jump. False ends the program: the packet is not selected.
bool step(Machine& machine, const ebpf_insn& insn) {
  uint64_t& dst = machine.reg[insn.dst_reg];
  const uint64_t src = machine.reg[insn.src_reg];
  const uint32_t size = size_of(insn.code);
  switch (insn.code & 7) {
    case BPF_LD: {
      const bool indexed = (insn.code & 0xe0) == BPF_IND;
      return machine.load_packet(static_cast<uint32_t>(insn.imm + (indexed ? src : 0)), size);
    }
    case BPF_LDX: {
      const uint8_t* from = machine.memory(src + insn.off, size);
      if (from == nullptr) return false;
      dst = 0;
      memcpy(&dst, from, size);
      return true;
    }
    case BPF_STX: {
      uint8_t* to = machine.memory(dst + insn.off, size);
      if (to != nullptr) memcpy(to, &src, size);
      return to != nullptr;
    }
    case EBPF_ALU64:  // only moves of the mbuf's pointer
      dst = src;
      return true;
    default:
      dst = arithmetic(insn.code & 0xf0, static_cast<uint32_t>(dst),
                       (insn.code & BPF_X) != 0 ? static_cast<uint32_t>(src) : static_cast<uint32_t>(insn.imm));
      return true;
  }
}

}  // namespace

Interpreter::Interpreter(const std::vector<uint8_t>& code) : program_(code.size() / sizeof(ebpf_insn)) {
  if (!program_.empty()) memcpy(program_.data(), code.data(), program_.size() * sizeof(ebpf_insn));
}

bool Interpreter::matches(const rte_mbuf* mbuf, uint32_t offset, uint32_t len, bool tags_in_data) const {
  if (program_.empty()) return true;
  Machine machine;
  machine.mbuf = mbuf;
  machine.offset = offset;
  machine.len = len;
  memcpy(static_cast<void*>(&machine.fields), static_cast<const void*>(mbuf), sizeof machine.fields);
  machine.fields.pkt_len = len;
  if (tags_in_data) machine.fields.ol_flags = 0;
  machine.reg[1] = reinterpret_cast<uint64_t>(&machine.fields);
  machine.reg[10] = reinterpret_cast<uint64_t>(machine.stack + kStackBytes);

  for (size_t at = 0; at < program_.size(); at++) {
    const ebpf_insn& insn = program_[at];
    if (insn.dst_reg >= kRegisters || insn.src_reg >= kRegisters) return false;
    if ((insn.code & 7) != BPF_JMP) {
      if (!step(machine, insn)) return false;
      continue;
    }
    const uint8_t op = insn.code & 0xf0;
    if (op == EBPF_EXIT) return machine.reg[0] != 0;
    const uint64_t other =
        (insn.code & BPF_X) != 0 ? machine.reg[insn.src_reg] : static_cast<uint64_t>(static_cast<int64_t>(insn.imm));
    if (insn.off < 0) return false;
    if (compare(op, machine.reg[insn.dst_reg], other)) at += insn.off;
  }
  return false;
}

}  // namespace dpcap
