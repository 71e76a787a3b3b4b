// What an operator's tools ask over HTTP: metrics for Prometheus, and whether this parkd can take calls.
#pragma once

#include <cstddef>
#include <functional>

#include "base/http_server.h"
#include "base/metrics.h"

namespace callpark {

struct Health {
  bool recovered = false;  // the parked calls of this node are in its hands
  bool mediad_connected = false;
  bool database_available = false;
  std::size_t calls = 0;
  std::size_t parked_calls = 0;
};

/// GET /metrics, and GET /health: 200 when calls can be parked, else 503, with the reasons as JSON. `refresh` is called
/// before metrics are written. The arguments must outlive the server.
void route_operations(HttpServer& server, const Metrics& metrics, std::function<Health()> health,
                      std::function<void()> refresh);

}  // namespace callpark
