// The groups of exports. Each group is one function, defined in the file that carries its name (js/<group>_js.cc), and
// called on the JavaScript thread when the addon is loaded.
#pragma once
#include <napi.h>

void export_host(Napi::Object exports);       // host_js.cc
void export_filter(Napi::Object exports);     // filter_js.cc
void export_primary(Napi::Object exports);    // primary_js.cc
void export_capture(Napi::Object exports);    // capture_js.cc
void export_interface(Napi::Object exports);  // interface_js.cc
void export_life(Napi::Object exports);       // life_js.cc
