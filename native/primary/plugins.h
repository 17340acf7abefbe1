// The drivers that a shared build of DPDK loads from a folder when EAL starts, all that are installed. EAL has no
// option against the folder, and each build has its own, so what librte_eal asks of the file system about it is
// answered here.
#pragma once

namespace dpcap {

// Takes every bus out of EAL's list, and each that the folder adds before EAL scans it: a bus that is not there cannot
// be scanned or probed, so no driver code runs on the primary's devices. Merely starting a secondary has killed virtio
// NICs (F-Stack issue 860, DPDK 22.11.7). Called once, before rte_eal_init(). Returns whether that could be done (22.11
// to 26.07).
bool forget_buses();

// Makes librte_eal find no folder at all, and loads the one driver that a capture needs, the handlers of mempools that
// are rings. A secondary needs every list that its own libraries register (EAL_REGISTER_TAILQ), and a primary has only
// those of the libraries that it was linked with: beside a static application with few drivers, rte_eal_init() fails
// ("Cannot initialize tailq"). As forget_buses() otherwise.
bool hide_plugins();

}  // namespace dpcap
