#include "parkd/flow/lock_out.h"

#include <algorithm>

namespace callpark::flow {

std::chrono::seconds lock_out(int failures) {
  if (failures <= 0 || failures % kFailuresPerLock != 0) return std::chrono::seconds(0);
  std::chrono::seconds lock = kFirstLock;
  for (int n = failures / kFailuresPerLock; n > 1 && lock < kLockMax; --n) lock *= 2;
  return std::min(lock, kLockMax);
}

}  // namespace callpark::flow
