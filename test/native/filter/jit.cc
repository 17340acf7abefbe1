// Programs as machine code: what is refused, and that the rest selects what the interpreter selects. The differential
// tests of src/filter compare both with libpcap.
#include "filter/jit/jit.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <vector>

#include "copies.h"
#include "filter/ebpf_vm.h"
#include "tap.h"

namespace {

using Program = std::vector<ebpf_insn>;

ebpf_insn insn(unsigned code, unsigned dst, unsigned src, int off, int imm) {
  ebpf_insn one{};
  one.code = static_cast<uint8_t>(code);
  one.dst_reg = dst & 15;
  one.src_reg = src & 15;
  one.off = static_cast<int16_t>(off);
  one.imm = imm;
  return one;
}

const ebpf_insn kOne = insn(BPF_ALU | EBPF_MOV | BPF_K, 0, 0, 0, 1);
const ebpf_insn kExit = insn(BPF_JMP | EBPF_EXIT, 0, 0, 0, 0);

int error_of(const Program& program) {
  dpcap_jit jit;
  const int err = dpcap_jit_make(&jit, program.data(), static_cast<uint32_t>(program.size()));
  if (err == 0) dpcap_jit_free(&jit);
  return err;
}

// Whether it selects the packet, as machine code and interpreted.
bool both_select(const Program& program, const rte_mbuf* packet) {
  dpcap_jit jit;
  const auto count = static_cast<uint32_t>(program.size());
  CHECK_ALL(dpcap_jit_make(&jit, program.data(), count) == 0);
  const bool selects = jit.matches(packet);
  CHECK_ALL(selects == dpcap_ebpf_matches(program.data(), count, packet, 0, packet->pkt_len, false));
  dpcap_jit_free(&jit);
  return selects;
}

void refused() {
  CHECK(error_of({kOne, kExit}) == 0);
  CHECK(error_of({kOne, insn(BPF_JMP | EBPF_CALL, 0, 0, 0, 1), kExit}) == ENOTSUP);
  CHECK(error_of({kOne, insn(BPF_JMP | BPF_JA, 0, 0, -2, 0), kExit}) == ENOTSUP);
  CHECK(error_of({kOne, insn(BPF_JMP | BPF_JA, 0, 0, 2, 0), kExit}) == ENOTSUP);
  CHECK(error_of({insn(BPF_JMP | BPF_JA, 0, 0, 1, 0), kOne, kExit}) == ENOTSUP);  // what nothing reaches
  CHECK(error_of({insn(BPF_ALU | EBPF_MOV | BPF_K, 11, 0, 0, 1), kOne, kExit}) == ENOTSUP);
  CHECK(error_of({insn(BPF_ALU | EBPF_MOV | BPF_K, 10, 0, 0, 1), kOne, kExit}) == ENOTSUP);
  CHECK(error_of({insn(BPF_ALU | EBPF_END | EBPF_TO_BE, 0, 0, 0, 16), kExit}) == ENOTSUP);
  CHECK(error_of({insn(EBPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, 8), kOne, kExit}) == ENOTSUP);
  CHECK(error_of({insn(BPF_LD | BPF_IMM | EBPF_DW, 0, 0, 0, 8), kExit}) == ENOTSUP);
}

void memory_that_is_not_theirs() {
  const int end = sizeof(rte_mbuf);
  const auto load = [](int src, int off) { return insn(BPF_LDX | BPF_MEM | BPF_W, 0, src, off, 0); };
  const auto store = [](int dst, int off) { return insn(BPF_STX | BPF_MEM | BPF_W, dst, 0, off, 0); };
  CHECK(error_of({load(1, end - 4), kExit}) == 0);
  CHECK(error_of({load(1, end - 3), kExit}) == ENOTSUP);
  CHECK(error_of({load(1, -1), kExit}) == ENOTSUP);
  CHECK(error_of({load(2, 0), kExit}) == ENOTSUP);
  CHECK(error_of({kOne, store(10, -4), load(10, -4), kExit}) == 0);
  CHECK(error_of({kOne, store(10, -512), kExit}) == 0);
  CHECK(error_of({kOne, store(10, -513), kExit}) == ENOTSUP);
  CHECK(error_of({kOne, store(10, -3), kExit}) == ENOTSUP);
  CHECK(error_of({kOne, store(1, 0), kExit}) == ENOTSUP);
  // The pointer on one way only is a number.
  const ebpf_insn skip = insn(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1, 0);
  CHECK(error_of({insn(EBPF_ALU64 | EBPF_MOV | BPF_X, 6, 1, 0, 0), load(6, 0), kExit}) == 0);
  CHECK(error_of({skip, insn(EBPF_ALU64 | EBPF_MOV | BPF_X, 6, 1, 0, 0), load(6, 0), kExit}) == ENOTSUP);
}

void ends() {
  Chain packet(numbered(64), SIZE_MAX);
  CHECK(both_select({kOne, kExit}, packet.head()));
  CHECK(!both_select({kOne}, packet.head()));  // falls off its end
  CHECK(!both_select({kOne, insn(BPF_JMP | BPF_JA, 0, 0, 0, 0)}, packet.head()));
  CHECK(!both_select({insn(BPF_LD | BPF_ABS | BPF_W, 0, 0, 0, 61), kExit}, packet.head()));
  CHECK(both_select({insn(BPF_LD | BPF_ABS | BPF_W, 0, 0, 0, 60), kExit}, packet.head()));
  CHECK(!both_select({insn(BPF_LD | BPF_ABS | BPF_B, 0, 0, 0, -1), kOne, kExit}, packet.head()));
}

class Programs {
 public:
  Program next() {
    Program program;
    const uint32_t count = 2 + below(30);
    for (uint32_t at = 0; at + 1 < count; at++) program.push_back(one(count - at - 1));
    program.push_back(kExit);
    return program;
  }
  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }

