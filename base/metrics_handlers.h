// The endpoint that Prometheus reads.
#pragma once

#include <functional>

#include "base/http_server.h"
#include "base/metrics.h"

namespace callpark {

/// Serves GET /metrics. `refresh` is called before the metrics are written. `metrics` must outlive the server.
void route_metrics(HttpServer& server, const Metrics& metrics, std::function<void()> refresh);

}  // namespace callpark
