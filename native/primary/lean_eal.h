// Starts EAL without the plugins that a shared build of DPDK loads from a folder: all drivers that are installed.
//
// A secondary needs every list that its own libraries register (EAL_REGISTER_TAILQ), and a primary has only those of
// the libraries that it was linked with: beside a static application with few drivers, rte_eal_init() fails ("Cannot
// initialize tailq"). EAL has no option against the folder, so what it asks of the file system about the folder is
// answered here.
#pragma once

namespace dpcap {

// Makes librte_eal find no folder of plugins, and loads the one plugin that a capture needs, the handlers of mempools
// that are rings. Called once, before rte_eal_init(). Returns whether both could be done (22.11 to 26.07).
bool hide_plugins();

}  // namespace dpcap
