#include "base/http_server.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <utility>

#include "base/log.h"

namespace callpark {
namespace {

constexpr int kIdleSeconds = 30;
constexpr std::size_t kHeadersMaxBytes = 16 * 1024;

// A HEAD is answered as its GET would be, without the body.
std::string method_name(evhttp_cmd_type type) {
  if (type == EVHTTP_REQ_GET || type == EVHTTP_REQ_HEAD) return "GET";
  if (type == EVHTTP_REQ_POST) return "POST";
  if (type == EVHTTP_REQ_PUT) return "PUT";
  if (type == EVHTTP_REQ_DELETE) return "DELETE";
  return "";
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

std::map<std::string, std::string> copy(const evkeyvalq& pairs, std::string (*name)(std::string)) {
  std::map<std::string, std::string> result;
  for (const evkeyval* pair = pairs.tqh_first; pair != nullptr; pair = pair->next.tqe_next) {
    result.emplace(name(pair->key), pair->value);
  }
  return result;
}

std::map<std::string, std::string> parse_query(const char* query) {
  if (query == nullptr) return {};
  evkeyvalq pairs{};
  if (evhttp_parse_query_str(query, &pairs) != 0) return {};
  auto result = copy(pairs, [](std::string name) { return name; });
  evhttp_clear_headers(&pairs);
  return result;
}

HttpRequest read_request(evhttp_request* native) {
  HttpRequest request;
  request.method = method_name(evhttp_request_get_command(native));
  const evhttp_uri* uri = evhttp_request_get_evhttp_uri(native);
  const char* path = evhttp_uri_get_path(uri);
  request.path = path != nullptr ? path : "";
  request.query = parse_query(evhttp_uri_get_query(uri));
  request.headers = copy(*evhttp_request_get_input_headers(native), &lower);
  evbuffer* body = evhttp_request_get_input_buffer(native);
  request.body.resize(evbuffer_get_length(body));
  evbuffer_copyout(body, request.body.data(), request.body.size());
  return request;
}

void send_response(evhttp_request* native, const HttpResponse& response) {
  evkeyvalq* headers = evhttp_request_get_output_headers(native);
  if (!response.content_type.empty()) evhttp_add_header(headers, "Content-Type", response.content_type.c_str());
  evhttp_add_header(headers, "Content-Length", std::to_string(response.body.size()).c_str());
  evbuffer* out = evhttp_request_get_output_buffer(native);
  if (evhttp_request_get_command(native) != EVHTTP_REQ_HEAD) {
    evbuffer_add(out, response.body.data(), response.body.size());
  }
  evhttp_send_reply(native, response.status, nullptr, nullptr);
}

}  // namespace

HttpResponse text_response(int status, std::string body) {
  return {status, "text/plain; charset=utf-8", std::move(body)};
}

HttpResponse json_response(int status, const Json& body) {
  return {status, "application/json", write_json(body) + "\n"};
}

struct HttpServer::Impl {
  HttpResponse respond(const HttpRequest& request) const {
    const auto path = routes.find(request.path);
    if (path == routes.end()) return text_response(404, "There is nothing at this path.\n");
    const auto handler = path->second.find(request.method);
    if (handler == path->second.end()) return text_response(405, "This path does not support that method.\n");
    return handler->second(request);
  }

  static void on_request(evhttp_request* native, void* self) noexcept {
    try {
      send_response(native, static_cast<const Impl*>(self)->respond(read_request(native)));
    } catch (const std::exception& error) {
      log_error({}, "HTTP request for {} failed: {}", evhttp_request_get_uri(native), error.what());
      evhttp_send_error(native, 500, nullptr);
    }
  }

  std::unique_ptr<evhttp, decltype(&evhttp_free)> http{nullptr, &evhttp_free};
  std::map<std::string, std::map<std::string, Handler>> routes;
};

HttpServer::HttpServer(EventLoop& loop, std::size_t body_max_bytes) : impl_(std::make_unique<Impl>()) {
  impl_->http.reset(evhttp_new(loop.native()));
  if (!impl_->http) throw std::bad_alloc();
  evhttp* http = impl_->http.get();
  evhttp_set_max_body_size(http, static_cast<ev_ssize_t>(body_max_bytes));
  evhttp_set_max_headers_size(http, kHeadersMaxBytes);
  evhttp_set_timeout(http, kIdleSeconds);
  evhttp_set_gencb(http, &Impl::on_request, impl_.get());
}

HttpServer::~HttpServer() = default;

void HttpServer::route(const std::string& method, const std::string& path, Handler handler) {
  impl_->routes[path][method] = std::move(handler);
}

Result<std::uint16_t, std::string> HttpServer::listen(const SocketAddress& address) {
  if (address.is_unix()) return failure(std::string("HTTP listens on an IP address only"));
  evhttp_bound_socket* bound =
      evhttp_bind_socket_with_handle(impl_->http.get(), address.host().c_str(), address.port());
  if (bound == nullptr) return failure("cannot listen on " + address.to_string() + ": " + std::strerror(errno));
  const int fd = evhttp_bound_socket_get_fd(bound);
  // Every accepted connection inherits the option. Without it an answer of two writes waits for the peer's delayed ACK.
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_storage taken{};
  socklen_t length = sizeof taken;
  getsockname(fd, reinterpret_cast<sockaddr*>(&taken), &length);
  return SocketAddress::of(reinterpret_cast<const sockaddr*>(&taken), length).port();
}

}  // namespace callpark
