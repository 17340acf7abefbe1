// How the DPDK of the build lays out what is read in a primary from outside. Both addons tell theirs, because a private
// build may differ.
#include "filter/filter.h"
#include "host/layouts.h"
#include "js/exports.h"

namespace {

Napi::Object ops_layout(Napi::Env env) {
  Napi::Object ops = Napi::Object::New(env);
  const dpcap::OpsLayout table = dpcap::ops_layout();
  ops.Set("tableSize", static_cast<double>(table.table_size));
  ops.Set("numOpsOffset", static_cast<double>(table.num_ops_offset));
  ops.Set("entriesOffset", static_cast<double>(table.entries_offset));
  ops.Set("entrySize", static_cast<double>(table.entry_size));
  ops.Set("nameSize", static_cast<double>(table.name_size));
  ops.Set("maxOps", static_cast<double>(table.max_ops));
  return ops;
}

Napi::Object memzone_layout(Napi::Env env) {
  Napi::Object zone = Napi::Object::New(env);
  const dpcap::MemzoneLayout layout = dpcap::memzone_layout();
  zone.Set("entrySize", static_cast<double>(layout.entry_size));
  zone.Set("nameSize", static_cast<double>(layout.name_size));
  zone.Set("lengthOffset", static_cast<double>(layout.length_offset));
  return zone;
}

Napi::Object pdump_limits(Napi::Env env) {
  Napi::Object object = Napi::Object::New(env);
  const dpcap::PdumpLimits limits = dpcap::pdump_limits();
  object.Set("ports", static_cast<double>(limits.ports));
  object.Set("queues", static_cast<double>(limits.queues));
  object.Set("counterBytes", static_cast<double>(limits.counter_bytes));
  return object;
}

Napi::Object mbuf_layout_of(Napi::Env env) {
  const dpcap::MbufLayout layout = dpcap::mbuf_layout();
  Napi::Object result = Napi::Object::New(env);
  result.Set("size", layout.size);
  result.Set("pktLen", layout.pkt_len);
  result.Set("olFlags", layout.ol_flags);
  result.Set("vlanTci", layout.vlan_tci);
  result.Set("vlanTciOuter", layout.vlan_tci_outer);
  result.Set("rxVlanStripped", static_cast<double>(layout.rx_vlan_stripped));
  result.Set("rxQinqStripped", static_cast<double>(layout.rx_qinq_stripped));
  result.Set("txVlan", static_cast<double>(layout.tx_vlan));
  result.Set("txQinq", static_cast<double>(layout.tx_qinq));
  return result;
}

}  // namespace

void export_layouts(Napi::Object exports) {
  exports.Set("opsLayout", ops_layout(exports.Env()));
  exports.Set("memzoneLayout", memzone_layout(exports.Env()));
  exports.Set("pdumpLimits", pdump_limits(exports.Env()));
  exports.Set("mbufLayout", mbuf_layout_of(exports.Env()));
}
