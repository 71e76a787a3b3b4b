// Publishes what happened to parked calls: each happening becomes one event, and from it a metric, a row of park_events
// and texts to phones.
#pragma once

#include <string>

#include "parkd/call/park_event.h"
#include "parkd/park/history.h"
#include "parkd/service/messenger.h"
#include "parkd/service/service_ports.h"
#include "parkd/service/stays.h"

namespace callpark {

/// Pure. `at` is now.
ParkEvent park_event_of(const park::Happening& happening, const ParkId& park_id, const std::string& tenant,
                        const Stay& stay, WallTime at);

class HistoryFanOut {
 public:
  explicit HistoryFanOut(const ServicePorts& ports);

  void publish(const park::Happening& happening, const ParkId& park_id, const std::string& tenant,
               const GrantedStay& granted, WallTime now);

 private:
  const ServicePorts ports_;
  Messenger messenger_;
  Histogram park_seconds_;
};

}  // namespace callpark
