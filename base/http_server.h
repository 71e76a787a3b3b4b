// A small HTTP/1.1 server on the event loop, for metrics, health and the API: exact paths, short bodies, immediate
// answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/event_loop.h"
#include "base/json.h"
#include "base/result.h"
#include "base/socket_address.h"

namespace callpark {

struct HttpRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> query;
  /// Header names are in lower case.
  std::map<std::string, std::string> headers;
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::string body;
};

HttpResponse text_response(int status, std::string body);
HttpResponse json_response(int status, const Json& body);

/// Created, used and destroyed on the loop's thread.
class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  /// A body longer than `body_max_bytes` is answered 413 and its connection closed.
  explicit HttpServer(EventLoop& loop, std::size_t body_max_bytes = 64 * 1024);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// `method` is GET, POST, PUT or DELETE (GET serves HEAD too). An unknown path is answered 404 and an unknown method
  /// 405; an exception of the handler is logged and answered 500.
  void route(const std::string& method, const std::string& path, Handler handler);

  /// Listens on an IP address; port 0 lets the kernel choose one. Returns the port, or a sentence with the reason of
  /// the failure.
  Result<std::uint16_t, std::string> listen(const SocketAddress& address);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace callpark
