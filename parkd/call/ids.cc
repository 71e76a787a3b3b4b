#include "parkd/call/ids.h"

#include "base/random.h"

namespace callpark {

ParkId make_park_id() {
  return ParkId(random_token(ParkId::kLength));
}

}  // namespace callpark
