// A real mediad with its own directory, sounds and ports, and a client of its protocol, for tests.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <deque>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

#include "media_protocol/codec.h"
#include "tests/support/port_block.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tone.h"
#include "tests/support/udp_socket.h"
#include "tests/support/wait.h"

namespace callpark::test {

/// One connection to mediad's control socket. Every wait ends after kSoon with an exception.
class MediadClient {
 public:
  explicit MediadClient(const std::filesystem::path& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(fd_);
      throw std::runtime_error("cannot connect to " + path.string());
    }
  }
  MediadClient(const MediadClient&) = delete;
  MediadClient& operator=(const MediadClient&) = delete;
  ~MediadClient() { close(fd_); }

  void send_bytes(const std::string& bytes) { (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  /// The next line; empty when mediad has closed the connection.
  std::optional<std::string> read_line() {
    for (;;) {
      const auto end = received_.find('\n');
      if (end != std::string::npos) {
        std::string line = received_.substr(0, end);
        received_.erase(0, end + 1);
        return line;
      }
      timeval timeout{kSoon.count() / 1000, 0};
      setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
      char bytes[65536];
      const auto count = recv(fd_, bytes, sizeof bytes, 0);
      if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) throw std::runtime_error("mediad does not answer");
      if (count <= 0) return std::nullopt;
      received_.append(bytes, static_cast<std::size_t>(count));
    }
  }

  Result<media::Answer, media::RpcError> ask(const media::Request& request) {
    const std::int64_t id = next_id_++;
    send_bytes(media::encode_request(id, request) + "\n");
    for (;;) {
      auto message = next_message([&](std::int64_t) { return request.index(); });
      if (auto* response = std::get_if<media::Response>(&message)) {
        if (response->id == id) return response->answer;
      } else {
        notifications_.push_back(std::get<media::Notification>(message));
      }
    }
  }

  /// The answer of the type that belongs to the request; throws mediad's error.
  template <class T>
  T get(const media::Request& request) {
    auto answer = ask(request);
    if (!answer) throw std::runtime_error("mediad refuses: " + answer.error().message);
    return std::get<T>(*answer);
  }

  media::Notification next_notification() {
    while (notifications_.empty()) {
      auto message = next_message([](std::int64_t) { return std::nullopt; });
      notifications_.push_back(std::get<media::Notification>(message));
    }
    media::Notification first = notifications_.front();
    notifications_.pop_front();
    return first;
  }

 private:
  media::MessageFromMediad next_message(const media::RequestIndexOfId& index_of_id) {
    const auto line = read_line();
    if (!line) throw std::runtime_error("mediad has closed the connection");
    auto message = media::decode_message_from_mediad(*line, index_of_id);
    if (!message) throw std::runtime_error("mediad sent nonsense: " + *line);
    return *message;
  }

  int fd_;
  std::string received_;
  std::int64_t next_id_ = 1;
  std::deque<media::Notification> notifications_;
};

struct RtpArrival {
  std::uint8_t payload_type;
  bool marker;
  std::uint16_t sequence;
  std::uint32_t timestamp;
  std::uint32_t ssrc;
  std::string payload;
  std::chrono::system_clock::time_point when;
  Endpoint from;
};

/// A phone's ear at an address of its own.
class Ear {
 public:
  Ear() : socket_({address_.text(), 0}) {}

  media::Endpoint endpoint() const { return {socket_.own().address, socket_.own().port}; }
  UdpSocket& socket() { return socket_; }

  RtpArrival next() {
    const auto datagram = socket_.receive(kSoon);
    if (!datagram || datagram->bytes.size() < 12) throw std::runtime_error("no RTP comes");
    const auto byte = [&](std::size_t at) {
      return static_cast<std::uint32_t>(static_cast<std::uint8_t>(datagram->bytes[at]));
    };
    const auto word = [&](std::size_t at) {
      return byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3);
    };
    return {static_cast<std::uint8_t>(byte(1) & 0x7F),
            byte(1) >> 7 != 0,
            static_cast<std::uint16_t>(word(0)),
            word(4),
            word(8),
            datagram->bytes.substr(12),
            datagram->arrived,
            datagram->from};
  }
  std::vector<RtpArrival> next(std::size_t count) {
    std::vector<RtpArrival> arrivals;
    while (arrivals.size() < count) arrivals.push_back(next());
    return arrivals;
  }
  /// Whether nothing comes for so long.
  bool is_quiet_for(std::chrono::milliseconds duration) { return !socket_.receive(duration); }
  /// Forgets what has come already.
  void drain() {
    while (socket_.receive(std::chrono::milliseconds(0))) {
    }
  }

 private:
  LoopbackAddress address_;
  UdpSocket socket_;
};

inline Sound decode(const std::vector<RtpArrival>& arrivals, std::int16_t (*decode_sample)(std::uint8_t)) {
  Sound sound;
  for (const RtpArrival& arrival : arrivals) {
    for (const char code : arrival.payload) sound.samples.push_back(decode_sample(static_cast<std::uint8_t>(code)));
  }
  return sound;
}

