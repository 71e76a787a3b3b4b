#include "base/http_client.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <stdexcept>
#include <string_view>

#include "base/http_url.h"

namespace callpark {
namespace {

constexpr const char* kSystemAuthorities = "/etc/ssl/certs";
constexpr std::chrono::seconds kRetryAfterMax = std::chrono::hours(24);

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Multi = std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)>;
using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

void initialise_libcurl() {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised != CURLE_OK) throw std::runtime_error("libcurl cannot be initialised");
  // A resolver without a thread of its own would stop the loop.
  const int needed = CURL_VERSION_ASYNCHDNS | CURL_VERSION_SSL | CURL_VERSION_HTTP2;
  if ((curl_version_info(CURLVERSION_NOW)->features & needed) != needed) {
    throw std::runtime_error("libcurl lacks TLS, HTTP/2 or its threaded resolver");
  }
}

template <class T>
void set(CURL* easy, CURLoption option, T value) {
  if (curl_easy_setopt(easy, option, value) == CURLE_OK) return;
  throw std::runtime_error("libcurl refuses its option " + std::to_string(option));
}

template <class T>
void set(CURLM* multi, CURLMoption option, T value) {
  if (curl_multi_setopt(multi, option, value) == CURLM_OK) return;
  throw std::runtime_error("libcurl refuses its multi option " + std::to_string(option));
}

void set_trust(CURL* easy, const HttpClientOptions& options) {
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  // libcurl trusts both a file and a directory, each with a default, so the other one is always cleared. The system's
  // file would be read as a whole for each connection; of the directory, only what is needed.
  const bool system = options.ca_file.empty();
  set(easy, CURLOPT_CAINFO, system ? static_cast<const char*>(nullptr) : options.ca_file.c_str());
  set(easy, CURLOPT_CAPATH, system ? kSystemAuthorities : static_cast<const char*>(nullptr));
  set(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
  if (!options.client_certificate_file.empty()) {
    set(easy, CURLOPT_SSLCERT, options.client_certificate_file.c_str());
    set(easy, CURLOPT_SSLKEY, options.client_key_file.c_str());
  }
}

// What holds for each request of a client; each uses a copy.
Easy make_prototype(const HttpClientOptions& options) {
  Easy prototype(curl_easy_init(), &curl_easy_cleanup);
  CURL* easy = prototype.get();
  if (easy == nullptr) throw std::bad_alloc();
  set(easy, CURLOPT_NOSIGNAL, 1L);
  // Without this, the end of a request during the resolution of its name waits for the resolver's thread, on our loop.
  set(easy, CURLOPT_QUICK_EXIT, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(easy, CURLOPT_TCP_NODELAY, 1L);
  set_trust(easy, options);
  return prototype;
}

const char* method_text(HttpMethod method) {
  switch (method) {
    case HttpMethod::kGet:
      return "GET";
    case HttpMethod::kHead:
      return "HEAD";
    case HttpMethod::kPost:
      return "POST";
    case HttpMethod::kPut:
      return "PUT";
    case HttpMethod::kPatch:
      return "PATCH";
    case HttpMethod::kDelete:
      return "DELETE";
  }
  return "";
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

// RFC 9110 5.6.2
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char character) {
    return std::isalnum(static_cast<unsigned char>(character)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(character) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char character) {
    const auto code = static_cast<unsigned char>(character);
    return (code < 0x20 && code != '\t') || code == 0x7f;
  });
}

// These describe the connection or the body, not the request; a wrong one would make two requests of one.
bool is_of_the_connection(const std::string& header_name) {
  const std::string name = lower(header_name);
  return name == "connection" || name == "content-length" || name == "expect" || name == "host" ||
         name == "keep-alive" || name == "te" || name == "trailer" || name == "transfer-encoding" || name == "upgrade";
}

std::optional<std::string> request_error(const OutgoingHttpRequest& request) {
  if (auto error = http_url_error(request.url)) return error;
  for (const auto& [header_name, value] : request.headers) {
    if (!is_token(header_name)) return "a header has a name that is none";
    if (!is_header_value(value)) return "the value of the header " + header_name + " holds control characters";
    if (is_of_the_connection(header_name)) return "the header " + header_name + " is written by the client alone";
  }
  if (request.method == HttpMethod::kHead && !request.body.empty()) return "a HEAD request has no body";
  return std::nullopt;
}

void append(HeaderList& list, const std::string& line) {
  curl_slist* extended = curl_slist_append(list.get(), line.c_str());
  if (extended == nullptr) throw std::bad_alloc();
  (void)list.release();
  list.reset(extended);
}

// libcurl adds headers of its own: "Name:" removes one, and "Name;" is one without a value.
HeaderList header_list(const OutgoingHttpRequest& request) {
  HeaderList list(nullptr, &curl_slist_free_all);
  append(list, "Expect:");
  bool has_type = false;
  for (const auto& [header_name, value] : request.headers) {
    std::string line = header_name;
    line += value.empty() ? ";" : ": ";
    line += value;
    append(list, line);
    has_type = has_type || lower(header_name) == "content-type";
  }
  if (!has_type) append(list, "Content-Type:");
  return list;
}

// A server's own words may be in libcurl's reason.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char character) { return character < ' ' || character > '~'; }, '?');
  return text;
}

