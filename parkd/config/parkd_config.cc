#include "parkd/config/parkd_config.h"

#include <filesystem>
#include <optional>
#include <sstream>
#include <utility>

#include "base/secret_file.h"

namespace callpark {
namespace {

constexpr Duration kMs{1};
constexpr Duration kSecond{1000};

std::optional<SocketAddress> parse_ip(const std::string& text) {
  const auto address = SocketAddress::parse(text);
  if (!address || address->is_unix() || address->port() == 0) return std::nullopt;
  return *address;
}

bool is_unspecified(const SocketAddress& address) {
  return address.host() == "0.0.0.0" || address.host() == "::";
}

// Via and Contact carry sip.listen, and requests go to kamailio.inside, so each must be the address of one host.
void own_address(ConfigReader& table, std::string key, SocketAddress& into, std::string default_value,
                 std::string help) {
  table.row(std::move(key), std::move(default_value),
            "a numeric IP address of one host and a port (127.0.0.1:5062), not 0.0.0.0 or [::]", std::move(help),
            [&into](const std::string& text) {
              const auto address = parse_ip(text);
              if (address) into = *address;
              return address && !is_unspecified(*address);
            });
}

void peers(ConfigReader& table, std::string key, std::vector<std::string>& into, std::string help) {
  table.list(
      std::move(key), {"127.0.0.1"}, "a numeric IP address without a port", std::move(help), [&into] { into.clear(); },
      [&into](const std::string& text) {
        const bool is_v6 = text.find(':') != std::string::npos;
        const auto address = SocketAddress::parse(is_v6 ? "[" + text + "]:1" : text + ":1");
        if (!address || address->is_unix() || is_unspecified(*address)) return false;
        into.push_back(address->host());
        return true;
      });
}

void permitted_networks(ConfigReader& table, std::string key, std::vector<IpNetwork>& into, std::string help) {
  table.row(std::move(key), "", "networks like 127.0.0.1 or fd00::/8 with blanks between, or empty", std::move(help),
            [&into](const std::string& text) {
              into.clear();
              std::istringstream words(text);
              for (std::string word; words >> word;) {
                const auto network = IpNetwork::parse(word);
                if (!network) return false;
                into.push_back(*network);
              }
              return true;
            });
}

void describe_process(ConfigReader& table, ParkdConfig& config) {
  table.text("node_name", config.node_name, "parkd1", {.length_max = 64},
             "Unique name of this parkd among all that share the database. The rows of its calls carry the name, and "
             "after a restart it recovers the calls of that name. Two running parkd must not have the same name.");
  table.required();
  table.choice("log_level", config.log_level, "info",
               {{"debug", LogLevel::kDebug},
                {"info", LogLevel::kInfo},
                {"warning", LogLevel::kWarning},
                {"error", LogLevel::kError},
                {"off", LogLevel::kOff}},
               "Least severe level that is logged; off logs nothing.");
  table.live();
}

void describe_sip(ConfigReader& table, ParkdConfig::Sip& sip) {
  table.section("sip", "SIP between parkd and Kamailio, which is parkd's only SIP peer.");
  own_address(table, "sip.listen", sip.listen, "127.0.0.1:5062", "Listening address of parkd, for UDP and TCP.");
  table.duration("sip.t1_ms", sip.t1, 500, 100, 2000, kMs,
                 "T1 of RFC 3261 17.1.1.1: round-trip time estimate and first retransmission interval.");
  table.duration("sip.t2_ms", sip.t2, 4000, 2000, 32000, kMs, "T2 of RFC 3261: maximum retransmission interval.");
  table.duration("sip.t4_ms", sip.t4, 5000, 2000, 32000, kMs,
                 "T4 of RFC 3261: maximum time that a message remains in the network.");
  table.number("sip.tcp_connections_max", sip.tcp_connections_max, 256, 1, 65535,
               "Maximum number of concurrent TCP connections; more are closed at once.");
  table.duration("sip.tcp_connect_timeout_ms", sip.tcp_connect_timeout, 5000, 100, 60000, kMs, "TCP connect timeout.");
  table.duration("sip.tcp_message_timeout_ms", sip.tcp_message_timeout, 10000, 1000, 60000, kMs,
                 "Maximum time from the first to the last byte of a message on a TCP connection.");
  table.duration("sip.tcp_idle_timeout_seconds", sip.tcp_idle_timeout, 600, 10, 86400, kSecond,
                 "TCP idle timeout: a connection without traffic for this long is closed.");
  table.duration(
      "sip.ask_talking_seconds", sip.ask_talking, 600, 10, 86400, kSecond,
      "How often each talking party without a session timer is asked by OPTIONS whether it is still there. A "
      "party that answers nothing for as long again is gone, one that cannot be reached for six times as "
      "long.");
}

void describe_kamailio(ConfigReader& table, ParkdConfig::Kamailio& kamailio) {
  table.section("kamailio", "The SIP proxy in front of parkd.");
  own_address(table, "kamailio.inside", kamailio.inside, "127.0.0.1:5061",
              "Address of Kamailio's inside socket, the next hop of every request of parkd.");
  table.choice("kamailio.transport", kamailio.transport, "udp",
               {{"udp", ParkdConfig::SipTransport::kUdp}, {"tcp", ParkdConfig::SipTransport::kTcp}},
               "Transport of parkd's requests to Kamailio. Kamailio may use either.");
  peers(table, "kamailio.peers", kamailio.peers,
        "Source addresses that SIP is accepted from; by UDP, from the address of kamailio.inside only with its port. "
        "Messages of unknown peers are dropped and counted.");
}

void describe_mediad(ConfigReader& table, ParkdConfig::Mediad& mediad) {
  table.section("mediad", "Connection to mediad, which plays music and announcements.");
  table.address("mediad.control", mediad.control, "unix:/run/callpark/mediad.sock",
                "Address of mediad's control socket.");
  table.duration("mediad.reconnect_ms", mediad.reconnect, 200, 10, 60000, kMs,
                 "Delay before parkd reconnects after a lost connection or a failed attempt.");
  table.duration("mediad.answer_timeout_ms", mediad.answer_timeout, 1000, 50, 60000, kMs,
                 "Timeout of a request to mediad.");
}

void describe_database(ConfigReader& table, ParkdConfig::Database& database) {
  table.section("database", "MariaDB or MySQL, which holds the parked calls and the tenants' settings.");
  table.text("database.socket", database.socket, "/run/mysqld/mysqld.sock", {.length_max = 107},
             "Path of the server's unix socket.");
  table.text("database.user", database.user, "callpark", "Name of the database account.");
  table.text("database.password", database.password, "", {.may_be_empty = true, .is_secret = true},
             "Password of the database account. Empty if the server authenticates by unix account.");
  table.text("database.password_file", database.password_file, "", {.may_be_empty = true, .length_max = 4095},
             "Path of a file with nothing but this password, in place of database.password.");
  table.alternative_to("database.password");
  table.text("database.database", database.database, "callpark", {.length_max = 64}, "Name of the database.");
  table.number("database.workers", database.workers, 4, 1, 64,
               "Number of worker threads; each has a connection of its own.");
  table.number("database.queue_max", database.queue_max, 1000, 1, 100000,
               "Maximum number of statements that wait for a worker. More fail at once, and the park or retrieve is "
               "refused.");
  table.number("database.park_events_days", database.park_events_days, 30, 1, 3650,
               "Retention of the rows of table park_events, in days.");
  table.live();
}

void describe_http(ConfigReader& table, ParkdConfig::Http& http) {
  table.section("http", "Metrics and health.");
  table.row("http.listen", "127.0.0.1:5063", "a numeric IP address and a port (127.0.0.1:5063)",
            "Listening address of /metrics and /health. Unauthenticated: bind to a private address only.",
            [&http](const std::string& text) {
              const auto address = parse_ip(text);
              if (address) http.listen = *address;
              return address.has_value();
            });
}

void describe_presence(ConfigReader& table, ParkdConfig::Presence& presence) {
  table.section("presence", "Lamps and phone notifications.");
  table.duration("presence.publication_seconds", presence.publication, 3600, 60, 3600, kSecond,
                 "Expiry of a lamp's publication: how long Kamailio keeps a lamp lit that no parkd refreshes.");
  table.duration(
      "presence.compare_every_ms", presence.compare_every, 3000, 200, 60000, kMs,
      "Interval at which parkd compares lamps and notifications with the database, and publishes again those "
      "that are out of sync.");
}

void describe_park(ConfigReader& table, ParkdConfig::Park& park) {
  table.section("park", "Time limits of parking that are the same for all tenants.");
  table.duration(
      "park.bye_after_refer_ms", park.bye_after_refer, 2000, 100, 32000, kMs,
      "Time that a parker's phone has to send its BYE after a successful transfer. parkd then sends the BYE.");
  table.live();
  table.duration("park.music_retry_ms", park.music_retry, 5000, 500, 60000, kMs,
                 "Delay before parkd offers music again to a parked caller's phone that refused it.");
  table.live();
  table.duration("park.announcement_max_ms", park.announcement_max, 30000, 1000, 120000, kMs,
                 "Maximum duration of an announcement. parkd continues then even if mediad reports no end.");
  table.live();
  table.duration("park.refusal_speech_max_ms", park.refusal_speech_max, 10000, 0, 60000, kMs,
                 "Maximum duration of the spoken reason before a call is refused. 0 refuses at once.");
  table.live();
  table.duration("park.already_picked_up_speech_max_ms", park.already_picked_up_speech_max, 200, 0, 60000, kMs,
                 "The same for a retriever that comes second to a parked call. The default refuses within 300 ms, so "
                 "only the beginning of the sentence is audible; raise it for the whole sentence.");
  table.live();
  table.boolean("park.retrieve_from_other_nodes", park.retrieve_from_other_nodes, false,
                "If true, a retriever on this node may retrieve calls that another node of the same database has "
                "parked. This requires that each Kamailio treats the other nodes' requests within a parked call as "
                "parkd's. The Kamailio configuration of this version does not, and such a call would be lost.");
}

void describe_call_flow(ConfigReader& table, ParkdConfig::CallFlow& call_flow) {
  table.section("call_flow", "Time limits of calls to the code of a call flow.");
  table.duration("call_flow.first_key_ms", call_flow.first_key, 10000, 1000, 60000, kMs,
                 "Time for the first digit of the PIN after the prompt. Then the prompt is repeated once.");
  table.live();
  table.duration("call_flow.next_key_ms", call_flow.next_key, 5000, 500, 60000, kMs,
                 "Time for the next digit. Then the PIN is compared as it was entered.");
  table.live();
  table.duration("call_flow.call_max_ms", call_flow.call_max, 180000, 10000, 3600000, kMs,
                 "Maximum duration of such a call. parkd ends it then.");
  table.live();
}

void describe_menu(ConfigReader& table, ParkdConfig::Menu& menu) {
  table.section("menu", "Callers in menus (ivr_menus) and at announcements.");
  table.duration("menu.call_max_ms", menu.call_max, 900000, 60000, 86400000, kMs,
                 "Maximum time in menus and at announcements until the caller talks. parkd ends the call then.");
  table.live();
}

void describe_billing(ConfigReader& table, ParkdConfig::Billing& billing) {
  table.section("billing", "Billing hooks. The hook of a tenant is a row of billing_hooks.");
  permitted_networks(
      table, "billing.permitted_networks", billing.permitted_networks,
      "Networks in which billing hooks may be although their addresses are refused otherwise: loopback, link-local "
      "and reserved addresses, and those of metadata services. Private networks need no permission.");
  table.live();
}

void describe_webhooks(ConfigReader& table, ParkdConfig::Webhooks& webhooks) {
  table.section("webhooks", "Events of parked calls, sent to subscribers. A subscriber is a row of webhooks.");
  permitted_networks(table, "webhooks.permitted_networks", webhooks.permitted_networks,
                     "The same for subscribers: networks in which they may be although their addresses are refused "
                     "otherwise.");
  table.live();
  table.text("webhooks.ca_file", webhooks.ca_file, "", {.may_be_empty = true, .length_max = 4095},
             "PEM file of the only certificate authorities that are trusted. Empty: those of the system.");
}

void describe(ConfigReader& table, ParkdConfig& config) {
  describe_process(table, config);
  describe_sip(table, config.sip);
  describe_kamailio(table, config.kamailio);
  describe_mediad(table, config.mediad);
  describe_database(table, config.database);
  describe_http(table, config.http);
  describe_presence(table, config.presence);
  describe_park(table, config.park);
  describe_call_flow(table, config.call_flow);
  describe_menu(table, config.menu);
  describe_billing(table, config.billing);
  describe_webhooks(table, config.webhooks);
}

using ReadConfig = Result<ParkdConfig, std::vector<ConfigError>>;

// Everything but a password in a file of its own.
template <class Read>
ReadConfig read_settings(const std::string& name, Read read) {
  ParkdConfig config;
  ConfigReader table;
  describe(table, config);
  auto errors = read(table);
  config.read_from = table.texts();
  if (errors.empty() && config.sip.listen == config.kamailio.inside) {
    errors.push_back({name, 0, "sip.listen and kamailio.inside are the same address; parkd would send to itself"});
  }
  if (!errors.empty()) return failure(std::move(errors));
  return config;
}

ReadConfig read_settings_file(const std::string& path) {
  return read_settings(path, [&path](ConfigReader& table) { return table.read_file(path); });
}

std::optional<ConfigError> read_password(ParkdConfig::Database& database, const std::string& name) {
  if (database.password_file.empty()) return std::nullopt;
  auto password = read_secret_file(database.password_file);
  if (!password) return ConfigError{name, 0, "database.password_file: " + password.error()};
  database.password = *std::move(password);
  return std::nullopt;
}

ReadConfig with_password(ReadConfig config, const std::string& name) {
  if (!config) return config;
  if (auto error = read_password(config->database, name)) return failure(std::vector{*std::move(error)});
  return config;
}

bool is_missing_credential(const std::string& file) {
  std::error_code ignored;
  return file.starts_with("/run/credentials/") && !std::filesystem::exists(file, ignored);
}

}  // namespace

ReadConfig read_parkd_config_file(const std::string& path) {
  return with_password(read_settings_file(path), path);
}

ReadConfig read_parkd_config_text(const std::string& text, const std::string& name) {
  return with_password(read_settings(name, [&](ConfigReader& table) { return table.read_text(text, name); }), name);
}

std::vector<ConfigError> check_parkd_config_file(const std::string& path) {
  auto config = read_settings_file(path);
  if (!config) return std::move(config.error());
  std::vector<ConfigError> errors;
  if (!is_missing_credential(config->database.password_file)) {
    if (auto error = read_password(config->database, path)) errors.push_back(*std::move(error));
  }
  for (const auto& [key, address] :
       {std::pair("sip.listen", config->sip.listen), {"http.listen", config->http.listen}}) {
    if (address.is_of_this_host()) continue;
    errors.push_back({path, 0, std::string(key) + ": " + address.host() + " is no address of this host"});
  }
  return errors;
}

ConfigChanges reload(ParkdConfig& running, const ParkdConfig& read) {
  const std::string password = running.database.password;
  const std::string file = running.database.password_file;
  ConfigReader table;
  describe(table, running);
  ConfigChanges changes = table.reload(running.read_from, read.read_from);
  running.read_from = table.texts();
  // What was read from the file is no text of the table.
  running.database.password = password;
  if (!file.empty() && file == read.database.password_file && password != read.database.password) {
    changes.need_restart.emplace_back("the password in database.password_file");
  }
  return changes;
}

std::string parkd_config_example() {
  ParkdConfig config;
  ConfigReader table;
  describe(table, config);
  return table.example();
}

}  // namespace callpark
