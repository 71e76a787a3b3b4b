// HTTP requests of parkd's own, over libcurl's multi interface on the event loop: nothing in it blocks, and each
// request ends in exactly one outcome within its budget. It follows no redirect and uses no proxy, no cookies and no
// passwords of the environment. It is the only user of libcurl, with http_url.cc.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address_policy.h"
#include "base/clock.h"
#include "base/event_loop.h"
#include "base/result.h"

namespace callpark {

enum class HttpMethod { kGet, kHead, kPost, kPut, kPatch, kDelete };

struct OutgoingHttpRequest {
  HttpMethod method = HttpMethod::kGet;
  /// What http_url_error() accepts.
  std::string url;
  /// Host, Content-Length, and what else belongs to the connection is written by the client and refused here.
  std::vector<std::pair<std::string, std::string>> headers;
  /// Empty for HEAD.
  std::string body;
  /// Until the connection is established: name, TCP and TLS.
  Duration connect_timeout{2000};
  /// From send() to the end of the answer: the wait for a free connection and the name's resolution included.
  Duration total_timeout{5000};
  /// Of headers and body together.
  std::size_t answer_bytes_max = 16 * 1024;
};

struct HttpAnswer {
  /// 200 to 999; a redirect is an answer like any other.
  int status = 0;
  /// Empty if the server sent none.
  std::string content_type;
  /// Of Retry-After, as seconds or as a date; at most a day. Empty if the server sent none, or zero.
  std::optional<std::chrono::seconds> retry_after;
  std::string body;
};

enum class HttpFailureKind {
  kInvalidRequest,  // the URL or a header cannot be sent
  kResolve,         // the host's name has no address
  kAddressRefused,  // each address of the host is refused by the address policy
  kConnect,         // no TCP connection
  kTls,             // no TLS session, or a certificate that is not trusted
  kTimeout,
  kAnswerTooLong,
  kBroken,  // not HTTP, or closed before the end of the answer. A server that refuses our certificate in TLS 1.3, too
};
const char* name(HttpFailureKind kind);

struct HttpFailure {
  HttpFailureKind kind = HttpFailureKind::kBroken;
  /// False if the server cannot have seen the request: it may be sent again without harm.
  bool may_have_arrived = false;
  /// For the log: scheme, host and port, and the reason; no path, query or header.
  std::string sentence;
};

struct HttpOutcome {
  Result<HttpAnswer, HttpFailure> result;
  /// From send() to the outcome.
  Duration duration{0};
};

struct HttpClientOptions {
  /// PEM file of the only authorities that are trusted; empty: those of the system. Read for each new connection, as
  /// are the two below, so a renewed file is used without a restart.
  std::string ca_file;
  /// PEM files. If set, the client proves itself by them to servers that ask for it.
  std::string client_certificate_file;
  std::string client_key_file;
  /// So many requests are sent at once; the others wait, in sequence. So no more connections than this exist, and so
  /// many are kept open.
  std::size_t connections_max = 8;
  AddressPolicy addresses;
};

class HttpClient {
 private:
  struct Impl;

 public:
  /// Called once, never from within send(). It may use, withdraw from and destroy the client.
  using Callback = std::function<void(HttpOutcome outcome)>;

  /// A request that has no outcome yet. Its destruction or reset() withdraws it: the callback is not called, and the
  /// connection that it uses is closed. Movable, not copyable; it may outlive the client.
  class [[nodiscard]] Pending {
   public:
    Pending() = default;
    Pending(Pending&& other) noexcept = default;
    Pending& operator=(Pending&& other) noexcept;
    ~Pending();
    void reset() noexcept;

   private:
    friend class HttpClient;
    Pending(std::weak_ptr<Impl> client, std::uint64_t id) : client_(std::move(client)), id_(id) {}
    std::weak_ptr<Impl> client_;
    std::uint64_t id_ = 0;
  };

  /// For requests with the same options: usually one destination. Created, used and destroyed on the loop's thread.
  /// Throws std::runtime_error if this libcurl cannot do what is promised here.
  HttpClient(EventLoop& loop, HttpClientOptions options);
  /// Withdraws all requests.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// If a kept connection turns out to be closed before the first byte of an answer, the request is sent once more over
  /// a new one. The server may have seen the first, so it must recognise a repeated request by what is in it.
  Pending send(OutgoingHttpRequest request, Callback callback);

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace callpark
