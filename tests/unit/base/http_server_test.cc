#include "base/http_server.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "tests/unit/base/loop_fixture.h"

namespace callpark {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttpServerTest : public LoopFixture {
 protected:
  HttpServerTest() {
    server_.route("GET", "/health", [](const HttpRequest&) { return text_response(200, "well\n"); });
    server_.route("GET", "/broken", [](const HttpRequest&) -> HttpResponse { throw std::runtime_error("broken"); });
    server_.route("POST", "/echo", [this](const HttpRequest& request) {
      last_ = request;
      return json_response(201, {{"length", request.body.size()}});
    });
    const auto port = server_.listen(SocketAddress::ip("127.0.0.1", 0));
    if (port) port_ = *port;
  }

  // Sends `text` and reads until the server closes, so requests must have "Connection: close".
  std::string answer_to(const std::string& text) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const SocketAddress address = SocketAddress::ip("127.0.0.1", port_);
    connect(fd, address.data(), address.length());
    std::string answer;
    std::size_t sent = 0;
    bool closed = false;
    run_until([&] {
      const ssize_t written = send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (written > 0) sent += static_cast<std::size_t>(written);
      char chunk[4096];
      const ssize_t got = recv(fd, chunk, sizeof chunk, 0);
      if (got > 0) answer.append(chunk, static_cast<std::size_t>(got));
      closed = closed || got == 0 || (got < 0 && errno == ECONNRESET);
      return closed;
    });
    close(fd);
    return answer;
  }
  std::string answer_to(const std::string& method, const std::string& path, const std::string& body = "") {
    return answer_to(method + " " + path +
                     " HTTP/1.1\r\nHost: x\r\nX-Test: Yes\r\nConnection: close\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\n\r\n" + body);
  }

  HttpServer server_{loop_, 1000};
  std::uint16_t port_ = 0;
  HttpRequest last_;
};

TEST_F(HttpServerTest, AnswersWhatItsHandlerSays) {
  const std::string answer = answer_to("GET", "/health");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nwell\n"));
}

TEST_F(HttpServerTest, AnswersJson) {
  const std::string answer = answer_to("POST", "/echo?a=1&b=two%20words", "12345");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201 "));
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n{\"length\":5}\n"));
  EXPECT_EQ(last_.method, "POST");
  EXPECT_EQ(last_.path, "/echo");
  EXPECT_EQ(last_.body, "12345");
  EXPECT_EQ(last_.query.at("b"), "two words");
  EXPECT_EQ(last_.headers.at("x-test"), "Yes");
}

TEST_F(HttpServerTest, HeadIsGetWithoutTheBody) {
  const std::string answer = answer_to("HEAD", "/health");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("well")));
}

TEST_F(HttpServerTest, AnUnknownPathIs404) {
  EXPECT_THAT(answer_to("GET", "/nothing"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpServerTest, AnotherMethodIs405) {
  EXPECT_THAT(answer_to("DELETE", "/health"), StartsWith("HTTP/1.1 405 "));
}

TEST_F(HttpServerTest, AHandlerThatThrowsIs500AndTheServerLives) {
  EXPECT_THAT(answer_to("GET", "/broken"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer_to("GET", "/health"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, ABodyThatIsTooLongIs413) {
  EXPECT_THAT(answer_to("POST", "/echo", std::string(1000, 'x')), StartsWith("HTTP/1.1 201 "));
  EXPECT_THAT(answer_to("POST", "/echo", std::string(1001, 'x')), StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, WhatIsNotHttpHarmsNobody) {
  answer_to("nonsense\r\n\r\n");
  EXPECT_THAT(answer_to("GET", "/health"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, APortThatIsTakenIsASentence) {
  HttpServer second(loop_);
  const auto port = second.listen(SocketAddress::ip("127.0.0.1", port_));
  ASSERT_FALSE(port);
  EXPECT_THAT(port.error(), HasSubstr("Address already in use"));
}

}  // namespace
}  // namespace callpark
