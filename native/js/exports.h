// The groups of exports. Each group is one function, defined in the file that carries its name (<group>_js.cc), and
// called on the JavaScript thread when an addon is loaded. host/ needs no library at all; ebpf/ needs libbpf; pdump/ is
// built for each release of DPDK.
#pragma once
#include <napi.h>

// All.
void export_capture(Napi::Object exports);
void export_layouts(Napi::Object exports);
void export_life(Napi::Object exports);
// host/
void export_host(Napi::Object exports);
void export_filter(Napi::Object exports);
void export_interface(Napi::Object exports);
void export_agent(Napi::Object exports);
void export_inject(Napi::Object exports);
void export_mirror(Napi::Object exports);
void export_flow(Napi::Object exports);
void export_recorder(Napi::Object exports);
void export_reader(Napi::Object exports);
void export_user(Napi::Object exports);
// ebpf/
void export_ebpf(Napi::Object exports);
// pdump/
void export_primary(Napi::Object exports);
void export_extended(Napi::Object exports);