 private:
  // Registers without r1 and r10: what is made of a pointer is another number for each of the two.
  uint32_t reg() { return below(2) == 0 ? 0 : 2 + below(8); }
  int number() {
    const int some[] = {0, 1, 2, 31, 32, 33, -1, 255, 0x7fffffff, INT32_MIN, static_cast<int>(below(70))};
    return some[below(sizeof some / sizeof some[0])];
  }
  ebpf_insn one(uint32_t left) {
    static constexpr uint8_t kArithmetic[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_MOD, BPF_OR,
                                              BPF_AND, BPF_XOR, BPF_LSH, BPF_RSH, BPF_NEG, EBPF_MOV};
    static constexpr uint8_t kJumps[] = {BPF_JA, BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET, EBPF_JNE, EBPF_JLT, EBPF_JLE};
    static constexpr uint8_t kSizes[] = {BPF_B, BPF_H, BPF_W, EBPF_DW};
    const unsigned operand = below(2) == 0 ? BPF_K : BPF_X;
    switch (below(8)) {
      case 0:
        return insn(BPF_LD | BPF_ABS | kSizes[below(3)], 0, 0, 0, number());
      case 1:
        return insn(BPF_LD | BPF_IND | kSizes[below(3)], 0, reg(), 0, number());
      case 2:
        return insn(BPF_LDX | BPF_MEM | kSizes[below(4)], reg(), 10, -8 * static_cast<int>(1 + below(64)), 0);
      case 3:
        return insn(BPF_STX | BPF_MEM | kSizes[below(4)], 10, reg(), -8 * static_cast<int>(1 + below(64)), 0);
      case 4:
        return insn(BPF_JMP | kJumps[below(sizeof kJumps)] | operand, reg(), reg(), static_cast<int>(below(left)),
                    number());
      case 5:
        return insn(BPF_ALU | EBPF_END | EBPF_TO_BE, reg(), 0, 0, 32);
      case 6:
        return insn(EBPF_ALU64 | EBPF_MOV | BPF_X, reg(), reg(), 0, 0);
      default:
        return insn(BPF_ALU | kArithmetic[below(sizeof kArithmetic)] | operand, reg(), reg(), 0, number());
    }
  }

  std::mt19937 random_{7};
};

void random_programs() {
  Programs programs;
  std::deque<Chain> packets;
  for (const size_t segment : {SIZE_MAX, size_t{7}, size_t{40}}) packets.emplace_back(numbered(64), segment);
  uint32_t compiled = 0, selected = 0;
  for (uint32_t i = 0; i < 30000; i++) {
    const Program program = programs.next();
    if (error_of(program) != 0) continue;  // a jump has passed some of it by
    compiled++;
    for (Chain& packet : packets) selected += both_select(program, packet.head());
  }
  CHECK(compiled > 5000 && selected > 1000 && selected < 2 * compiled);
}

// systemd's MemoryDenyWriteExecute, and Linux 6.3's own way to the same.
void where_memory_may_not_be_executed() {
  constexpr int kSetMdwe = 65, kRefuseExecGain = 1;  // PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN of later headers
  const pid_t pid = fork();
  if (pid == 0) {
    if (prctl(kSetMdwe, kRefuseExecGain, 0, 0, 0) != 0) _exit(77);
    const int err = error_of({kOne, kExit});
    _exit(err == EACCES || err == EPERM ? 0 : 1);
  }
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid);
  if (WEXITSTATUS(status) == 77) return note("this kernel has no PR_SET_MDWE");
  CHECK(status == 0);
}

}  // namespace

void test_filter_jit() {
#ifdef __x86_64__
  refused();
  memory_that_is_not_theirs();
  ends();
  random_programs();
  where_memory_may_not_be_executed();
#else
  CHECK(error_of({kOne, kExit}) == ENOTSUP);
#endif
}
