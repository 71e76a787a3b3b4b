// A key that a party has pressed, by an INFO of its phone.
#pragma once

#include <cstdint>

#include "parkd/call/key_merger.h"

namespace callpark {

struct InfoKey {
  KeyWay way = KeyWay::kDtmf;
  char key = '0';
  std::uint32_t cseq = 0;
};

}  // namespace callpark
