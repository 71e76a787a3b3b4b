// Endpoints for an operator's tools over HTTP: metrics for Prometheus, and whether this parkd can park calls.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "base/http_server.h"
#include "base/metrics.h"

namespace callpark {

struct Health {
  bool recovered = false;  // this node's parked calls are recovered
  bool mediad_connected = false;
  bool database_available = false;
  std::size_t calls = 0;
  std::size_t parked_calls = 0;
};

/// For systemctl status: "5 calls, 3 of them parked", and why no call can be parked if so.
std::string status_of(const Health& health);

/// Serves GET /metrics, and GET /health: 200 if calls can be parked, else 503, with the reasons as JSON. `refresh` is
/// called before metrics are written. The arguments must outlive the server.
void route_operations(HttpServer& server, Metrics& metrics, std::function<Health()> health,
                      std::function<void()> refresh);

}  // namespace callpark
