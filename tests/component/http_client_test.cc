// HttpClient against servers in processes of their own: one in Python that behaves well or badly as the path of a
// request demands, and nghttpd for HTTP/2. Names are resolved by the test.
#include "base/http_client.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>

#include "base/http_server.h"
#include "base/json.h"
#include "tests/support/port_block.h"
#include "tests/support/source_directory.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_certificates.h"
#include "tests/support/wait.h"

namespace callpark::test {
namespace {

/// What the resolver of this process knows about names of the domain "test".
class Names {
 public:
  static Names& get() {
    static Names names;
    return names;
  }

  void set(const std::string& name, std::vector<std::string> addresses) {
    const std::lock_guard lock(mutex_);
    addresses_[name] = std::move(addresses);
  }

  /// Blocks for "slow.test" until release(), as a name server does that does not answer.
  std::vector<std::string> find(const std::string& name) {
    std::unique_lock lock(mutex_);
    ++asked_[name];
    if (name == "slow.test" && !changed_.wait_for(lock, patient(kSoon), [this] { return is_released_; })) {
      ++given_up_;
    }
    return addresses_[name];
  }

  void hold() {
    const std::lock_guard lock(mutex_);
    is_released_ = false;
    given_up_ = 0;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    is_released_ = true;
    changed_.notify_all();
  }
  int asked(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return asked_[name];
  }
  /// Counts the look-ups of "slow.test" that nothing released.
  int given_up() {
    const std::lock_guard lock(mutex_);
    return given_up_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::vector<std::string>> addresses_;
  std::map<std::string, int> asked_;
  bool is_released_ = true;
  int given_up_ = 0;
};

using GetAddrInfo = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

const TestCertificates& certificates() {
  static const TestCertificates made;
  return made;
}

// The process that all servers of tests/support/http_test_server.py live in: Python starts slowly on a busy machine.
class PythonServers {
 public:
  static PythonServers& get() {
    static PythonServers servers;
    return servers;
  }

  /// Returns the number of the new server, which begins each of its facts.
  int start(const std::vector<std::string>& options) {
    std::string line;
    for (const std::string& option : options) line += option + " ";
    process_.write_line(line);
    return ++started_;
  }
  std::string facts() const { return process_.output(); }

 private:
  TempDir directory_{"http-servers"};
  Subprocess process_{{.command = {"python3", (source_directory() / "tests/support/http_test_server.py").string()},
                       .output = directory_.path() / "facts",
                       .with_stdin = true}};
  int started_ = 0;
};

class PythonServer {
 public:
  explicit PythonServer(const std::vector<std::string>& options = {})
      : mark_(std::to_string(PythonServers::get().start(options)) + " ") {
    require_until(
        kSoon, [this] { return count("port ") == 1; }, "a server of http_test_server.py");
    port_ = facts("port ").front().substr(5);
  }

  std::string url(const std::string& path, const std::string& scheme = "http",
                  const std::string& host = "127.0.0.1") const {
    return scheme + "://" + host + ":" + port_ + path;
  }
  const std::string& port() const { return port_; }

  std::vector<std::string> facts(const std::string& prefix) const {
    std::vector<std::string> found;
    std::istringstream lines(PythonServers::get().facts());
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(mark_ + prefix)) found.push_back(line.substr(mark_.size()));
    }
    return found;
  }
  std::size_t count(const std::string& prefix) const { return facts(prefix).size(); }

  /// Waits until the client has closed so many connections.
  testing::AssertionResult sees_closed_by_client(std::size_t count) const {
    const auto closed = [this] {
      std::size_t found = 0;
      for (const std::string& line : facts("closed ")) found += line.ends_with("by client") ? 1U : 0U;
      return found;
    };
    if (wait_until(kSoon, [&] { return closed() == count; })) return testing::AssertionSuccess();
    return testing::AssertionFailure() << closed() << " connections are closed by the client:\n"
                                       << PythonServers::get().facts();
  }

 private:
  std::string mark_;
  std::string port_;
};

AddressPolicy loopback() {
  return AddressPolicy({IpNetwork::parse("127.0.0.0/8").value()});
}

class HttpClientTest : public testing::Test {
 protected:
  HttpClientTest() {
    options_.addresses = loopback();
    request_.connect_timeout = request_.total_timeout = patient(kSoon);
  }

  void run_until(const std::function<bool()>& fact) {
    const LoopHandle deadline = loop_.after(patient(kSoon), [this] {
      ADD_FAILURE() << "not in time";
      loop_.stop();
    });
    const LoopHandle look = loop_.every(Duration(1), [&] {
      if (fact()) loop_.stop();
    });
    loop_.run();
  }

  OutgoingHttpRequest get(const std::string& url) const {
    OutgoingHttpRequest request = request_;
    request.url = url;
    return request;
  }

  HttpOutcome ask(HttpClient& client, OutgoingHttpRequest request) {
    std::optional<HttpOutcome> outcome;
    const auto pending = client.send(std::move(request), [&outcome](HttpOutcome arrived) {
      EXPECT_FALSE(outcome) << "a second outcome";
      outcome = std::move(arrived);
    });
    EXPECT_FALSE(outcome) << "an outcome within send()";
    run_until([&] { return outcome.has_value(); });
    if (outcome) return *outcome;
    return {failure(HttpFailure{HttpFailureKind::kBroken, true, "no outcome"}), {}};
  }
  HttpOutcome ask(OutgoingHttpRequest request) {
    HttpClient client(loop_, options_);
    return ask(client, std::move(request));
  }
  HttpOutcome ask(const std::string& url) { return ask(get(url)); }

