// Makes files of packets, of both byte orders.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "record/pcap_format.h"

enum class Order { own, other };

class FileBytes {
 public:
  explicit FileBytes(Order order = Order::own) : order_(order) {}

  FileBytes& word(uint32_t value) { return number(value, 4); }
  FileBytes& half(uint16_t value) { return number(value, 2); }
  FileBytes& wide(uint64_t value) { return number(value, 8); }
  FileBytes& raw(const std::string& text) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    return *this;
  }
  FileBytes& pad() {
    bytes.resize(dpcap::padded(bytes.size()));
    return *this;
  }

  FileBytes& pcap_head(uint32_t magic = 0xa1b2c3d4, uint32_t snaplen = 262144, uint32_t link_type = 1) {
    return word(magic).half(2).half(4).word(0).word(0).word(snaplen).word(link_type);
  }
  FileBytes& pcap_record(uint32_t seconds, uint32_t fraction, const std::string& packet, uint32_t len) {
    return word(seconds).word(fraction).word(static_cast<uint32_t>(packet.size())).word(len).raw(packet);
  }

  // Blocks of pcapng: `body` is what is between the two lengths.
  FileBytes& block(uint32_t type, const FileBytes& body) {
    FileBytes padded_body = body;
    padded_body.pad();
    const uint32_t size = static_cast<uint32_t>(padded_body.bytes.size()) + 12;
    word(type).word(size);
    bytes.insert(bytes.end(), padded_body.bytes.begin(), padded_body.bytes.end());
    return word(size);
  }
  FileBytes part() const { return FileBytes(order_); }
  FileBytes& option(uint16_t code, const FileBytes& value) {
    half(code).half(static_cast<uint16_t>(value.bytes.size()));
    bytes.insert(bytes.end(), value.bytes.begin(), value.bytes.end());
    return pad();
  }
  FileBytes& option(uint16_t code, const std::string& text) { return option(code, part().raw(text)); }
  FileBytes& end_of_options() { return half(0).half(0); }
  FileBytes& section(const std::string& comment = "") {
    FileBytes body = part().word(0x1a2b3c4d).half(1).half(0).wide(UINT64_MAX);
    if (!comment.empty()) body.option(1, comment).end_of_options();
    return block(0x0a0d0d0a, body);
  }
  FileBytes& interface(const std::string& name, uint16_t link_type = 1, uint32_t snaplen = 0) {
    FileBytes body = part().half(link_type).half(0).word(snaplen);
    if (!name.empty()) body.option(2, name).end_of_options();
    return block(1, body);
  }
  FileBytes& enhanced(uint32_t interface, uint64_t time, const std::string& packet, uint32_t len) {
    return block(6, enhanced_body(interface, time, packet, len));
  }
  FileBytes enhanced_body(uint32_t interface, uint64_t time, const std::string& packet, uint32_t len) const {
    FileBytes body = part().word(interface).word(static_cast<uint32_t>(time >> 32)).word(static_cast<uint32_t>(time));
    body.word(static_cast<uint32_t>(packet.size())).word(len).raw(packet).pad();
    return body;
  }

  std::vector<uint8_t> bytes;

 private:
  FileBytes& number(uint64_t value, size_t size) {
    for (size_t i = 0; i < size; i++) {
      const size_t at = order_ == Order::own ? i : size - 1 - i;
      bytes.push_back(static_cast<uint8_t>(value >> (8 * at)));
    }
    return *this;
  }

  Order order_;
};
