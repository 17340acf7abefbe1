// Addresses of a process as places in files; and what is taken for known of DPDK's layouts.
#include "ebpf/code_place.h"

#include <rte_ethdev.h>
#include <rte_version.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.h"
#include "ebpf/fast_path.h"
#include "tap.h"

using namespace dpcap;

namespace {

// Lines of /proc/PID/maps.
const char* const kMaps[] = {"55d0a0000000-55d0a0010000 r--p 00000000 fe:00 11 /usr/bin/app",
                             "55d0a0010000-55d0a0080000 r-xp 00010000 fe:00 11 /usr/bin/app",
                             "7f0000000000-7f0000001000 r-xp 00002000 fe:00 12 /usr/lib/my driver.so (deleted)",
                             "7f0000001000-7f0000002000 r-xp 00000000 00:00 0 ",
                             "7ffc00000000-7ffc00001000 r-xp 00000000 00:00 0 [vdso]"};

std::optional<CodePlace> find_code(uint64_t address) {
  for (const char* line : kMaps) {
    const auto mapping = parse_mapping(line);
    CHECK(mapping.has_value());
    if (mapping && mapping->holds(address)) return code_in(*mapping, "/proc/7", address);
  }
  return std::nullopt;
}

void finds_places() {
  const auto place = find_code(0x55d0a0012345);
  CHECK(place && place->offset == 0x12345 && place->name == "/usr/bin/app");
  CHECK(place && place->path == "/proc/7/map_files/55d0a0010000-55d0a0080000");
  struct stat file = {};
  file.st_dev = makedev(0xfe, 0);
  file.st_ino = 11;
  CHECK(place && is_mapped_file(*place, file));
  file.st_ino = 12;
  CHECK(place && !is_mapped_file(*place, file));
  file.st_dev = makedev(0xfd, 0);
  file.st_ino = 11;
  CHECK(place && !is_mapped_file(*place, file));
  const auto deleted = find_code(0x7f0000000010);
  CHECK(deleted && deleted->offset == 0x2010 && deleted->name == "/usr/lib/my driver.so (deleted)");
  for (const uint64_t address : {0x55d0a0000010ull, 0x7f0000001010ull, 0x7ffc00000010ull, 0x55d0a0080000ull, 0x0ull}) {
    CHECK(!find_code(address));
  }
  for (const char* line : {"", "-", "7f-zz r-xp", "10-20 r-xp 0 fe:00"}) CHECK(!parse_mapping(line));
}

std::string code_of(int pid, uint64_t address) {
  try {
    code_place(pid, address);
    return "";
  } catch (const Error& error) {
    return error.code();
  }
}

void finds_own_code() {
  CHECK(code_of(getpid(), reinterpret_cast<uint64_t>(&code_of)).empty());
  int variable = 0;
  CHECK(code_of(getpid(), reinterpret_cast<uint64_t>(&variable)) == "ERR_ENABLE_FAILED");
  CHECK(code_of(INT32_MAX, 1) == "ERR_PRIMARY_GONE");
}

// As src/native/releases.ts and kernel/maps.h have it.
void layouts_are_those_of_dpdk() {
  using Row = struct rte_eth_fp_ops;  // which is the name of the table, too
  const bool queues_first = RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0);
  CHECK(sizeof(Row) == 128 && sizeof(rte_ethdev_qdata) == 16);
  CHECK(offsetof(Row, rxq) == (queues_first ? 0 : 24));
  CHECK(offsetof(Row, rx_pkt_burst) == (queues_first ? 16 : 0));
  CHECK(offsetof(Row, txq) == (queues_first ? 64 : 88));
  CHECK(offsetof(Row, tx_pkt_burst) == (queues_first ? 80 : 64));
  CHECK(offsetof(rte_mbuf, buf_addr) == 0 && offsetof(rte_mbuf, data_off) == 16 && offsetof(rte_mbuf, nb_segs) == 20);
  CHECK(offsetof(rte_mbuf, ol_flags) == 24 && offsetof(rte_mbuf, pkt_len) == 36 && offsetof(rte_mbuf, data_len) == 40);
  CHECK(offsetof(rte_mbuf, vlan_tci) == 42 && offsetof(rte_mbuf, vlan_tci_outer) == 52);
  CHECK(offsetof(rte_mbuf, next) == 64);
}

// A table of this process's own: a row that is used, and one that is not.
void reads_a_table() {
  uint64_t queues[2] = {0x77, 0};
  uint64_t rows[3][16] = {};
  const FastPathTable table{getpid(), reinterpret_cast<uint64_t>(rows), 3, {128, 0, 24, 64, 88}, {}};
  const auto path = [&](uint16_t port, uint16_t queue, Direction direction) {
    return read_fast_path(table, {"test0", port, queue, direction});
  };
  for (auto& row : rows) row[0] = row[8] = 0x11;
  rows[0][0] = 0x22;
  rows[0][8] = 0x33;
  rows[0][3] = rows[0][11] = reinterpret_cast<uint64_t>(queues);
  CHECK((path(0, 0, Direction::rx) == FastPath{0x22, 0x77}) && (path(0, 0, Direction::tx) == FastPath{0x33, 0x77}));
  CHECK(path(0, 0, Direction::rx)->is_set() && !path(0, 1, Direction::rx)->is_set());
  CHECK(!path(1, 0, Direction::rx)->is_set() && !path(3, 0, Direction::rx)->is_set());
  rows[0][3] = 0x10;  // nothing is mapped there
  CHECK(!path(0, 0, Direction::rx)->is_set());
  const FastPathTable gone{INT32_MAX, table.address, 3, table.layout, {}};
  CHECK(!read_fast_path(gone, {"test0", 0, 0, Direction::rx}));
}

}  // namespace

void test_ebpf_places() {
  finds_places();
  finds_own_code();
  layouts_are_those_of_dpdk();
  reads_a_table();
}