  static testing::AssertionResult is_answer(const HttpOutcome& outcome, const std::string& body, int status = 200) {
    if (!outcome.result) return testing::AssertionFailure() << outcome.result.error().sentence;
    if (outcome.result->status == status && outcome.result->body == body) return testing::AssertionSuccess();
    return testing::AssertionFailure() << outcome.result->status << ": " << outcome.result->body;
  }

  static testing::AssertionResult is_failure(const HttpOutcome& outcome, HttpFailureKind kind, bool may_have_arrived) {
    if (outcome.result) return testing::AssertionFailure() << "answered " << outcome.result->status;
    const HttpFailure& failed = outcome.result.error();
    if (failed.kind == kind && failed.may_have_arrived == may_have_arrived) return testing::AssertionSuccess();
    return testing::AssertionFailure() << name(failed.kind) << (failed.may_have_arrived ? " may" : " cannot")
                                       << " have arrived: " << failed.sentence;
  }

  EventLoop loop_;
  HttpClientOptions options_;
  OutgoingHttpRequest request_;
};

class HttpClientPlain : public HttpClientTest {
 protected:
  PythonServer server_;
};

// --- answers

TEST_F(HttpClientPlain, AnswerHasStatusTypeAndBody) {
  const HttpOutcome outcome = ask(server_.url("/"));
  ASSERT_TRUE(is_answer(outcome, "hello"));
  EXPECT_EQ(outcome.result->content_type, "text/plain");
  EXPECT_EQ(outcome.result->retry_after, std::nullopt);
}

class HttpClientMethod : public HttpClientPlain,
                         public testing::WithParamInterface<std::pair<HttpMethod, const char*>> {};

TEST_P(HttpClientMethod, SendsItsHeadersAndBody) {
  auto request = get(server_.url("/echo?a=1&b=%20"));
  request.method = GetParam().first;
  request.headers = {{"X-One", "first; \"quoted\""}, {"X-Empty", ""}, {"Content-Type", "application/json"}};
  request.body = "{\"a\": 1}";
  const HttpOutcome outcome = ask(request);
  ASSERT_TRUE(outcome.result) << outcome.result.error().sentence;
  const Json seen = Json::parse(outcome.result->body);
  EXPECT_EQ(seen["method"], GetParam().second);
  EXPECT_EQ(seen["target"], "/echo?a=1&b=%20");
  EXPECT_EQ(seen["body"], request.body);
  std::map<std::string, std::string> headers;
  for (const auto& header : seen["headers"]) headers[header[0]] = header[1];
  EXPECT_EQ(headers, (std::map<std::string, std::string>{{"Host", "127.0.0.1:" + server_.port()},
                                                         {"Accept", "*/*"},
                                                         {"X-One", "first; \"quoted\""},
                                                         {"X-Empty", ""},
                                                         {"Content-Type", "application/json"},
                                                         {"Content-Length", "8"}}));
}

INSTANTIATE_TEST_SUITE_P(, HttpClientMethod,
                         testing::Values(std::pair{HttpMethod::kGet, "GET"}, std::pair{HttpMethod::kPost, "POST"},
                                         std::pair{HttpMethod::kPut, "PUT"}, std::pair{HttpMethod::kPatch, "PATCH"},
                                         std::pair{HttpMethod::kDelete, "DELETE"}),
                         [](const auto& method) { return std::string(method.param.second); });

TEST_F(HttpClientPlain, RequestWithoutABodySendsNoTypeOfOne) {
  HttpClient client(loop_, options_);
  for (const HttpMethod method : {HttpMethod::kGet, HttpMethod::kPost, HttpMethod::kDelete}) {
    auto request = get(server_.url("/echo"));
    request.method = method;
    const HttpOutcome outcome = ask(client, request);
    ASSERT_TRUE(outcome.result) << outcome.result.error().sentence;
    EXPECT_THAT(outcome.result->body, testing::Not(testing::HasSubstr("Content-Type")));
  }
}

TEST_F(HttpClientPlain, HeadIsAnsweredWithoutABody) {
  auto request = get(server_.url("/"));
  request.method = HttpMethod::kHead;
  EXPECT_TRUE(is_answer(ask(request), ""));
}

TEST_F(HttpClientPlain, LongBodyIsSentWithoutExpect) {
  auto request = get(server_.url("/count-bytes"));
  request.method = HttpMethod::kPost;
  request.body = std::string(3'000'000, 'x');
  EXPECT_TRUE(is_answer(ask(request), "3000000"));
}

TEST_F(HttpClientPlain, ChunksMakeOneBody) {
  EXPECT_TRUE(is_answer(ask(server_.url("/chunked")), "first second"));
}

TEST_F(HttpClientPlain, BodyMayEndWithTheConnection) {
  EXPECT_TRUE(is_answer(ask(server_.url("/until-closed")), "until closed"));
}

TEST_F(HttpClientPlain, CompressedBodyIsHandedOverAsItIs) {
  EXPECT_TRUE(is_answer(ask(server_.url("/compressed")), "not really gzip"));
}

TEST_F(HttpClientPlain, InterimAnswersAreNone) {
  const HttpOutcome outcome = ask(server_.url("/interim"));
  ASSERT_TRUE(is_answer(outcome, "final"));
  EXPECT_EQ(outcome.result->content_type, "text/plain");
}

TEST_F(HttpClientPlain, RedirectIsHandedOverAndNotFollowed) {
  HttpClient client(loop_, options_);
  EXPECT_TRUE(is_answer(ask(client, get(server_.url("/redirect"))), "", 302));
  const HttpOutcome echo = ask(client, get(server_.url("/echo")));
  ASSERT_TRUE(echo.result);
  EXPECT_THAT(echo.result->body, testing::Not(testing::HasSubstr("crumb"))) << "a cookie is sent back";
  EXPECT_EQ(server_.count("request "), 2U);
}

TEST_F(HttpClientPlain, RetryAfterIsReadAsSeconds) {
  HttpClient client(loop_, options_);
  const auto retry_after = [&](const std::string& value) {
    const HttpOutcome outcome = ask(client, get(server_.url("/busy?" + value)));
    EXPECT_TRUE(is_answer(outcome, "later", 503));
    return outcome.result ? outcome.result->retry_after : std::nullopt;
  };
  EXPECT_EQ(retry_after("120"), std::chrono::seconds(120));
  EXPECT_EQ(retry_after(""), std::nullopt);
  EXPECT_EQ(retry_after("0"), std::nullopt);
  EXPECT_EQ(retry_after("-5"), std::nullopt);
  EXPECT_EQ(retry_after("soon"), std::nullopt);
  EXPECT_EQ(retry_after("Sun,+06+Nov+1994+08:49:37+GMT"), std::nullopt);
  const auto far = retry_after("99999999999");
  EXPECT_TRUE(!far || *far <= std::chrono::hours(24)) << far->count();
  const auto date = retry_after("Fri,+31+Dec+2100+23:59:59+GMT");
  EXPECT_TRUE(date && *date > std::chrono::hours(1) && *date <= std::chrono::hours(24));
}

TEST_F(HttpClientPlain, EnvironmentChangesNothing) {
  const TempDir home("home");
  write_file(home.path() / ".netrc", "machine 127.0.0.1 login x password y\n");
  const std::string old_home = getenv("HOME") != nullptr ? getenv("HOME") : "";
  setenv("HOME", home.path().c_str(), 1);
  for (const char* variable : {"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"}) {
    setenv(variable, "http://127.0.0.1:1", 1);
  }
  const HttpOutcome outcome = ask(server_.url("/echo"));
  for (const char* variable : {"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"}) unsetenv(variable);
  setenv("HOME", old_home.c_str(), 1);
  ASSERT_TRUE(outcome.result) << outcome.result.error().sentence;
  EXPECT_THAT(outcome.result->body, testing::Not(testing::HasSubstr("Authorization")));
}

// --- connections

TEST_F(HttpClientPlain, ThousandRequestsShareFewConnections) {
  options_.connections_max = 4;
  HttpClient client(loop_, options_);
  std::vector<HttpClient::Pending> pending;
  int answered = 0;
  for (int i = 0; i < 1000; ++i) {
    pending.push_back(client.send(get(server_.url("/")), [&](const HttpOutcome& outcome) {
      EXPECT_TRUE(is_answer(outcome, "hello"));
      ++answered;
    }));
  }
  run_until([&] { return answered == 1000; });
  EXPECT_EQ(server_.count("request "), 1000U);
  EXPECT_LE(server_.count("opened "), 4U);
}

TEST_F(HttpClientPlain, RequestsThatWaitAreSentInSequence) {
  options_.connections_max = 1;
  HttpClient client(loop_, options_);
  std::vector<HttpClient::Pending> pending;
  std::size_t answered = 0;
  for (int i = 0; i < 20; ++i) {
    pending.push_back(client.send(get(server_.url("/" + std::to_string(i))), [&](const HttpOutcome&) { ++answered; }));
  }
  run_until([&] { return answered == pending.size(); });
  const auto requests = server_.facts("request ");
  ASSERT_EQ(requests.size(), pending.size());
  for (std::size_t i = 0; i < requests.size(); ++i) EXPECT_EQ(requests[i], "request 1 GET /" + std::to_string(i));
}

TEST_F(HttpClientPlain, ClosedKeptConnectionIsReplaced) {
  HttpClient client(loop_, options_);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(is_answer(ask(client, get(server_.url("/close-after"))), "closed now"));
    ASSERT_TRUE(wait_until(kSoon, [&] { return server_.count("closed ") == static_cast<std::size_t>(i); }));
  }
  EXPECT_EQ(server_.count("opened "), 3U);
}

