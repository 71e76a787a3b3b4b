#include "base/metrics_handlers.h"

#include <utility>

namespace callpark {

void route_metrics(HttpServer& server, const Metrics& metrics, std::function<void()> refresh) {
  server.route("GET", "/metrics", [&metrics, refresh = std::move(refresh)](const HttpRequest&) {
    refresh();
    HttpResponse response = text_response(200, metrics.serialise());
    response.content_type = "text/plain; version=0.0.4";
    return response;
  });
}

}  // namespace callpark
