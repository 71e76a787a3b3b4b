#include "parkd/http/operations_handlers.h"

#include <fmt/format.h>

#include <utility>

namespace callpark {

std::string status_of(const Health& health) {
  std::string status = fmt::format("{} calls, {} of them parked", health.calls, health.parked_calls);
  if (!health.recovered) status += "; the calls in the database are not read yet";
  if (!health.mediad_connected) status += "; mediad is not connected";
  if (!health.database_available) status += "; the database does not answer";
  return status;
}

void route_operations(HttpServer& server, const Metrics& metrics, std::function<Health()> health,
                      std::function<void()> refresh) {
  server.route("GET", "/metrics", [&metrics, refresh = std::move(refresh)](const HttpRequest&) {
    refresh();
    HttpResponse response = text_response(200, metrics.serialise());
    response.content_type = "text/plain; version=0.0.4";
    return response;
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