TEST_F(HttpClientPlain, KeptConnectionThatClosesOnTheRequestIsReplaced) {
  HttpClient client(loop_, options_);
  EXPECT_TRUE(is_answer(ask(client, get(server_.url("/close-on-second"))), "answered by 1"));
  auto request = get(server_.url("/close-on-second"));
  request.method = HttpMethod::kPost;
  request.body = "body";
  EXPECT_TRUE(is_answer(ask(client, request), "answered by 2"));
}

TEST_F(HttpClientPlain, KeptConnectionOfAServerThatStopsIsAFailureToConnect) {
  HttpClient client(loop_, options_);
  EXPECT_TRUE(is_answer(ask(client, get(server_.url("/stop-on-second"))), "not much longer"));
  EXPECT_TRUE(is_failure(ask(client, get(server_.url("/stop-on-second"))), HttpFailureKind::kConnect, true));
}

TEST_F(HttpClientPlain, ConnectionsMaxHoldsOverTwoDestinations) {
  options_.connections_max = 1;
  const PythonServer second;
  HttpClient client(loop_, options_);
  for (std::size_t i = 1; i <= 3; ++i) {
    EXPECT_TRUE(is_answer(ask(client, get(server_.url("/"))), "hello"));
    EXPECT_TRUE(is_answer(ask(client, get(second.url("/"))), "hello"));
    EXPECT_TRUE(server_.sees_closed_by_client(i));
  }
}

