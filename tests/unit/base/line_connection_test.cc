#include "base/line_connection.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/base/loop_fixture.h"

namespace callpark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/callpark_line_XXXXXX";
};

// One end is the connection under test, the other a plain descriptor.
class LineConnectionTest : public LoopFixture {
 protected:
  LineConnectionTest() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0) std::abort();
    peer_ = fds[1];
    own_fd_ = fds[0];
  }
  ~LineConnectionTest() override {
    if (peer_ >= 0) close(peer_);
  }

  void start(LineLimits limits = {}) {
    connection_.emplace(loop_, own_fd_, limits);
    connection_->start({[this](std::string_view line) { lines_.emplace_back(line); },
                        [this](const std::string& reason) { reasons_.push_back(reason); }});
  }
  void peer_sends(std::string_view bytes) const {
    ASSERT_EQ(write(peer_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void peer_closes() { close(std::exchange(peer_, -1)); }
  std::string peer_reads() const {
    std::string bytes(1024 * 1024, '\0');
    const ssize_t got = read(peer_, bytes.data(), bytes.size());
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }

  int own_fd_ = -1;
  int peer_ = -1;
  std::optional<LineConnection> connection_;
  std::vector<std::string> lines_;
  std::vector<std::string> reasons_;
};

TEST_F(LineConnectionTest, ALineIsHandedOutWithoutItsEnd) {
  start();
  peer_sends("first\nsecond\r\n\n");
  run_until([&] { return lines_.size() == 3; });
  EXPECT_THAT(lines_, ElementsAre("first", "second", ""));
}

TEST_F(LineConnectionTest, ALineThatComesInPiecesIsHandedOutWhole) {
  start();
  peer_sends("{\"a\":");
  const LoopHandle later = loop_.after(Duration(5), [&] { peer_sends("1}\n{"); });
  run_until([&] { return !lines_.empty(); });
  EXPECT_THAT(lines_, ElementsAre("{\"a\":1}"));
}

TEST_F(LineConnectionTest, ALineOfTheGreatestLengthIsTaken) {
  start({.line_max_bytes = 10});
  peer_sends("0123456789\n");
  run_until([&] { return !lines_.empty(); });
  EXPECT_THAT(lines_, ElementsAre("0123456789"));
}

TEST_F(LineConnectionTest, ALineThatIsTooLongEndsTheConnectionAfterTheOnesBeforeIt) {
  start({.line_max_bytes = 10});
  peer_sends("short\n0123456789a\nnever\n");
  run_until([&] { return !reasons_.empty(); });
  EXPECT_THAT(lines_, ElementsAre("short"));
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("too long")));
  EXPECT_FALSE(connection_->is_open());
}

TEST_F(LineConnectionTest, ALineWithoutEndIsNotCollectedForEver) {
  start({.line_max_bytes = 10});
  peer_sends("0123456789abcdef");
  run_until([&] { return !reasons_.empty(); });
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("too long")));
}

TEST_F(LineConnectionTest, LinesLeaveInOrder) {
  start();
  EXPECT_TRUE(connection_->send_line("one"));
  EXPECT_TRUE(connection_->send_line("two"));
  EXPECT_EQ(peer_reads(), "one\ntwo\n");
}

