// The lasting record of what happened to parked calls.
#pragma once

#include "parkd/call/park_event.h"

namespace callpark {

/// No event is lost while the database is away, and one that is appended again after a crash is recorded once.
class Events {
 public:
  virtual ~Events() = default;
  virtual void append(ParkEvent event) = 0;
};

}  // namespace callpark