// --- limits

TEST_F(HttpClientPlain, BudgetEndsWhatDoesNotEnd) {
  HttpClient client(loop_, options_);
  std::vector<HttpClient::Pending> pending;
  const std::vector<std::string> paths{"/hang", "/hang-after-headers", "/drip", "/drip-headers"};
  std::size_t ended = 0;
  for (const std::string& path : paths) {
    auto request = get(server_.url(path));
    request.total_timeout = Duration(2000);
    request.answer_bytes_max = 100'000'000;
    pending.push_back(client.send(request, [&, path](const HttpOutcome& outcome) {
      EXPECT_TRUE(is_failure(outcome, HttpFailureKind::kTimeout, true)) << path;
      EXPECT_GE(outcome.duration, Duration(2000));
      ++ended;
    }));
  }
  run_until([&] { return ended == paths.size(); });
  EXPECT_TRUE(server_.sees_closed_by_client(paths.size()));
}

TEST_F(HttpClientPlain, TimeSpentWaitingForAConnectionCounts) {
  options_.connections_max = 1;
  HttpClient client(loop_, options_);
  bool hanging_ended = false;
  auto hanging = client.send(get(server_.url("/hang")), [&](const HttpOutcome&) { hanging_ended = true; });
  auto request = get(server_.url("/"));
  request.total_timeout = Duration(200);
  EXPECT_TRUE(is_failure(ask(client, request), HttpFailureKind::kTimeout, false));
  EXPECT_FALSE(hanging_ended);
  hanging.reset();
  EXPECT_TRUE(is_answer(ask(client, get(server_.url("/"))), "hello"));
  EXPECT_EQ(server_.count("request "), 2U);
}

TEST_F(HttpClientPlain, ConnectTimeoutDoesNotRunWhileARequestWaits) {
  options_.connections_max = 1;
  HttpClient client(loop_, options_);
  auto first = get(server_.url("/hang"));
  first.total_timeout = Duration(1500);
  const auto hanging = client.send(first, [](const HttpOutcome&) {});
  auto request = get(server_.url("/"));
  request.connect_timeout = Duration(1000);
  EXPECT_TRUE(is_answer(ask(client, request), "hello"));
}

TEST_F(HttpClientPlain, AnswerThatIsTooLongIsCutOff) {
  HttpClient client(loop_, options_);
  std::size_t closed = 0;
  for (const char* path :
       {"/large", "/large-chunks", "/endless-headers", "/endless-header", "/endless-interim", "/sized?16385"}) {
    EXPECT_TRUE(is_failure(ask(client, get(server_.url(path))), HttpFailureKind::kAnswerTooLong, true)) << path;
    EXPECT_TRUE(server_.sees_closed_by_client(++closed)) << path;
  }
  EXPECT_THAT(PythonServers::get().facts(), testing::Not(testing::HasSubstr("sent everything")));
}

TEST_F(HttpClientPlain, AnswerMayBeAsLongAsItsLimit) {
  const HttpOutcome outcome = ask(server_.url("/sized?16384"));
  ASSERT_TRUE(outcome.result) << outcome.result.error().sentence;
  auto request = get(server_.url("/sized?200000"));
  request.answer_bytes_max = 200000;
  const HttpOutcome longer = ask(request);
  ASSERT_TRUE(longer.result) << longer.result.error().sentence;
  EXPECT_GT(longer.result->body.size(), 199000U);
}

// --- failures

TEST_F(HttpClientPlain, WhatIsNoHttpIsBroken) {
  HttpClient client(loop_, options_);
  for (const char* path : {"/garbage", "/close-early", "/half", "/bad-chunk", "/switch"}) {
    const HttpOutcome outcome = ask(client, get(server_.url(path)));
    EXPECT_TRUE(is_failure(outcome, HttpFailureKind::kBroken, true)) << path;
    if (outcome.result) continue;
    for (const char character : outcome.result.error().sentence) EXPECT_TRUE(character >= ' ' && character <= '~');
  }
}

TEST_F(HttpClientTest, PortThatRefusesIsAFailureToConnect) {
  const PortBlock ports;
  EXPECT_TRUE(is_failure(ask("http://127.0.0.1:" + std::to_string(ports.base())), HttpFailureKind::kConnect, false));
}