TEST_F(LineConnectionTest, WhatTheSocketDoesNotTakeAtOnceFollowsLater) {
  start();
  const std::string line(60'000, 'x');
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(connection_->send_line(line));
  std::string got;
  run_until([&] {
    got += peer_reads();
    return got.size() == 40 * (line.size() + 1);
  });
  EXPECT_EQ(std::count(got.begin(), got.end(), '\n'), 40);
}

TEST_F(LineConnectionTest, APeerThatDoesNotReadIsDisconnected) {
  start({.unsent_max_bytes = 100'000});
  const std::string line(60'000, 'x');
  while (connection_->send_line(line)) {
  }
  EXPECT_THAT(reasons_, IsEmpty()) << "not from inside send_line";
  run_until([&] { return !reasons_.empty(); });
  EXPECT_THAT(reasons_, ElementsAre(HasSubstr("too slowly")));
}

TEST_F(LineConnectionTest, TheEndOfThePeerIsReportedOnceAfterHisLastLine) {
  start();
  peer_sends("last\nhalf");
  peer_closes();
  run_until([&] { return !reasons_.empty(); });
  EXPECT_THAT(lines_, ElementsAre("last"));
  EXPECT_THAT(reasons_, SizeIs(1));
  EXPECT_FALSE(connection_->send_line("too late"));
}

TEST_F(LineConnectionTest, SendingToAPeerThatIsGoneIsReportedAndRaisesNoSignal) {
  start();
  peer_closes();
  connection_->send_line("without a peer");
  run_until([&] { return !reasons_.empty(); });
  EXPECT_THAT(reasons_, SizeIs(1));
}

TEST_F(LineConnectionTest, OwnCloseIsNotReported) {
  start();
  connection_->close();
  EXPECT_FALSE(connection_->is_open());
  EXPECT_EQ(peer_reads(), "");
  bool waited = false;
  const LoopHandle timer = loop_.after(Duration(10), [&] { waited = true; });
  run_until([&] { return waited; });
  EXPECT_THAT(reasons_, IsEmpty());
}

TEST_F(LineConnectionTest, ACallbackMayDestroyTheConnection) {
  connection_.emplace(loop_, own_fd_);
  connection_->start({[this](std::string_view line) {
                        lines_.emplace_back(line);
                        connection_.reset();
                      },
                      nullptr});
  peer_sends("one\ntwo\n");
  run_until([&] { return !connection_; });
  EXPECT_THAT(lines_, ElementsAre("one"));
}

TEST_F(LineConnectionTest, TcpIsSentWithoutNaglesDelay) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const LineConnection connection(loop_, fd);
  int on = 0;
  socklen_t length = sizeof on;
  getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &length);
  EXPECT_EQ(on, 1);
  close(own_fd_);
}

struct Accepted {
  LineConnection connection;
  std::vector<std::string> lines;
};

class LineClientTest : public LoopFixture {
 protected:
  Result<LineServer, std::string> serve(const SocketAddress& address) {
    return LineServer::listen(loop_, address, [this](LineConnection connection) {
      accepted_.push_back(std::make_unique<Accepted>(Accepted{std::move(connection), {}}));
      Accepted* one = accepted_.back().get();
      one->connection.start({[one](std::string_view line) {
                               one->lines.emplace_back(line);
                               one->connection.send_line("echo " + std::string(line));
                             },
                             [](const std::string&) {}});
    });
  }
  void connect(const SocketAddress& address) {
    client_.emplace(loop_, address, Duration(5));
    client_->start({[this] { ++times_connected_; }, [this](std::string_view line) { answers_.emplace_back(line); },
                    [this](const std::string& reason) { reasons_.push_back(reason); }});
  }
  SocketAddress unix_address() const { return *SocketAddress::parse(directory_.file("test.sock")); }

  TemporaryDirectory directory_;
  std::vector<std::unique_ptr<Accepted>> accepted_;
  std::optional<LineClient> client_;
  int times_connected_ = 0;
  std::vector<std::string> answers_;
  std::vector<std::string> reasons_;
};

TEST_F(LineClientTest, TalksOverAUnixSocket) {
  auto server = serve(unix_address());
  ASSERT_TRUE(server) << server.error();
  connect(unix_address());
  run_until([&] { return times_connected_ == 1; });
  EXPECT_TRUE(client_->send_line("hello"));
  run_until([&] { return !answers_.empty(); });
  EXPECT_THAT(answers_, ElementsAre("echo hello"));
}

TEST_F(LineClientTest, TalksOverTcp) {
  auto server = serve(SocketAddress::ip("127.0.0.1", 0));
  ASSERT_TRUE(server) << server.error();
  EXPECT_NE(server->address().port(), 0);
  connect(server->address());
  run_until([&] { return times_connected_ == 1; });
  client_->send_line("hello");
  run_until([&] { return !answers_.empty(); });
  EXPECT_THAT(answers_, ElementsAre("echo hello"));
}

TEST_F(LineClientTest, WaitsForAServerThatComesLater) {
  connect(unix_address());
  bool waited = false;
  const LoopHandle timer = loop_.after(Duration(20), [&] { waited = true; });
  run_until([&] { return waited; });
  EXPECT_FALSE(client_->is_connected());
  EXPECT_FALSE(client_->send_line("without a peer"));
  auto server = serve(unix_address());
  ASSERT_TRUE(server) << server.error();
  run_until([&] { return times_connected_ == 1; });
  EXPECT_THAT(reasons_, IsEmpty()) << "what was never established has not ended";
}

TEST_F(LineClientTest, ComesBackAfterTheServerHasClosed) {
  auto server = serve(unix_address());
  connect(unix_address());
  run_until([&] { return accepted_.size() == 1; });
  accepted_.front()->connection.close();
  run_until([&] { return times_connected_ == 2; });
  EXPECT_THAT(reasons_, SizeIs(1));
  EXPECT_TRUE(client_->is_connected());
}

TEST_F(LineClientTest, ConnectsAgainWhenItsUserAsksForIt) {
  auto server = serve(unix_address());
  connect(unix_address());
  run_until([&] { return times_connected_ == 1; });
  client_->reconnect("nonsense");
  EXPECT_THAT(reasons_, ElementsAre("nonsense"));
  run_until([&] { return times_connected_ == 2; });
}

TEST_F(LineClientTest, ACallbackMayDestroyTheClient) {
  auto server = serve(unix_address());
  client_.emplace(loop_, unix_address(), Duration(5));
  client_->start({[this] {
                    ++times_connected_;
                    client_.reset();
                  },
                  [](std::string_view) {}, nullptr});
  run_until([&] { return times_connected_ == 1; });
  EXPECT_FALSE(client_);
}

TEST_F(LineClientTest, TheSocketFileIsForOwnerAndGroupAndGoesWithTheServer) {
  const std::string path = unix_address().host();
  {
    auto server = serve(unix_address());
    ASSERT_TRUE(server) << server.error();
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0660U);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(LineClientTest, ASocketFileThatAKilledServerLeftIsTakenOver) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(fd, unix_address().data(), unix_address().length()), 0);
  close(fd);
  auto server = serve(unix_address());
  EXPECT_TRUE(server) << server.error();
}

TEST_F(LineClientTest, ASocketThatIsServedIsNotTakenOver) {
  auto first = serve(unix_address());
  ASSERT_TRUE(first);
  const auto second = serve(unix_address());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error(), HasSubstr("in use"));
}

}  // namespace
}  // namespace callpark
