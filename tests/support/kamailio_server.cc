#include "tests/support/kamailio_server.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "tests/support/render.h"
#include "tests/support/sip_text.h"
#include "tests/support/source_directory.h"
#include "tests/support/udp_socket.h"
#include "tests/support/wait.h"

namespace callpark::test {

namespace {

constexpr std::chrono::milliseconds kStartTimeout{20000};
constexpr std::chrono::milliseconds kOptionsTimeout{200};
constexpr std::chrono::milliseconds kRpcTimeout{2000};

std::string tail(const std::string& text, std::size_t bytes) {
  return text.size() <= bytes ? text : text.substr(text.size() - bytes);
}

sockaddr_un unix_address(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.string().size() >= sizeof(address.sun_path)) {
    throw std::runtime_error("too long for a unix socket: " + path.string());
  }
  path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

/// A datagram socket of a name, gone with the object.
class UnixDatagramSocket {
 public:
  explicit UnixDatagramSocket(std::filesystem::path path)
      : path_(std::move(path)), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    std::filesystem::remove(path_);
    const sockaddr_un own = unix_address(path_);
    if (fd_ < 0 || ::bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof(own)) != 0) {
      throw std::runtime_error("cannot bind " + path_.string());
    }
    const timeval timeout{.tv_sec = kRpcTimeout.count() / 1000, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  }
  UnixDatagramSocket(const UnixDatagramSocket&) = delete;
  UnixDatagramSocket& operator=(const UnixDatagramSocket&) = delete;
  ~UnixDatagramSocket() {
    ::close(fd_);
    std::filesystem::remove(path_);
  }

  std::string ask(const std::filesystem::path& server, const std::string& question) const {
    const sockaddr_un to = unix_address(server);
    if (::sendto(fd_, question.data(), question.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) < 0) {
      throw std::runtime_error("cannot send to " + server.string());
    }
    std::array<char, 65536> answer{};
    const ssize_t size = ::recv(fd_, answer.data(), answer.size(), 0);
    if (size < 0) {
      throw std::runtime_error("no answer from " + server.string());
    }
    return {answer.data(), static_cast<std::size_t>(size)};
  }

 private:
  std::filesystem::path path_;
  int fd_;
};

}  // namespace

bool answers_options(const std::string& address, std::uint16_t port, std::chrono::milliseconds timeout) {
  const Endpoint server{address, port};
  UdpSocket socket(Endpoint{"127.0.0.1", 0});
  const std::string own = socket.own().text();
  socket.send("OPTIONS sip:" + server.text() + " SIP/2.0\r\nVia: SIP/2.0/UDP " + own +
                  ";branch=z9hG4bKalive\r\nFrom: <sip:test@" + own + ">;tag=1\r\nTo: <sip:" + server.text() +
                  ">\r\nCall-ID: alive-" + own + "\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
              server);
  const auto answer = socket.receive(timeout);
  return answer && SipText(answer->bytes).status() == 200;
}

KamailioServer::KamailioServer(Options options) : options_(std::move(options)) {
  if (options_.parkd_port == 0) {
    options_.parkd_port = static_cast<std::uint16_t>(options_.base_port + 2);
  }
  std::filesystem::create_directories(options_.directory);
  start();
}

std::string KamailioServer::outside() const {
  return options_.address + ":" + std::to_string(port());
}

void KamailioServer::write_configuration() const {
  const TemplateValues parkd = {
      {"kamailio_inside_address", options_.address},
      {"kamailio_inside_port", std::to_string(inside_port())},
      {"kamailio_parkd_address", options_.parkd_address},
      {"kamailio_parkd_port", std::to_string(options_.parkd_port)},
  };
  TemplateValues values = {
      {"kamailio_address", options_.address},
      {"kamailio_advertised_address", options_.advertised_address},
      {"kamailio_hep_address", options_.hep_address},
      {"kamailio_port", std::to_string(port())},
      {"kamailio_parkd_list", (options_.directory / "parkd.list").string()},
      {"kamailio_secrets_file", (options_.directory / "kamailio_secrets.cfg").string()},
      {"kamailio_run_dir", options_.directory.string()},
      {"kamailio_state_dir", options_.directory.string()},
      {"kamailio_cfg_dir", (source_directory() / "kamailio-cfg").string()},
      {"kamailio_udp_workers", std::to_string(options_.udp_workers)},
  };
  values.insert(parkd.begin(), parkd.end());
  std::string text = "#!KAMAILIO\n";
  for (const auto& line : options_.defines) text += line + "\n";
  write_file(options_.directory / "kamailio.cfg", text + render("kamailio.cfg", values));
  write_file(options_.directory / "kamailio_secrets.cfg",
             render("kamailio_secrets.cfg",
                    {{"kamailio_db_url", options_.database_url}, {"kamailio_secret", "a secret of the tests"}}));
  write_file(options_.directory / "parkd.list", render("parkd.list", parkd));
}

void KamailioServer::start() {
  if (process_.running()) {
    return;
  }
  write_configuration();
  const std::string directory = options_.directory.string();
  Subprocess::Options process;
  process.command = {"kamailio",
                     "-f",
                     directory + "/kamailio.cfg",
                     "-DD",
                     "-E",
                     "-m",
                     std::to_string(options_.shared_memory_mb),
                     "-M",
                     "8",
                     "-Y",
                     directory,
                     "-w",
                     directory,
                     "-x",
                     "fm",
                     "-X",
                     "fm"};
  process.output = options_.directory / "kamailio.log";
  process.environment = options_.environment;
  process.environment.push_back("MYSQL_UNIX_PORT=" + options_.database_socket.string());
  process_ = Subprocess(std::move(process));
  const bool up = wait_until(kStartTimeout, [this] {
    return !process_.running() || answers_options(options_.address, port(), kOptionsTimeout);
  });
  if (!up || !process_.running()) {
    process_.kill_now();
    throw std::runtime_error("kamailio does not start:\n" + tail(log(), 4000));
  }
}

void KamailioServer::stop() {
  process_.terminate();
}

void KamailioServer::restart() {
  stop();
  start();
}

void KamailioServer::kill9() {
  process_.kill_now();
}

void KamailioServer::forget_journal() const {
  for (const char* journal : {"call_journal.0", "call_journal.1"}) std::filesystem::remove(directory() / journal);
}

void KamailioServer::wait_edits_read(const MariadbServer& database) {
  if (!running()) {
    return;
  }
  const std::string sum = database.value("SELECT SUM(revision) FROM callpark.tenant_revisions");
  wait_until(kSoon,
             [&] { return rpc("htable.get", R"(["directory","sum"])").find("\"" + sum + "\"") != std::string::npos; });
}

std::string KamailioServer::log() const {
  return read_file(options_.directory / "kamailio.log");
}

std::string KamailioServer::rpc(const std::string& method, const std::string& params) const {
  const UnixDatagramSocket socket(options_.directory / "rpc_client.sock");
  return socket.ask(options_.directory / "kamailio_rpc.sock",
                    R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}");
}

}  // namespace callpark::test
