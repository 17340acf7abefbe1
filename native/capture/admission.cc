#include "capture/admission.h"

namespace dpcap {

uint32_t Admission::admit(const Lane& lane, uint32_t count) {
  Ledger::Account& account = ledger_[lane.index];
  if (lane.is_live() && sink_.counters().failure() != 0 && !limit_.is_reached()) {
    account.refused.add(count);
    return 0;
  }
  const uint32_t granted = lane.is_live() ? limit_.grant(count) : 0;
  account.surplus.add(count - granted);
  return granted;
}

void Admission::recorded(const Lane& lane, uint32_t admitted, const Written& written) {
  Ledger::Account& account = ledger_[lane.index];
  account.recorded.add(written.packets);
  account.bytes.add(written.bytes);
  account.surplus.add(admitted - written.packets);
  if (!limit_.is_reached() && (limit_.is_used_up() || sink_.is_full())) {
    limit_.reach();
    sink_.flush();
  }
}

}  // namespace dpcap