bool is_tls_error(CURLcode code) {
  constexpr std::array kCodes{
      CURLE_SSL_CONNECT_ERROR,     CURLE_PEER_FAILED_VERIFICATION,
      CURLE_SSL_CERTPROBLEM,       CURLE_SSL_CIPHER,
      CURLE_SSL_CACERT_BADFILE,    CURLE_SSL_CRL_BADFILE,
      CURLE_SSL_ISSUER_ERROR,      CURLE_SSL_INVALIDCERTSTATUS,
      CURLE_SSL_CLIENTCERT,        CURLE_SSL_PINNEDPUBKEYNOTMATCH,
      CURLE_SSL_ENGINE_NOTFOUND,   CURLE_SSL_ENGINE_SETFAILED,
      CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_SHUTDOWN_FAILED,
      CURLE_USE_SSL_FAILED,
  };
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

// libcurl holds a header of up to 100 kB before it hands it over. Beyond that it reports a lack of memory, and from 8.6
// on CURLE_TOO_LARGE, which older headers do not name.
bool is_too_large_for_libcurl(CURLcode code) {
  constexpr int kTooLarge = 100;
  return code == CURLE_OUT_OF_MEMORY || static_cast<int>(code) == kTooLarge;
}

std::optional<std::chrono::seconds> retry_after(CURL* easy) {
  curl_off_t seconds = 0;
  if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds <= 0) return std::nullopt;
  return std::min(std::chrono::seconds(seconds), kRetryAfterMax);
}

}  // namespace

const char* name(HttpFailureKind kind) {
  switch (kind) {
    case HttpFailureKind::kInvalidRequest:
      return "invalid_request";
    case HttpFailureKind::kResolve:
      return "resolve";
    case HttpFailureKind::kAddressRefused:
      return "address_refused";
    case HttpFailureKind::kConnect:
      return "connect";
    case HttpFailureKind::kTls:
      return "tls";
    case HttpFailureKind::kTimeout:
      return "timeout";
    case HttpFailureKind::kAnswerTooLong:
      return "answer_too_long";
    case HttpFailureKind::kBroken:
      return "broken";
  }
  return "";
}

namespace {

// A request and what libcurl reports about it. libcurl calls the functions with `self`.
struct Transfer {
  Transfer(std::uint64_t the_id, OutgoingHttpRequest the_request, HttpClient::Callback the_callback,
           const AddressPolicy& the_addresses)
      : id(the_id), request(std::move(the_request)), callback(std::move(the_callback)), addresses(the_addresses) {}

