#include "parkd/http/operations_handlers.h"

#include <utility>

namespace callpark {

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
