// Takes over the calls of this node that the database has, when parkd starts.
#pragma once

#include <functional>
#include <vector>

#include "parkd/service/park_service.h"

namespace callpark {

class Recovery {
 public:
  /// The service must outlive this.
  Recovery(const ServicePorts& ports, ParkService& service) : ports_(ports), service_(service) {}

  /// Repeats until the database answers; then calls `done`, once.
  void start(std::function<void()> done);

 private:
  void take_over(const std::vector<ParkedCallRow>& rows);

  const ServicePorts ports_;
  ParkService& service_;
  LoopHandle retry_;
};

}  // namespace callpark
