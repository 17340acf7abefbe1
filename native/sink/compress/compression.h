// How a file is compressed. Any thread.
#pragma once
#include "codec/codec.h"

namespace dpcap {

struct Compression {
  Codec codec = Codec::none;
  int level = 0;
  unsigned threads = 1;  // that compress, at most
};

}  // namespace dpcap