TEST_F(HttpClientPlain, SentenceOfAFailureHasNoPathQueryOrHeader) {
  for (const char* path : {"/close-early?secret", "/large?secret", "/garbage?secret"}) {
    auto request = get(server_.url(path));
    request.headers = {{"Authorization", "secret"}};
    const HttpOutcome outcome = ask(request);
    ASSERT_FALSE(outcome.result);
    EXPECT_THAT(outcome.result.error().sentence, testing::StartsWith("http://127.0.0.1:" + server_.port() + ": "));
    EXPECT_THAT(outcome.result.error().sentence, testing::Not(testing::HasSubstr("secret")));
  }
}

TEST_F(HttpClientPlain, InvalidRequestIsRefusedAndNothingIsSent) {
  std::vector<OutgoingHttpRequest> requests;
  for (const std::string& url :
       {std::string(), std::string("ftp://127.0.0.1/"), std::string("file:///etc/passwd"),
        "http://user:secret@127.0.0.1:" + server_.port(), server_.url("/#part"), server_.url("/\r\nX: y")}) {
    requests.push_back(get(url));
  }
  const std::pair<const char*, const char*> headers[] = {
      {"X", "secret\r\nY: z"}, {"X", "secret\n"},         {"X: y", "secret"},
      {"", "secret"},          {"X\r\nY", "secret"},      {"Content-Length", "1"},
      {"host", "secret"},      {"Transfer-Encoding", ""}, {"EXPECT", "100-continue"}};
  for (const auto& [header_name, value] : headers) {
    requests.push_back(get(server_.url("/")));
    requests.back().headers = {{header_name, value}};
  }
  requests.push_back(get(server_.url("/")));
  requests.back().method = HttpMethod::kHead;
  requests.back().body = "secret";
  for (const OutgoingHttpRequest& request : requests) {
    const HttpOutcome outcome = ask(request);
    EXPECT_TRUE(is_failure(outcome, HttpFailureKind::kInvalidRequest, false)) << request.url;
    if (outcome.result) continue;
    EXPECT_THAT(outcome.result.error().sentence, testing::Not(testing::HasSubstr("secret")));
    EXPECT_THAT(outcome.result.error().sentence, testing::Not(testing::HasSubstr("\n")));
  }
  EXPECT_EQ(server_.count("opened "), 0U);
}

// --- names and addresses

TEST_F(HttpClientTest, UnknownNameIsAFailureToResolve) {
  EXPECT_TRUE(is_failure(ask("http://unknown.test/"), HttpFailureKind::kResolve, false));
}

TEST_F(HttpClientPlain, NameIsRefusedForItsAddress) {
  options_.addresses = AddressPolicy();
  Names::get().set("loopback.test", {"127.0.0.1"});
  Names::get().set("metadata.test", {"169.254.169.254"});
  Names::get().set("ipv6.test", {"::1"});
  Names::get().set("mapped.test", {"::ffff:127.0.0.1"});
  Names::get().set("many.test", {"127.0.0.1", "169.254.169.254", "::1", "0.0.0.0"});
  for (const char* host : {"loopback.test",
                           "metadata.test",
                           "ipv6.test",
                           "mapped.test",
                           "many.test",
                           "127.0.0.1",
                           "2130706433",
                           "0x7f.1",
                           "0177.0.0.1",
                           "127.1",
                           "0",
                           "[::1]",
                           "[::]",
                           "[::ffff:127.0.0.1]",
                           "[fe80::1]",
                           "169.254.169.254",
                           "localhost",
                           "%31%32%37.0.0.1",
                           "[fd00:ec2::254]",
                           "255.255.255.255"}) {
    EXPECT_TRUE(is_failure(ask(server_.url("/", "http", host)), HttpFailureKind::kAddressRefused, false)) << host;
  }
  EXPECT_EQ(server_.count("opened "), 0U);
}

TEST_F(HttpClientPlain, RefusedAddressIsNamed) {
  options_.addresses = AddressPolicy();
  Names::get().set("named.test", {"169.254.169.254"});
  const HttpOutcome outcome = ask("http://named.test/secret");
  ASSERT_FALSE(outcome.result);
  EXPECT_EQ(outcome.result.error().sentence, "http://named.test:80: 169.254.169.254 is a link-local address");
}

TEST_F(HttpClientPlain, PermittedAddressOfANameIsConnectedTo) {
  Names::get().set("both.test", {"::1", "169.254.169.254", "127.0.0.1"});
  EXPECT_TRUE(is_answer(ask(server_.url("/", "http", "both.test")), "hello"));
}

TEST_F(HttpClientPlain, NameThatChangesIsJudgedByTheAddressConnectedTo) {
  Names::get().set("rebound.test", {"127.0.0.1"});
  EXPECT_TRUE(is_answer(ask(server_.url("/", "http", "rebound.test")), "hello"));
  Names::get().set("rebound.test", {"169.254.169.254"});
  EXPECT_TRUE(is_failure(ask(server_.url("/", "http", "rebound.test")), HttpFailureKind::kAddressRefused, false));
}

