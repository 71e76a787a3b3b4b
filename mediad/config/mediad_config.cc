#include "mediad/config/mediad_config.h"

#include <arpa/inet.h>

#include <filesystem>
#include <utility>

namespace callpark {
namespace {

constexpr Duration kSecond{1000};

bool is_v6(const std::string& host) {
  return host.find(':') != std::string::npos;
}

// 224.0.0.0/4 and what follows, ff00::/8: no host has such an address.
bool is_multicast_or_above(const std::string& host) {
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 28 >= 0xe;
  in6_addr six{};
  return inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_MULTICAST(&six);
}

bool read_host(const std::string& text, std::string& into) {
  const auto address = SocketAddress::parse(is_v6(text) ? "[" + text + "]:1" : text + ":1");
  if (!address || address->is_unix()) return false;
  into = address->host();
  return into != "0.0.0.0" && into != "::" && !is_multicast_or_above(into);
}

void describe_process(ConfigReader& table, MediadConfig& config) {
  table.choice("log_level", config.log_level, "info",
               {{"debug", LogLevel::kDebug},
                {"info", LogLevel::kInfo},
                {"warning", LogLevel::kWarning},
                {"error", LogLevel::kError},
                {"off", LogLevel::kOff}},
               "Least severe level that is logged; off logs nothing.");
  table.live();
  table.text("prompts_dir", config.prompts_dir, "/usr/share/callpark/prompts", {.length_max = 4000},
             "Directory of the spoken sentences and digits, LANGUAGE/NAME.wav. A replaced file is used from the next "
             "call on.");
}

void describe_control(ConfigReader& table, MediadConfig::Control& control) {
  table.section("control", "Control connection from parkd.");
  table.address("control.listen", control.listen, "unix:/run/callpark/mediad.sock",
                "Listening address of the control socket. Unauthenticated: a client may play to any party; use a unix "
                "socket or a private address only.");
  table.number("control.connections_max", control.connections_max, 16, 1, 1000,
               "Maximum number of concurrent control connections; more are refused.");
}

void describe_rtp(ConfigReader& table, MediadConfig::Rtp& rtp) {
  table.section("rtp", "RTP and RTCP.");
  table.row("rtp.address", "127.0.0.1", "a numeric IP address of this host, not 0.0.0.0, :: or multicast",
            "Local RTP address, announced to the parties in SDP.",
            [&rtp](const std::string& text) { return read_host(text, rtp.address); });
  table.row("rtp.advertised_address", "", "a numeric IP address of the family of rtp.address, or empty",
            "Address in SDP instead of rtp.address, if a 1:1 NAT leads from it to there. Empty: none.",
            [&rtp](const std::string& text) {
              rtp.advertised_address.clear();
              return text.empty() || read_host(text, rtp.advertised_address);
            });
  table.number("rtp.port_min", rtp.port_min, 15060, 1024, 65534, "Lowest RTP port; must be even.");
  table.number("rtp.port_max", rtp.port_max, 20059, 1025, 65535,
               "Highest RTP or RTCP port. Each session uses an even port for RTP and the next one for RTCP.");
  table.number("rtp.dscp", rtp.dscp, 46, 0, 63, "DSCP of outgoing packets; 46 is expedited forwarding.");
  table.boolean(
      "rtp.learn_remote", rtp.learn_remote, true,
      "If true, mediad may latch onto the address that the first packets of a party behind a NAT come from: once per "
      "signalled address, and only for parties that parkd reports to be behind a NAT. All others get their music at "
      "the "
      "signalled address.");
  table.duration(
      "rtp.silent_remote_seconds", rtp.silent_remote, 60, 0, 86400, kSecond,
      "mediad stops sending to a party that has sent neither RTP nor RTCP for this long since the call was "
      "set up, and goes on when a packet comes. A session has three such times for addresses that stay silent. "
      "Phones that are muted or suppress silence report by RTCP "
      "every 5 s, some gateways every 30 s. A party on hold is not timed. 0 disables it.");
  table.number("rtp.sender_threads", rtp.sender_threads, 1, 1, 64,
               "Number of sending threads, at most the number of processors. One serves more than 2,000 sessions.");
  table.number("rtp.sender_nice", rtp.sender_nice, -10, -20, 19,
               "Nice value of the sending threads, if the system allows it.");
}

void describe_music(ConfigReader& table, MediadConfig::Music& music) {
  table.section("music", "Music on hold for parked callers: WAV files (PCM, float, A-law, mu-law), 8 to 48 kHz.");
  table.list(
      "music.default", {"/usr/share/asterisk/moh"}, "a file or a directory",
      "Files, or directories of files, of the music class \"default\".", [&music] { music.default_class.clear(); },
      [&music](const std::string& text) {
        music.default_class.push_back(text);
        return !text.empty();
      });
  table.text("music.classes_dir", music.classes_dir, "", {.may_be_empty = true, .length_max = 4000},
             "Directory with one subdirectory per music class, named like the class. A class is read on first use, so "
             "a new one needs no restart. Empty: only the class \"default\".");
}

void describe_texts(ConfigReader& table, MediadConfig::Texts& texts) {
  table.section("texts", "Texts of menus and announcements: each is spoken once, into a file that later calls play.");
  table.text("texts.dir", texts.directory, "/var/cache/callpark/texts", {.length_max = 4000},
             "Directory of the spoken texts, LANGUAGE/text_*.wav. mediad makes it with the first text, and needs write "
             "access. It may be emptied at any time.");
  table.text("texts.command", texts.command, "/usr/share/callpark/speak_text", {.length_max = 4000},
             "Path of the program that speaks a text; tools/speak_text of callpark is one. Its arguments are the "
             "language and the path of the WAV file to write, in a directory that it may use for other files; the text "
             "is its standard input, in UTF-8. No shell is involved.");
  table.live();
  table.number("texts.max_mb", texts.megabytes_max, 200, 1, 1'000'000,
               "Maximum size of all spoken texts in megabytes; those that were used longest ago are removed. Ten "
               "seconds are a third of a megabyte.");
  table.live();
  table.duration("texts.seconds_max", texts.time_max, 8, 1, 600, kSecond,
                 "Maximum duration of the program for one text; then it is killed. Two run at once. parkd waits for 10 "
                 "s.");
  table.live();
}

void describe_sessions(ConfigReader& table, MediadConfig::Sessions& sessions) {
  table.section("sessions", "Limits of media sessions.");
  table.number("sessions.max", sessions.max, 5000, 1, 30'000,
               "Maximum number of concurrent sessions; more are refused.");
  table.live();
  table.duration("sessions.unclaimed_seconds", sessions.unclaimed, 300, 1, 86400, kSecond,
                 "Lifetime of a session after its connection to parkd is lost. The music continues meanwhile; parkd "
                 "keeps the session by opening it again within this time.");
  table.live();
  table.duration("sessions.no_rtp_seconds", sessions.no_rtp, 30, 0, 86400, kSecond,
                 "RTP timeout: mediad notifies parkd when a party that has sent RTP sends none for this long. 0 "
                 "disables it.");
}

void describe_http(ConfigReader& table, MediadConfig::Http& http) {
  table.section("http", "HTTP for an operator's tools.");
  table.row("http.listen", "", "a numeric address and port (127.0.0.1:8081), or empty",
            "Listening address of GET /metrics, which Prometheus reads. Unauthenticated: use a private address only. "
            "Empty: mediad serves no HTTP.",
            [&http](const std::string& text) {
              const auto address = SocketAddress::parse(text);
              http.listen = address ? std::optional(*address) : std::nullopt;
              return text.empty() || (address && !address->is_unix());
            });
}

void describe(ConfigReader& table, MediadConfig& config) {
  describe_process(table, config);
  describe_control(table, config.control);
  describe_rtp(table, config.rtp);
  describe_music(table, config.music);
  describe_texts(table, config.texts);
  describe_sessions(table, config.sessions);
  describe_http(table, config.http);
}

std::string fault_of(const MediadConfig::Rtp& rtp) {
  if (rtp.port_min % 2 != 0) return "rtp.port_min must be even";
  if (rtp.port_max <= rtp.port_min) return "rtp.port_max must be greater than rtp.port_min";
  if (!rtp.advertised_address.empty() && is_v6(rtp.advertised_address) != is_v6(rtp.address)) {
    return "rtp.advertised_address must be of the same IP family as rtp.address";
  }
  return {};
}

template <class Read>
Result<MediadConfig, std::vector<ConfigError>> read_config(const std::string& name, Read read) {
  MediadConfig config;
  ConfigReader table;
  describe(table, config);
  std::vector<ConfigError> errors = read(table);
  config.read_from = table.texts();
  if (errors.empty()) {
    std::string fault = fault_of(config.rtp);
    if (!fault.empty()) errors.push_back({name, 0, std::move(fault)});
  }
  if (!errors.empty()) return failure(std::move(errors));
  return config;
}

}  // namespace

Result<MediadConfig, std::vector<ConfigError>> read_mediad_config_file(const std::string& path) {
  return read_config(path, [&path](ConfigReader& table) { return table.read_file(path); });
}

Result<MediadConfig, std::vector<ConfigError>> read_mediad_config_text(const std::string& text,
                                                                       const std::string& name) {
  return read_config(name, [&](ConfigReader& table) { return table.read_text(text, name); });
}

std::optional<ConfigError> missing_directory(const MediadConfig& config, const std::string& name) {
  std::error_code ignored;
  if (std::filesystem::is_directory(config.prompts_dir, ignored)) return std::nullopt;
  return ConfigError{name, 0,
                     "prompts_dir: there is no directory " + config.prompts_dir + ", and no sentence can be spoken"};
}

std::vector<ConfigError> check_mediad_config_file(const std::string& path) {
  const auto config = read_mediad_config_file(path);
  if (!config) return config.error();
  std::vector<ConfigError> errors;
  if (auto missing = missing_directory(*config, path)) errors.push_back(*std::move(missing));
  const SocketAddress rtp = SocketAddress::ip(config->rtp.address, config->rtp.port_min);
  for (const auto& [key, address] : {std::pair("control.listen", config->control.listen), {"rtp.address", rtp}}) {
    if (address.is_of_this_host()) continue;
    errors.push_back({path, 0, std::string(key) + ": " + address.host() + " is no address of this host"});
  }
  return errors;
}

ConfigChanges reload(MediadConfig& running, const MediadConfig& read) {
  ConfigReader table;
  describe(table, running);
  ConfigChanges changes = table.reload(running.read_from, read.read_from);
  running.read_from = table.texts();
  return changes;
}

std::string mediad_config_example() {
  MediadConfig config;
  ConfigReader table;
  describe(table, config);
  return table.example();
}

}  // namespace callpark