  void prepare(CURL* prototype) {
    easy.reset(curl_easy_duphandle(prototype));
    if (!easy) throw std::bad_alloc();
    headers = header_list(request);
    set(easy.get(), CURLOPT_URL, request.url.c_str());
    set(easy.get(), CURLOPT_HTTPHEADER, headers.get());
    set(easy.get(), CURLOPT_CONNECTTIMEOUT_MS, std::max<long>(1, request.connect_timeout.count()));
    set(easy.get(), CURLOPT_PRIVATE, static_cast<void*>(this));
    set(easy.get(), CURLOPT_ERRORBUFFER, reason.data());
    set_method();
    set(easy.get(), CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_socket);
    set(easy.get(), CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    set(easy.get(), CURLOPT_PREREQFUNCTION, &Transfer::on_connected);
    set(easy.get(), CURLOPT_PREREQDATA, static_cast<void*>(this));
    set(easy.get(), CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set(easy.get(), CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(easy.get(), CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(easy.get(), CURLOPT_WRITEDATA, static_cast<void*>(this));
  }

  void set_method() {
    const bool has_no_body = request.method == HttpMethod::kGet || request.method == HttpMethod::kDelete;
    if (request.method == HttpMethod::kHead) return set(easy.get(), CURLOPT_NOBODY, 1L);
    if (!has_no_body || !request.body.empty()) {
      set(easy.get(), CURLOPT_POST, 1L);
      set(easy.get(), CURLOPT_POSTFIELDS, request.body.data());
      set(easy.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    }
    set(easy.get(), CURLOPT_CUSTOMREQUEST, method_text(request.method));
  }

  // The address that libcurl is about to connect to: whatever a name server answers later, this one was checked.
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* target) noexcept {
    auto* transfer = static_cast<Transfer*>(self);
    const auto address = IpAddress::of(target->addr);
    const auto what =
        address ? transfer->addresses.refusal(*address) : std::optional<std::string_view>("no IP address");
    if (what) {
      transfer->refused = (address ? address->to_string() : std::string("it")) + " is " + std::string(*what);
      return CURL_SOCKET_BAD;
    }
    transfer->has_tried_to_connect = true;
    return socket(target->family, target->socktype | SOCK_CLOEXEC, target->protocol);
  }

  // Before the first byte of the request is written, and never without a connection.
  static int on_connected(void* self, char*, char*, int, int) noexcept {
    static_cast<Transfer*>(self)->may_have_arrived = true;
    return CURL_PREREQFUNC_OK;
  }

  bool accept(std::size_t size) {
    received += size;
    is_too_long = received > request.answer_bytes_max;
    return !is_too_long;
  }

  static std::size_t on_header(char*, std::size_t one, std::size_t count, void* self) noexcept {
    return static_cast<Transfer*>(self)->accept(one * count) ? one * count : 0;
  }

  static std::size_t on_body(char* data, std::size_t one, std::size_t count, void* self) noexcept {
    auto* transfer = static_cast<Transfer*>(self);
    if (!transfer->accept(one * count)) return 0;
    transfer->body.append(data, one * count);
    return one * count;
  }

  HttpFailure failure_of(HttpFailureKind kind, const std::string& why) const {
    const std::string origin = http_origin(request.url);
    return {kind, may_have_arrived, origin.empty() ? why : origin + ": " + why};
  }

  HttpFailure failure_of(CURLcode code) const {
    const std::string why = printable(reason[0] != '\0' ? reason.data() : curl_easy_strerror(code));
    if (is_too_long || (is_too_large_for_libcurl(code) && may_have_arrived)) {
      return failure_of(HttpFailureKind::kAnswerTooLong,
                        "the answer is longer than " + std::to_string(request.answer_bytes_max) + " bytes");
    }
    if (code == CURLE_COULDNT_RESOLVE_HOST) return failure_of(HttpFailureKind::kResolve, why);
    if (code == CURLE_OPERATION_TIMEDOUT) return failure_of(HttpFailureKind::kTimeout, why);
    if (is_tls_error(code)) return failure_of(HttpFailureKind::kTls, why);
    if (code != CURLE_COULDNT_CONNECT && may_have_arrived) return failure_of(HttpFailureKind::kBroken, why);
    if (!refused.empty() && !has_tried_to_connect) return failure_of(HttpFailureKind::kAddressRefused, refused);
    return failure_of(HttpFailureKind::kConnect, why);
  }

  Result<HttpAnswer, HttpFailure> result_of(CURLcode code) {
    if (code != CURLE_OK) return failure(failure_of(code));
    HttpAnswer answer;
    long status = 0;
    const char* type = nullptr;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy.get(), CURLINFO_CONTENT_TYPE, &type);
    if (status < 200) return failure(failure_of(HttpFailureKind::kBroken, "the server sent no final answer"));
    answer.status = static_cast<int>(status);
    if (type != nullptr) answer.content_type = type;
    answer.retry_after = retry_after(easy.get());
    answer.body = std::move(body);
    return answer;
  }

  HttpFailure timeout() const {
    const char* what = !easy               ? "no connection became free within "
                       : !may_have_arrived ? "no connection was established within "
                                           : "no complete answer came within ";
    return failure_of(HttpFailureKind::kTimeout, what + std::to_string(request.total_timeout.count()) + " ms");
  }

  std::uint64_t id;
  OutgoingHttpRequest request;
  HttpClient::Callback callback;
  const AddressPolicy& addresses;
  MonotonicTime began = monotonic_now();
  LoopHandle timer;
  HeaderList headers{nullptr, &curl_slist_free_all};
  std::array<char, CURL_ERROR_SIZE> reason{};
  std::string refused;
  bool has_tried_to_connect = false;
  bool may_have_arrived = false;
  bool is_too_long = false;
  std::size_t received = 0;
  std::string body;
  /// Set while libcurl has the request; it uses what is above.
  Easy easy{nullptr, &curl_easy_cleanup};
};

}  // namespace

struct HttpClient::Impl : std::enable_shared_from_this<HttpClient::Impl> {
  Impl(EventLoop& the_loop, HttpClientOptions the_options) : loop(the_loop), options(std::move(the_options)) {
    initialise_libcurl();
    prototype = make_prototype(options);
    multi.reset(curl_multi_init());
    if (!multi) throw std::bad_alloc();
    const auto connections = static_cast<long>(std::max<std::size_t>(1, options.connections_max));
    set(multi.get(), CURLMOPT_MAXCONNECTS, connections);
    set(multi.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
    set(multi.get(), CURLMOPT_SOCKETFUNCTION, &Impl::on_socket_wanted);
    set(multi.get(), CURLMOPT_SOCKETDATA, static_cast<void*>(this));
    set(multi.get(), CURLMOPT_TIMERFUNCTION, &Impl::on_timer_wanted);
    set(multi.get(), CURLMOPT_TIMERDATA, static_cast<void*>(this));
  }

  std::uint64_t send(OutgoingHttpRequest request, Callback callback) {
    const std::uint64_t id = ++last_id;
    auto transfer = std::make_unique<Transfer>(id, std::move(request), std::move(callback), options.addresses);
    if (const auto error = request_error(transfer->request)) {
      transfer->timer = loop.after(Duration(0), [this, id, why = *error] {
        finish(id, [&](Transfer& ended) { return ended.failure_of(HttpFailureKind::kInvalidRequest, why); });
      });
      transfers.emplace(id, std::move(transfer));
      return id;
    }
    // libcurl's own limit of time does not run while a request waits for a connection.
    transfer->timer = loop.after(transfer->request.total_timeout,
                                 [this, id] { finish(id, [](Transfer& ended) { return ended.timeout(); }); });
    transfers.emplace(id, std::move(transfer));
    waiting.insert(id);
    start_waiting();
    return id;
  }

  // libcurl calls no callback of a user from here: it begins with its timer.
  void start_waiting() {
    while (under_way < std::max<std::size_t>(1, options.connections_max) && !waiting.empty()) {
      const auto next = transfers.find(*waiting.begin());
      waiting.erase(waiting.begin());
      next->second->prepare(prototype.get());
      ++under_way;
      curl_multi_add_handle(multi.get(), next->second->easy.get());
    }
  }

  // Ends what libcurl does for a request, and with it the connection if the answer is not complete.
  std::unique_ptr<Transfer> remove(std::uint64_t id) {
    auto found = transfers.extract(id);
    if (found.empty()) return nullptr;
    std::unique_ptr<Transfer> transfer = std::move(found.mapped());
    transfer->timer.reset();
    waiting.erase(id);
    if (transfer->easy) {
      curl_multi_remove_handle(multi.get(), transfer->easy.get());
      transfer->easy.reset();
      --under_way;
    }
    return transfer;
  }

  void withdraw(std::uint64_t id) {
    remove(id);  // and its callback, with which the client may go
    if (!is_closed) start_waiting();
  }

  // `result_of` reads the transfer while libcurl still has it. The callback may destroy the client.
  template <class ResultOf>
  void finish(std::uint64_t id, const ResultOf& result_of) {
    const auto self = shared_from_this();
    const auto found = transfers.find(id);
    if (found == transfers.end()) return;
    Result<HttpAnswer, HttpFailure> result = as_result(result_of(*found->second));
    const std::unique_ptr<Transfer> transfer = remove(id);
    const auto duration = std::chrono::duration_cast<Duration>(monotonic_now() - transfer->began);
    start_waiting();
    transfer->callback({std::move(result), duration});
  }

  static Result<HttpAnswer, HttpFailure> as_result(HttpFailure failed) { return failure(std::move(failed)); }
  static Result<HttpAnswer, HttpFailure> as_result(Result<HttpAnswer, HttpFailure> result) { return result; }

  static int on_socket_wanted(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept {
    static_cast<Impl*>(self)->watch(fd, what);
    return 0;
  }

  void watch(curl_socket_t fd, int what) {
    if (what == CURL_POLL_REMOVE) {
      sockets.erase(fd);
      return;
    }
    const Readiness readiness = what == CURL_POLL_IN    ? Readiness::kRead
                                : what == CURL_POLL_OUT ? Readiness::kWrite
                                                        : Readiness::kReadWrite;
    sockets[fd] = loop.watch(fd, readiness, [this, fd](bool readable, bool writable) {
      act(fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
    });
  }

  static int on_timer_wanted(CURLM*, long milliseconds, void* self) noexcept {
    auto* impl = static_cast<Impl*>(self);
    impl->timer.reset();
    if (milliseconds >= 0) {
      impl->timer = impl->loop.after(Duration(milliseconds), [impl] { impl->act(CURL_SOCKET_TIMEOUT, 0); });
    }
    return 0;
  }

  // The outcomes are handed out after libcurl has returned, since a callback may call send().
  void act(curl_socket_t fd, int ready) {
    const auto self = shared_from_this();
    int running = 0;
    curl_multi_socket_action(multi.get(), fd, ready, &running);
    int left = 0;
    while (!is_closed) {
      const CURLMsg* message = curl_multi_info_read(multi.get(), &left);
      if (message == nullptr) return;
      const CURLcode code = message->data.result;
      Transfer* transfer = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      finish(transfer->id, [code](Transfer& ended) { return ended.result_of(code); });
    }
  }

  void close() {
    is_closed = true;
    while (!transfers.empty()) remove(transfers.begin()->first);
    multi.reset();
    timer.reset();
    sockets.clear();
  }

  EventLoop& loop;
  const HttpClientOptions options;
  bool is_closed = false;
  std::uint64_t last_id = 0;
  std::size_t under_way = 0;
  std::map<std::uint64_t, std::unique_ptr<Transfer>> transfers;
  std::set<std::uint64_t> waiting;  // ids ascend, so the oldest is the first
  std::map<curl_socket_t, LoopHandle> sockets;
  LoopHandle timer;
  Easy prototype{nullptr, &curl_easy_cleanup};
  Multi multi{nullptr, &curl_multi_cleanup};
};

HttpClient::Pending& HttpClient::Pending::operator=(Pending&& other) noexcept {
  reset();
  client_ = std::move(other.client_);
  id_ = other.id_;
  return *this;
}

HttpClient::Pending::~Pending() {
  reset();
}

void HttpClient::Pending::reset() noexcept {
  const auto client = client_.lock();
  client_.reset();
  if (client) client->withdraw(id_);
}

HttpClient::HttpClient(EventLoop& loop, HttpClientOptions options)
    : impl_(std::make_shared<Impl>(loop, std::move(options))) {}

HttpClient::~HttpClient() {
  impl_->close();
}

HttpClient::Pending HttpClient::send(OutgoingHttpRequest request, Callback callback) {
  return {impl_, impl_->send(std::move(request), std::move(callback))};
}

}  // namespace callpark
