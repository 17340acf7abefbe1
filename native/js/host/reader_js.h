// The source of a capture that reads a file. JavaScript thread.
#pragma once
#include "js/capture_source.h"

// Reads the part `input` of a plan; see to_source().
MakeSource to_reader_source(const Napi::Object& plan, const dpcap::CapturePlan& capture);