// Look-ups of slow.test end only when the test releases them, so a client that waits for one never gets there.
class HttpClientSlowName : public HttpClientPlain {
 protected:
  HttpClientSlowName() {
    Names::get().set("slow.test", {"127.0.0.1"});
    Names::get().hold();
  }
  ~HttpClientSlowName() override {
    EXPECT_EQ(Names::get().given_up(), 0) << "the loop has waited for the resolver";
    Names::get().release();
  }
  // Sends a request that is being resolved when this returns.
  HttpClient::Pending send_slow(HttpClient& client, HttpClient::Callback callback) {
    const int before = Names::get().asked("slow.test");
    auto pending = client.send(get(server_.url("/", "http", "slow.test")), std::move(callback));
    run_until([&] { return Names::get().asked("slow.test") > before; });
    return pending;
  }
};

TEST_F(HttpClientSlowName, DoesNotHoldUpOtherRequests) {
  HttpClient client(loop_, options_);
  std::optional<HttpOutcome> slow;
  const auto pending = send_slow(client, [&](HttpOutcome outcome) { slow = std::move(outcome); });
  EXPECT_TRUE(is_answer(ask(client, get(server_.url("/"))), "hello"));
  EXPECT_FALSE(slow);
  Names::get().release();
  run_until([&] { return slow.has_value(); });
  EXPECT_TRUE(is_answer(*slow, "hello"));
}

TEST_F(HttpClientSlowName, CountsForBothTimeouts) {
  HttpClient client(loop_, options_);
  auto request = get(server_.url("/", "http", "slow.test"));
  request.total_timeout = Duration(200);
  EXPECT_TRUE(is_failure(ask(client, request), HttpFailureKind::kTimeout, false));
  request.total_timeout = request.connect_timeout;
  request.connect_timeout = Duration(200);
  EXPECT_TRUE(is_failure(ask(client, request), HttpFailureKind::kTimeout, false));
}

TEST_F(HttpClientSlowName, MayBeWithdrawn) {
  HttpClient client(loop_, options_);
  auto pending = send_slow(client, [](const HttpOutcome&) { ADD_FAILURE() << "withdrawn"; });
  pending.reset();
  EXPECT_TRUE(is_answer(ask(client, get(server_.url("/"))), "hello"));
}

TEST_F(HttpClientSlowName, DoesNotHoldUpTheEndOfTheClient) {
  auto client = std::make_unique<HttpClient>(loop_, options_);
  const auto pending = send_slow(*client, [](const HttpOutcome&) { ADD_FAILURE() << "withdrawn"; });
  client.reset();
}

// --- the end of requests and of the client

TEST_F(HttpClientPlain, WithdrawnRequestCallsNothing) {
  options_.connections_max = 2;
  HttpClient client(loop_, options_);
  const auto never = [](const HttpOutcome&) { ADD_FAILURE() << "withdrawn"; };
  std::vector<HttpClient::Pending> hanging;
  hanging.push_back(client.send(get(server_.url("/hang")), never));
  hanging.push_back(client.send(get(server_.url("/drip")), never));
  run_until([&] { return server_.count("request ") == 2; });
  hanging.push_back(client.send(get(server_.url("/waits")), never));
  hanging.push_back(client.send(get("ftp://invalid"), never));
  hanging.clear();
  EXPECT_TRUE(server_.sees_closed_by_client(2));
  auto at_once = client.send(get(server_.url("/at-once")), never);
  at_once = HttpClient::Pending();
  EXPECT_TRUE(is_answer(ask(client, get(server_.url("/"))), "hello"));
  EXPECT_EQ(server_.count("request "), 3U);
}

TEST_F(HttpClientPlain, EndOfTheClientWithdrawsAll) {
  options_.connections_max = 2;
  const auto never = [](const HttpOutcome&) { ADD_FAILURE() << "withdrawn"; };
  std::vector<HttpClient::Pending> pending;
  {
    HttpClient client(loop_, options_);
    for (int i = 0; i < 5; ++i) pending.push_back(client.send(get(server_.url("/hang")), never));
    run_until([&] { return server_.count("request ") == 2; });
  }
  EXPECT_TRUE(server_.sees_closed_by_client(2));
  EXPECT_EQ(server_.count("opened "), 2U);
}

TEST_F(HttpClientPlain, CallbackMaySendAndWithdraw) {
  HttpClient client(loop_, options_);
  HttpClient::Pending other =
      client.send(get(server_.url("/hang")), [](const HttpOutcome&) { ADD_FAILURE() << "withdrawn"; });
  HttpClient::Pending own;
  HttpClient::Pending next;
  std::optional<HttpOutcome> last;
  own = client.send(get(server_.url("/")), [&](const HttpOutcome& outcome) {
    EXPECT_TRUE(is_answer(outcome, "hello"));
    other.reset();
    own.reset();
    next = client.send(get(server_.url("/chunked")), [&](HttpOutcome arrived) { last = std::move(arrived); });
    EXPECT_FALSE(last);
  });
  run_until([&] { return last.has_value(); });
  EXPECT_TRUE(is_answer(*last, "first second"));
}

TEST_F(HttpClientPlain, CallbackMayEndTheClient) {
  for (const std::string& url : {server_.url("/"), std::string("ftp://invalid"), server_.url("/hang")}) {
    auto client = std::make_unique<HttpClient>(loop_, options_);
    int calls = 0;
    std::vector<HttpClient::Pending> pending;
    for (int i = 0; i < 3; ++i) {
      auto request = get(url);
      if (url.ends_with("/hang")) request.total_timeout = Duration(100);
      pending.push_back(client->send(request, [&](const HttpOutcome&) {
        ++calls;
        client.reset();
      }));
    }
    run_until([&] { return client == nullptr; });
    EXPECT_EQ(calls, 1) << url;
  }
}

