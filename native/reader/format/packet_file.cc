#include "reader/format/packet_file.h"

#include <cstring>

#include "base/error.h"
#include "reader/format/pcap_file.h"
#include "reader/format/pcapng_file.h"

namespace dpcap {

std::unique_ptr<PacketFile> packet_file(Window& window, const std::vector<FileInterface>& known) {
  uint32_t magic;
  memcpy(&magic, window.bytes(), sizeof magic);
  if (PcapFile::is_magic(magic)) return std::make_unique<PcapFile>(window);
  if (PcapngFile::is_magic(magic)) return std::make_unique<PcapngFile>(window, known);
  throw Error("ERR_INPUT_FILE", "it is neither pcap nor pcapng");
}

}  // namespace dpcap
