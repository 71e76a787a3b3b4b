#include "parkd/http/operations_handlers.h"

#include <fmt/format.h>

#include <utility>

#include "base/metrics_handlers.h"

namespace callpark {
namespace {

class HealthMetrics {
 public:
  explicit HealthMetrics(Metrics& metrics)
      : recovered_(metrics.gauge("callpark_recovered", "1 if the parked calls of this node are recovered, else 0")),
        mediad_connected_(metrics.gauge("callpark_mediad_connected", "1 if parkd is connected to mediad, else 0")),
        database_available_(metrics.gauge("callpark_database_available",
                                          "1 if the database answered the last comparison of lamps, else 0")) {}

  void set(const Health& now) {
    recovered_.set(now.recovered ? 1 : 0);
    mediad_connected_.set(now.mediad_connected ? 1 : 0);
    database_available_.set(now.database_available ? 1 : 0);
  }

 private:
  Gauge recovered_;
  Gauge mediad_connected_;
  Gauge database_available_;
};

}  // namespace

std::string status_of(const Health& health) {
  std::string status = fmt::format("{} calls, {} of them parked", health.calls, health.parked_calls);
  if (!health.recovered) status += "; the calls in the database are not read yet";
  if (!health.mediad_connected) status += "; mediad is not connected";
  if (!health.database_available) status += "; the database does not answer";
  return status;
}

void route_operations(HttpServer& server, Metrics& metrics, std::function<Health()> health,
                      std::function<void()> refresh) {
  route_metrics(server, metrics, [gauges = HealthMetrics(metrics), health, refresh = std::move(refresh)]() mutable {
    refresh();
    gauges.set(health());
  });
  server.route("GET", "/health", [health = std::move(health)](const HttpRequest&) {
    const Health now = health();
    const bool fine = now.recovered && now.mediad_connected && now.database_available;
    return json_response(fine ? 200 : 503, Json{{"recovered", now.recovered},
                                                {"mediad_connected", now.mediad_connected},
                                                {"database_available", now.database_available},
                                                {"calls", now.calls},
                                                {"parked_calls", now.parked_calls}});
  });
}

}  // namespace callpark