TEST_F(HttpClientPlain, PendingRequestMayOutliveClientAndLoop) {
  HttpClient::Pending pending;
  {
    EventLoop loop;
    HttpClient client(loop, options_);
    pending = client.send(get(server_.url("/")), [](const HttpOutcome&) { ADD_FAILURE() << "withdrawn"; });
  }
  pending.reset();
}

// --- TLS

class HttpClientTls : public HttpClientTest {
 protected:
  HttpClientTls() { options_.ca_file = certificates().file("ca.pem"); }

  static std::vector<std::string> with(const std::string& name, std::vector<std::string> more = {}) {
    more.insert(more.end(),
                {"--certificate", certificates().file(name + ".pem"), "--key", certificates().file(name + ".key")});
    return more;
  }
};

TEST_F(HttpClientTls, TrustedServerAnswersAndItsConnectionIsKept) {
  const PythonServer server(with("server"));
  HttpClient client(loop_, options_);
  Names::get().set("good.test", {"127.0.0.1"});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(is_answer(ask(client, get(server.url("/", "https"))), "hello"));
  EXPECT_EQ(server.count("opened "), 1U);
  EXPECT_TRUE(is_answer(ask(client, get(server.url("/", "https", "good.test"))), "hello"));
}

TEST_F(HttpClientTls, ClosedKeptConnectionIsReplaced) {
  const PythonServer server(with("server"));
  HttpClient client(loop_, options_);
  for (std::size_t i = 1; i <= 3; ++i) {
    EXPECT_TRUE(is_answer(ask(client, get(server.url("/close-after", "https"))), "closed now"));
    ASSERT_TRUE(wait_until(kSoon, [&] { return server.count("closed ") == i; }));
  }
  EXPECT_TRUE(is_answer(ask(client, get(server.url("/close-on-second", "https"))), "answered by 4"));
  EXPECT_TRUE(is_answer(ask(client, get(server.url("/close-on-second", "https"))), "answered by 5"));
}

TEST_F(HttpClientTls, OnlyTheGivenAuthorityIsTrusted) {
  const PythonServer server(with("server"));
  for (const std::string& file : {certificates().file("other-ca.pem"), std::string(), certificates().file("none.pem"),
                                  certificates().file("ca.key")}) {
    options_.ca_file = file;
    EXPECT_TRUE(is_failure(ask(server.url("/", "https")), HttpFailureKind::kTls, false)) << file;
  }
  EXPECT_EQ(server.count("request "), 0U);
}

TEST_F(HttpClientTls, RenewedAuthorityIsUsedWithoutARestart) {
  const PythonServer server(with("server"));
  const TempDir directory("authorities");
  options_.ca_file = (directory.path() / "ca.pem").string();
  write_file(options_.ca_file, read_file(certificates().file("other-ca.pem")));
  HttpClient client(loop_, options_);
  EXPECT_TRUE(is_failure(ask(client, get(server.url("/", "https"))), HttpFailureKind::kTls, false));
  write_file(options_.ca_file, read_file(certificates().file("ca.pem")));
  EXPECT_TRUE(is_answer(ask(client, get(server.url("/", "https"))), "hello"));
}

TEST_F(HttpClientTls, CertificateOfAnotherNameIsRefused) {
  const PythonServer server(with("wrong-name"));
  Names::get().set("good.test", {"127.0.0.1"});
  EXPECT_TRUE(is_failure(ask(server.url("/", "https")), HttpFailureKind::kTls, false));
  EXPECT_TRUE(is_failure(ask(server.url("/", "https", "good.test")), HttpFailureKind::kTls, false));
}

TEST_F(HttpClientTls, OldTlsIsRefused) {
  const PythonServer server(with("server", {"--tls-max", "1.1"}));
  EXPECT_TRUE(is_failure(ask(server.url("/", "https")), HttpFailureKind::kTls, false));
  const PythonServer newer(with("server", {"--tls-max", "1.2"}));
  EXPECT_TRUE(is_answer(ask(newer.url("/", "https")), "hello"));
}

TEST_F(HttpClientTls, ServerWithoutTlsIsRefused) {
  HttpServer server(loop_);
  const auto port = server.listen(SocketAddress::ip("127.0.0.1", 0));
  ASSERT_TRUE(port);
  EXPECT_TRUE(is_failure(ask("https://127.0.0.1:" + std::to_string(*port)), HttpFailureKind::kTls, false));
}

TEST_F(HttpClientTls, HandshakeThatHangsIsATimeout) {
  const PythonServer plain;  // it waits for the end of the line
  auto request = get(plain.url("/", "https"));
  request.connect_timeout = Duration(300);
  EXPECT_TRUE(is_failure(ask(request), HttpFailureKind::kTimeout, false));
  EXPECT_TRUE(plain.sees_closed_by_client(1));
}

TEST_F(HttpClientTls, ClientProvesItselfByItsCertificate) {
  const PythonServer server(with("server", {"--client-ca", certificates().file("ca.pem")}));
  options_.client_certificate_file = certificates().file("client.pem");
  options_.client_key_file = certificates().file("client.key");
  EXPECT_TRUE(is_answer(ask(server.url("/", "https")), "hello"));
}