class Mediad : public testing::Test {
 protected:
  static constexpr int kSessionsMax = 20;
  static constexpr int kMusicHz = tone_hz(0);
  static constexpr int kJazzHz = tone_hz(15);
  static constexpr int kSentenceHz = tone_hz(13);
  static constexpr int kStarHz = tone_hz(11);
  static constexpr int digit_hz(int digit) { return tone_hz(1 + digit); }

  /// `more_rtp` is added to the settings of the section rtp.
  explicit Mediad(const std::string& more_rtp = "") {
    const auto& dir = directory_.path();
    std::filesystem::create_directories(dir / "moh");
    std::filesystem::create_directories(dir / "classes" / "jazz");
    std::filesystem::create_directories(dir / "prompts" / "en");
    write_tone_wav(dir / "moh" / "music.wav", kMusicHz, 8000, 4);
    write_tone_wav(dir / "classes" / "jazz" / "jazz.wav", kJazzHz, 16000, 4);
    write_prompt("call_parked", kSentenceHz, 1);
    write_prompt("digit_star", kStarHz, 1);
    for (int digit = 0; digit <= 9; ++digit) write_prompt("digit_" + std::to_string(digit), digit_hz(digit), 1);
    write_file(config(),
               "log_level: debug\n"
               "prompts_dir: " +
                   (dir / "prompts").string() +
                   "\n"
                   "control: {listen: \"unix:" +
                   socket().string() +
                   "\", connections_max: 3}\n"
                   "rtp: {port_min: " +
                   std::to_string(ports_.rtp_first()) + ", port_max: " + std::to_string(ports_.rtp_last()) + more_rtp +
                   "}\n"
                   "music: {default: [" +
                   (dir / "moh").string() + "], classes_dir: " + (dir / "classes").string() +
                   "}\n"
                   "texts: {dir: " +
                   texts().string() + ", command: " + text_command().string() +
                   ", seconds_max: 60}\n"
                   "sessions: {unclaimed_seconds: 1, no_rtp_seconds: 1, max: " +
                   std::to_string(kSessionsMax) +
                   "}\n"
                   "http: {listen: \"127.0.0.1:" +
                   std::to_string(ports_.base()) + "\"}\n");
    start();
  }
  ~Mediad() override {
    if (HasFailure()) std::fputs(process_.output().c_str(), stderr);
  }

  std::filesystem::path socket() const { return directory_.path() / "mediad.sock"; }
  std::filesystem::path config() const { return directory_.path() / "mediad.yaml"; }
  std::filesystem::path texts() const { return directory_.path() / "texts"; }
  /// Not there, unless the test writes it.
  std::filesystem::path text_command() const { return directory_.path() / "speak_text"; }

  void write_prompt(const std::string& name, int hz, int seconds) {
    write_tone_wav(directory_.path() / "prompts" / "en" / (name + ".wav"), hz, 8000, seconds);
  }

  void start() {
    Subprocess::Options options;
    options.command = {(program_directory() / "mediad").string(), "--config", config().string()};
    options.output = directory_.path() / "mediad.log";
    process_ = Subprocess(options);
    client_.reset();
    require_until(
        kSoon, [this] { return connect(); }, "mediad to listen");
  }
  bool connect() {
    try {
      client_ = std::make_unique<MediadClient>(socket());
      return client_->get<media::HelloResult>(media::Hello{"test"}).protocol == media::kProtocolVersion;
    } catch (const std::runtime_error&) {
      return false;
    }
  }
  MediadClient& client() { return *client_; }

  /// A value of GET /metrics.
  double metric(const std::string& name) {
    const auto page =
        run_command({"curl", "--silent", "--fail", "http://127.0.0.1:" + std::to_string(ports_.base()) + "/metrics"});
    const auto at = page.output.find("\n" + name + " ");
    if (at == std::string::npos) throw std::runtime_error("no " + name + " in " + page.output);
    return std::stod(page.output.substr(at + name.size() + 2));
  }

  static media::Codec codec(media::CodecName name, std::uint8_t payload_type) {
    return {name, payload_type, name == media::CodecName::kOpus ? 48000 : 8000, std::uint8_t{101}};
  }
  static media::Codec pcmu() { return codec(media::CodecName::kPcmu, 0); }

  static media::SessionOpen request(const std::string& session, const Ear& ear, media::Play play,
                                    const media::Codec& codec = pcmu()) {
    media::SessionOpen open{.session = session};
    open.remote = ear.endpoint();
    open.codec = codec;
    open.play = std::move(play);
    return open;
  }
  media::SessionOpenResult open(const media::SessionOpen& request) {
    return client().get<media::SessionOpenResult>(request);
  }

  TempDir directory_{"mediad"};
  PortBlock ports_;
  Subprocess process_;
  std::unique_ptr<MediadClient> client_;
};

}  // namespace callpark::test
