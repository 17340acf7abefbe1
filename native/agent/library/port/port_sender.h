// Sends on a transmit queue of a port that the application may stop at any moment.
//
// rte_eth_dev_stop() gives the port's functions back their first values in no order that others could rely on
// (eth_dev_fp_ops_reset, 22.11 to 25.11): whoever reads them at this moment has some of the driver's and some of
// ethdev's, and none of one that the compiler cleared first. So they are read once while the port runs, and a burst is
// sent only while they are still the same.
//
// What nobody outside the driver can prevent: a burst that has begun goes on while the application stops the port.
#pragma once
#include <rte_ethdev.h>
#include <stdbool.h>
#include <stdint.h>

struct port_sender {
  uint16_t port;
  uint16_t queue;
  void **queues;  // the driver's, and this one of them
  void *driver_queue;
  void **callbacks;
  eth_tx_burst_t burst;
  eth_tx_burst_t seen;  // in place of it, when it was looked at last
};

// Takes the port as it is; false while it is stopped. Agent's thread.
bool port_sender_begin(struct port_sender *sender, uint16_t port, uint16_t queue);
// Whether it is the same still: to be asked a millisecond after begin(), which may have come in the middle of a stop.
// Any thread.
bool port_sender_is_running(const struct port_sender *sender);
// Some drivers exchange their function while the port runs (hns3 and failsafe in 22.11). Now and then. Agent's thread.
void port_sender_follow(struct port_sender *sender);
// As rte_eth_tx_burst(): captures at the target, and whatever else has a callback there, get the packets. Sends none
// while the port is stopped. A thread of the application.
uint16_t port_sender_send(const struct port_sender *sender, struct rte_mbuf **packets, uint16_t count);