TEST_F(HttpClientTls, ServerMayRefuseTheClientsCertificate) {
  const auto client_ca = std::vector<std::string>{"--client-ca", certificates().file("ca.pem")};
  auto old_tls = client_ca;
  old_tls.insert(old_tls.end(), {"--tls-max", "1.2"});
  const PythonServer server(with("server", client_ca));
  const PythonServer server_1_2(with("server", old_tls));
  for (const char* identity : {"", "other-client"}) {
    if (*identity != '\0') {
      options_.client_certificate_file = certificates().file(std::string(identity) + ".pem");
      options_.client_key_file = certificates().file(std::string(identity) + ".key");
    }
    EXPECT_TRUE(is_failure(ask(server_1_2.url("/", "https")), HttpFailureKind::kTls, false)) << identity;
    // TLS 1.3 lets a client send before the server has seen its certificate.
    EXPECT_TRUE(is_failure(ask(server.url("/", "https")), HttpFailureKind::kBroken, true)) << identity;
  }
  options_.client_certificate_file = certificates().file("none.pem");
  EXPECT_TRUE(is_failure(ask(server.url("/", "https")), HttpFailureKind::kTls, false));
  EXPECT_EQ(server.count("request ") + server_1_2.count("request "), 0U);
}

// --- HTTP/2

class HttpClientHttp2 : public HttpClientTls {
 protected:
  HttpClientHttp2() {
    write_file(directory_.path() / "hello", "hello");
    start();
  }

  void start() {
    const auto log = directory_.path() / "log";
    std::filesystem::remove(log);
    server_ = Subprocess({.command = {"nghttpd", "--verbose", "--address=127.0.0.1", "--echo-upload",
                                      "--htdocs=" + directory_.path().string(), std::to_string(ports_.base()),
                                      certificates().file("server.key"), certificates().file("server.pem")},
                          .output = log});
    require_until(
        kSoon, [this] { return server_.output().find("listen 127.0.0.1") != std::string::npos; },
        "nghttpd: " + server_.output());
  }

  std::string url(const std::string& path) const { return "https://127.0.0.1:" + std::to_string(ports_.base()) + path; }

  TempDir directory_{"nghttpd"};
  PortBlock ports_;
  Subprocess server_;
};

// nghttpd speaks nothing else.
TEST_F(HttpClientHttp2, IsSpokenToAServerThatCan) {
  HttpClient client(loop_, options_);
  EXPECT_TRUE(is_answer(ask(client, get(url("/hello"))), "hello"));
  const HttpOutcome missing = ask(client, get(url("/missing")));
  ASSERT_TRUE(missing.result) << missing.result.error().sentence;
  EXPECT_EQ(missing.result->status, 404);
  EXPECT_THAT(server_.output(), testing::HasSubstr(":method: GET"));
}

TEST_F(HttpClientHttp2, LongBodiesPassBothWays) {
  auto request = get(url("/echo"));
  request.method = HttpMethod::kPost;
  request.body = std::string(1'000'000, 'x');
  request.answer_bytes_max = 2'000'000;
  EXPECT_TRUE(is_answer(ask(request), request.body));
}

TEST_F(HttpClientHttp2, AnswerThatIsTooLongIsCutOff) {
  HttpClient client(loop_, options_);
  auto request = get(url("/echo"));
  request.method = HttpMethod::kPost;
  request.body = std::string(100'000, 'x');
  EXPECT_TRUE(is_failure(ask(client, request), HttpFailureKind::kAnswerTooLong, true));
  EXPECT_TRUE(is_answer(ask(client, get(url("/hello"))), "hello"));
}

TEST_F(HttpClientHttp2, ManyRequestsAreAnswered) {
  HttpClient client(loop_, options_);
  std::vector<HttpClient::Pending> pending;
  int answered = 0;
  for (int i = 0; i < 300; ++i) {
    pending.push_back(client.send(get(url("/hello")), [&](const HttpOutcome& outcome) {
      EXPECT_TRUE(is_answer(outcome, "hello"));
      ++answered;
    }));
  }
  run_until([&] { return answered == 300; });
}

TEST_F(HttpClientHttp2, ServerThatRestartsIsConnectedToAgain) {
  HttpClient client(loop_, options_);
  EXPECT_TRUE(is_answer(ask(client, get(url("/hello"))), "hello"));
  server_.kill_now();
  EXPECT_TRUE(is_failure(ask(client, get(url("/hello"))), HttpFailureKind::kConnect, false));
  start();
  EXPECT_TRUE(is_answer(ask(client, get(url("/hello"))), "hello"));
}

}  // namespace
}  // namespace callpark::test

// libcurl's resolver calls this one instead of the C library's, which answers for all other domains.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  static const auto real = reinterpret_cast<callpark::test::GetAddrInfo>(dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::string name = node != nullptr ? node : "";
  if (!name.ends_with(".test")) return real(node, service, hints, result);
  *result = nullptr;
  addrinfo** end = result;
  for (const std::string& address : callpark::test::Names::get().find(name)) {
    if (real(address.c_str(), service, hints, end) != 0) continue;
    while (*end != nullptr) end = &(*end)->ai_next;
  }
  return *result != nullptr ? 0 : EAI_NONAME;
}
