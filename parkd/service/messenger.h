// Sends texts about parked calls to phones: the tables name the extensions and their languages.
#pragma once

#include <string>

#include "parkd/service/service_ports.h"

namespace callpark {

class Messenger {
 public:
  explicit Messenger(const ServicePorts& ports) : ports_(ports) {}

  /// `dialled` is the number that retrieves the call; if empty, no text is sent about a parked call. An event that the
  /// parker has caused is no news to it: no text is sent.
  void send(const ParkEvent& event, const std::string& dialled);

 private:
  const ServicePorts ports_;
};

}  // namespace callpark
