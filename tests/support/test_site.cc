#include "tests/support/test_site.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <iostream>
#include <stdexcept>

#include "tests/support/source_directory.h"
#include "tests/support/tone.h"

namespace callpark::test {
namespace {

// Ports of the block's RTP range: mediad's first, then baresip's, which binds to every address at once, then those of
// linphone, which does not look for another port when one is in use.
constexpr uint16_t kMediadPorts = PortBlock::kRtpPorts / 2;
// What waiting callers hear; none of the parties' tones. Real music has rests: 8 s at the end of Debian's first file.
constexpr int kMusicHz = 335;
constexpr uint16_t kBaresipPorts = PortBlock::kRtpPorts / 4;

// Spoken once, and again when the sentences have changed; a second test program waits for the first.
std::filesystem::path spoken_prompts() {
  auto folder = program_directory() / "prompts";
  const int lock = open((folder.string() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  flock(lock, LOCK_EX);
  const auto program = source_directory() / "tools/build_prompts";
  const auto marker = folder / "spoken";
  const auto is_spoken_since = [&marker](const std::filesystem::path& script) {
    return std::filesystem::last_write_time(marker) >= std::filesystem::last_write_time(script);
  };
  const bool is_new = std::filesystem::exists(marker) && is_spoken_since(program) &&
                      is_spoken_since(program.parent_path() / "speak_text");
  if (!is_new) {
    const auto result = run_command({program.string(), "--force", folder.string(), "en"}, std::chrono::minutes(2));
    if (result.exit_code != 0) throw std::runtime_error("build_prompts: " + result.output);
    write_file(marker, "");
  }
  close(lock);
  return folder;
}

bool unix_socket_answers(const std::filesystem::path& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

std::string last_lines(const std::string& text, size_t bytes = 4000) {
  return text.size() <= bytes ? text : "...\n" + text.substr(text.find('\n', text.size() - bytes) + 1);
}

}  // namespace

Daemon::Daemon(std::string program, std::filesystem::path config, std::filesystem::path log)
    : program_(std::move(program)), config_(std::move(config)), log_(std::move(log)) {}

void Daemon::start() {
  process_ = Subprocess(
      {.command = {(program_directory() / program_).string(), "--config", config_.string()}, .output = log_});
}

TestSite::TestSite(Options options)
    : options_(std::move(options)),
      trace_(ports_.base(), static_cast<uint16_t>(ports_.base() + PortBlock::kWindow - 1)) {
  const auto own = [this](int offset) { return Endpoint{"127.0.0.1", static_cast<uint16_t>(ports_.base() + offset)}; };
  trace_.call_it(own(0), "kamailio");
  trace_.call_it(own(1), "kamailio inside");
  trace_.call_it(own(2), "parkd");
  trace_.call_it({trunk_address_.text(), 0}, "trunk");

  if (options_.database) {
    database().execute("INSERT INTO trunks (tenant, trunk, address, port) VALUES ('demo.callpark', '" +
                       options_.node_name + "', '" + trunk_address_.text() + "', " + std::to_string(port()) + ")");
  } else {
    database_ = std::make_unique<MariadbServer>(
        MariadbServer::Options{.directory = directory() / "mariadb", .sip_port = ports_.base()});
    database().execute("UPDATE trunks SET address = '" + trunk_address_.text() + "'");
  }
  if (options_.with_mediad) start_mediad();
  if (options_.with_parkd) start_parkd();
  KamailioServer::Options kamailio;
  kamailio.base_port = ports_.base();
  kamailio.directory = directory() / "kamailio";
  kamailio.database_socket = database().socket();
  kamailio_ = std::make_unique<KamailioServer>(kamailio);
  database().watch_edits(this, [this] { kamailio_->wait_edits_read(database()); });
  trunk_ =
      std::make_unique<SippTrunk>(Endpoint{trunk_address_.text(), ports_.base()}, outside(), directory() / "trunk");
}

TestSite::~TestSite() {
  database().watch_edits(this, {});
}

std::filesystem::path TestSite::make_prompts() const {
  if (options_.prompts.empty()) return spoken_prompts();
  auto folder = directory() / "prompts";
  std::filesystem::copy(spoken_prompts(), folder, std::filesystem::copy_options::recursive);
  for (const auto& [name, hz] : options_.prompts) write_tone_wav(folder / "en" / (name + ".wav"), hz, 16000, 1);
  return folder;
}

void TestSite::start_mediad() {
  write_tone_wav(directory() / "default.wav", kMusicHz, 16000, 10);
  std::filesystem::create_directory(directory() / "music");
  write_file(directory() / "mediad.yaml",
             render("mediad.yaml", {{"mediad_log_level", "debug"},
                                    {"mediad_prompts_dir", make_prompts().string()},
                                    {"mediad_control_listen", "unix:" + (directory() / "mediad.sock").string()},
                                    {"mediad_http_listen", ""},
                                    {"mediad_rtp_port_min", std::to_string(ports_.rtp_first())},
                                    {"mediad_rtp_port_max", std::to_string(ports_.rtp_first() + kMediadPorts - 1)},
                                    {"mediad_music_default", (directory() / "default.wav").string()},
                                    {"mediad_music_classes_dir", (directory() / "music").string()},
                                    {"mediad_texts_dir", (directory() / "texts").string()},
                                    {"mediad_texts_command", (source_directory() / "tools/speak_text").string()}}));
  mediad_ = std::make_unique<Daemon>("mediad", directory() / "mediad.yaml", directory() / "mediad.log");
  mediad_->start();
  wait_mediad_ready();
}

void TestSite::start_parkd() {
  const auto own = [this](int offset) { return "127.0.0.1:" + std::to_string(ports_.base() + offset); };
  write_file(directory() / "database_password", database().password());
  TemplateValues values = options_.parkd_values;
  values.merge(TemplateValues{{"parkd_node_name", options_.node_name},
                              {"parkd_log_level", "debug"},
                              {"parkd_sip_listen", own(2)},
                              {"parkd_kamailio_inside", own(1)},
                              {"parkd_mediad_control", "unix:" + (directory() / "mediad.sock").string()},
                              {"parkd_database_socket", database().socket().string()},
                              {"parkd_database_password_file", (directory() / "database_password").string()},
                              {"parkd_http_listen", own(3)}});
  write_file(directory() / "parkd.yaml", render("parkd.yaml", values) + options_.parkd_settings);
  parkd_ = std::make_unique<Daemon>("parkd", directory() / "parkd.yaml", directory() / "parkd.log");
  parkd_->start();
  wait_parkd_ready();
}

void TestSite::wait_mediad_ready() {
  const bool ready =
      wait_until(kSoon, [this] { return unix_socket_answers(directory() / "mediad.sock") || !mediad_->running(); });
  if (!ready || !mediad_->running()) throw std::runtime_error("mediad does not answer:\n" + mediad_->log());
}

void TestSite::wait_parkd_ready() {
  const bool ready = wait_until(kSoon, [this] { return parkd_http("/health").status == 200 || !parkd_->running(); });
  if (!ready || !parkd_->running()) throw std::runtime_error("parkd does not answer:\n" + parkd_->log());
}

TestSite::HttpAnswer TestSite::parkd_http(const std::string& path) const {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{2, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const sockaddr_in address = to_sockaddr({"127.0.0.1", static_cast<uint16_t>(ports_.base() + 3)});
  std::string text;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: parkd\r\nConnection: close\r\n\r\n";
    send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    char chunk[4096];
    for (ssize_t got = recv(fd, chunk, sizeof chunk, 0); got > 0; got = recv(fd, chunk, sizeof chunk, 0)) {
      text.append(chunk, static_cast<size_t>(got));
    }
  }
  close(fd);
  const auto body = text.find("\r\n\r\n");
  if (body == std::string::npos) return {};
  return {std::atoi(text.c_str() + text.find(' ') + 1), text.substr(body + 4)};
}

PhoneOptions TestSite::phone(const std::string& user, int party) {
  phone_addresses_.emplace_back();
  const std::string address = phone_addresses_.back().text();
  const auto folder = directory() / ("phone-" + user + "-" + address);
  std::filesystem::create_directory(folder);
  trace_.call_it({address, 0}, user);
  return {.user = user,
          .password = "demo-" + user,
          .registrar_address = "127.0.0.1",
          .registrar_port = port(),
          .address = address,
          .rtp_first = static_cast<uint16_t>(ports_.rtp_first() + kMediadPorts),
          .rtp_last = static_cast<uint16_t>(ports_.rtp_first() + kMediadPorts + kBaresipPorts - 1),
          .tone = tone_hz(party),
          .directory = folder};
}

std::unique_ptr<BaresipPhone> TestSite::baresip(PhoneOptions options) {
  auto phone = std::make_unique<BaresipPhone>(std::move(options));
  phone->wait_registered();
  return phone;
}

std::unique_ptr<LinphonePhone> TestSite::linphone(PhoneOptions options) {
  options.rtp_first = static_cast<uint16_t>(options.rtp_last + 1);
  options.rtp_last = ports_.rtp_last();
  auto phone = std::make_unique<LinphonePhone>(std::move(options));
  phone->wait_registered();
  return phone;
}

std::unique_ptr<PacketPhone> TestSite::packet_phone(const std::string& user, int party, bool auto_answer,
                                                    bool has_video) {
  phone_addresses_.emplace_back();
  const std::string address = phone_addresses_.back().text();
  trace_.call_it({address, 0}, user);
  PacketPhone::Options options;
  options.user = user;
  options.password = "demo-" + user;
  options.address = address;
  options.proxy = outside();
  options.tone = tone_hz(party);
  options.auto_answer = auto_answer;
  options.has_video = has_video;
  auto phone = std::make_unique<PacketPhone>(options);
  phone->register_phone();
  return phone;
}

std::unique_ptr<PacketPhone> TestSite::trunk_caller(int party, const std::string& from) {
  PacketPhone::Options options;
  options.from = from;
  options.user = "+4420794600" + std::to_string(party);
  options.domain = trunk_address_.text();
  options.address = trunk_address_.text();
  options.port = next_trunk_port_++;
  options.proxy = outside();
  options.tone = tone_hz(party % kParties);
  return std::make_unique<PacketPhone>(options);
}

std::string TestSite::account(SipTrace::Clock::time_point since) const {
  std::string text = "---- SIP\n" + trace_.text(since);
  if (parkd_) text += "---- parkd\n" + last_lines(parkd_->log());
  if (mediad_) text += "---- mediad\n" + last_lines(mediad_->log());
  if (kamailio_) text += "---- kamailio\n" + last_lines(kamailio_->log());
  return text;
}

std::unique_ptr<TestSite> SiteTest::site_;

void SiteTest::SetUpTestSuite() {
  start_site({});
}
void SiteTest::start_site(TestSite::Options options) {
  site_ = std::make_unique<TestSite>(std::move(options));
}
void SiteTest::TearDownTestSuite() {
  site_.reset();
}
void SiteTest::SetUp() {
  began_ = SipTrace::Clock::now();
}

void SiteTest::TearDown() {
  if (!HasFailure()) {
    if (getenv("CALLPARK_LADDER") != nullptr) std::cerr << site_->trace().text(began_);
    return;
  }
  std::cerr << site_->account(began_);
  write_file(site_->directory() / "messages.txt", site_->trace().full_text(began_));
  site_->keep_directory();
}

}  // namespace callpark::test
