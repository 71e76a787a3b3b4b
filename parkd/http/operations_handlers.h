// HTTP for an operator's tools: metrics for Prometheus, and the health of this parkd.
#pragma once

#include <cstddef>
#include <functional>

#include "base/http_server.h"
#include "base/metrics.h"

namespace callpark {

struct Health {
  bool recovered = false;  // this parkd has taken over the parked calls of its node
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
