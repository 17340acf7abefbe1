// A driver that takes every flow rule, where there is no DPDK: the agent finds these functions by their names, so the
// program has to export them. A rule that is destroyed twice, or was never made, ends the program.
#pragma once
#include <rte_flow.h>

#include <cstdlib>

extern "C" {

struct rte_flow {
  int unused;
};

__attribute__((visibility("default"))) int rte_flow_validate(uint16_t, const rte_flow_attr*, const rte_flow_item[],
                                                             const rte_flow_action[], rte_flow_error*) {
  return 0;
}

__attribute__((visibility("default"))) rte_flow* rte_flow_create(uint16_t, const rte_flow_attr*, const rte_flow_item[],
                                                                 const rte_flow_action[], rte_flow_error*) {
  return new rte_flow{};  // the address sanitizer sees what becomes of it
}

__attribute__((visibility("default"))) int rte_flow_destroy(uint16_t, rte_flow* flow, rte_flow_error*) {
  delete flow;
  return 0;
}

__attribute__((visibility("default"))) int rte_flow_query(uint16_t, rte_flow* flow, const rte_flow_action* action,
                                                          void* data, rte_flow_error*) {
  if (action->type != RTE_FLOW_ACTION_TYPE_COUNT) abort();
  static_cast<rte_flow_query_count*>(data)->hits = static_cast<uint64_t>(flow->unused);
  return 0;
}

__attribute__((visibility("default"))) int rte_flow_pick_transfer_proxy(uint16_t, uint16_t* proxy, rte_flow_error*) {
  *proxy = 0;
  return 0;
}

}  // extern "C"
