#include "parkd/config/parkd_config.h"

#include <optional>
#include <utility>

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

// Via and Contact name this address, and Kamailio is found at the other, so both must be one host's.
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

void describe_process(ConfigReader& table, ParkdConfig& config) {
  table.text("node_name", config.node_name, "parkd1", {.length_max = 64},
             "This parkd among all that share the database: the calls it owns bear this name, and after a restart it "
             "takes back the calls of that name. Never give two running parkd the same.");
  table.required();
  table.choice("log_level", config.log_level, "info",
               {{"debug", LogLevel::kDebug},
                {"info", LogLevel::kInfo},
                {"warning", LogLevel::kWarning},
                {"error", LogLevel::kError},
                {"off", LogLevel::kOff}},
               "The least important lines that are still written.");
}

void describe_sip(ConfigReader& table, ParkdConfig::Sip& sip) {
  table.section("sip", "SIP towards Kamailio; nobody else talks to parkd.");
  own_address(table, "sip.listen", sip.listen, "127.0.0.1:5062", "Where parkd takes SIP, by UDP and by TCP.");
  table.duration("sip.t1_ms", sip.t1, 500, 100, 2000, kMs,
                 "T1 of RFC 3261 17.1.1.1: the round-trip time, after which a request is first sent again.");
  table.duration("sip.t2_ms", sip.t2, 4000, 2000, 32000, kMs,
                 "T2 of RFC 3261: the longest time between two retransmissions.");
  table.duration("sip.t4_ms", sip.t4, 5000, 2000, 32000, kMs, "T4 of RFC 3261: how long a message may be under way.");
  table.number("sip.tcp_connections_max", sip.tcp_connections_max, 256, 1, 65535,
               "TCP connections at a time; more are closed at once.");
  table.duration("sip.tcp_connect_timeout_ms", sip.tcp_connect_timeout, 5000, 100, 60000, kMs,
                 "How long a TCP connection may take to stand.");
  table.duration("sip.tcp_message_timeout_ms", sip.tcp_message_timeout, 10000, 1000, 60000, kMs,
                 "A message that has begun to arrive by TCP must end within this time.");
  table.duration("sip.tcp_idle_timeout_seconds", sip.tcp_idle_timeout, 600, 10, 86400, kSecond,
                 "A TCP connection that carries nothing for so long is closed.");
}

void describe_kamailio(ConfigReader& table, ParkdConfig::Kamailio& kamailio) {
  table.section("kamailio", "The proxy before parkd.");
  own_address(table, "kamailio.inside", kamailio.inside, "127.0.0.1:5061",
              "Kamailio's inside socket; every request of parkd goes there.");
  table.choice("kamailio.transport", kamailio.transport, "udp",
               {{"udp", ParkdConfig::SipTransport::kUdp}, {"tcp", ParkdConfig::SipTransport::kTcp}},
               "How parkd sends to Kamailio. Kamailio may use either.");
  peers(table, "kamailio.peers", kamailio.peers,
        "Addresses that SIP is accepted from; what others send is dropped and counted.");
}

void describe_mediad(ConfigReader& table, ParkdConfig::Mediad& mediad) {
  table.section("mediad", "The process that plays music and speech.");
  table.address("mediad.control", mediad.control, "unix:/run/callpark/mediad.sock", "mediad's control socket.");
  table.duration("mediad.reconnect_ms", mediad.reconnect, 200, 10, 60000, kMs,
                 "How long after a lost connection, and between attempts, parkd connects again.");
  table.duration("mediad.answer_timeout_ms", mediad.answer_timeout, 1000, 50, 60000, kMs,
                 "A request that mediad has not answered by then has failed.");
}

void describe_database(ConfigReader& table, ParkdConfig::Database& database) {
  table.section("database", "MariaDB or MySQL, which holds the parked calls and the tenants' settings.");
  table.text("database.socket", database.socket, "/run/mysqld/mysqld.sock", {.length_max = 107},
             "The server's unix socket.");
  table.text("database.user", database.user, "callpark", "The user that parkd logs in as.");
  table.text("database.password", database.password, "", {.may_be_empty = true, .is_secret = true},
             "The user's password; empty when the server knows him by his unix account.");
  table.text("database.database", database.database, "callpark", {.length_max = 64}, "The database's name.");
  table.number("database.workers", database.workers, 4, 1, 64,
               "Threads, with a connection each, that statements run on.");
  table.number("database.queue_max", database.queue_max, 1000, 1, 100000,
               "Statements that may wait for a thread; more fail at once, which refuses a park politely.");
  table.number("database.park_events_days", database.park_events_days, 30, 1, 3650,
               "How long the table park_events keeps what happened to parked calls.");
}

void describe_http(ConfigReader& table, ParkdConfig::Http& http) {
  table.section("http", "Metrics and health.");
  table.row("http.listen", "127.0.0.1:5063", "a numeric IP address and a port (127.0.0.1:5063)",
            "Where /metrics and /health are served. Nobody is asked for a password: keep it inside.",
            [&http](const std::string& text) {
              const auto address = parse_ip(text);
              if (address) http.listen = *address;
              return address.has_value();
            });
}

void describe_presence(ConfigReader& table, ParkdConfig::Presence& presence) {
  table.section("presence", "Lamps and phone notifications.");
  table.duration("presence.publication_seconds", presence.publication, 3600, 60, 3600, kSecond,
                 "How long Kamailio shows a lit lamp that no parkd refreshes any more.");
  table.duration("presence.compare_every_ms", presence.compare_every, 3000, 200, 60000, kMs,
                 "How often it is looked at whether lamps and notifications show what the database says; what does not "
                 "is told again.");
}

void describe_park(ConfigReader& table, ParkdConfig::Park& park) {
  table.section("park", "Time limits of parking that are the same for all tenants.");
  table.duration("park.bye_after_refer_ms", park.bye_after_refer, 2000, 100, 32000, kMs,
                 "A parker whose transfer has succeeded ends his call himself; after this time parkd ends it.");
  table.duration("park.music_retry_ms", park.music_retry, 5000, 500, 60000, kMs,
                 "When a waiting caller's phone would not take the music, it is offered again after this time.");
  table.duration("park.announcement_max_ms", park.announcement_max, 30000, 1000, 120000, kMs,
                 "An announcement whose end mediad never reports is taken for ended after this time.");
  table.duration("park.refusal_speech_max_ms", park.refusal_speech_max, 10000, 0, 60000, kMs,
                 "How much of the spoken reason is heard before a call is refused; 0 refuses at once.");
  table.duration("park.already_picked_up_speech_max_ms", park.already_picked_up_speech_max, 200, 0, 60000, kMs,
                 "The same for the one who comes second to a parked call. By default he is answered within 300 ms "
                 "and hears only the beginning; raise it for the whole sentence.");
  table.boolean("park.retrieve_from_other_nodes", park.retrieve_from_other_nodes, false,
                "Whether a retriever here is given what another node of the same database has parked. Only where each "
                "Kamailio takes the others' requests within a parked call for parkd's; the one that comes with this "
                "does not yet, and the call would be lost.");
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
}

template <class Read>
Result<ParkdConfig, std::vector<ConfigError>> read_config(const std::string& name, Read read) {
  ParkdConfig config;
  ConfigReader table;
  describe(table, config);
  auto errors = read(table);
  if (errors.empty() && config.sip.listen == config.kamailio.inside) {
    errors.push_back({name, 0, "sip.listen and kamailio.inside are the same address; parkd would talk to itself"});
  }
  if (!errors.empty()) return failure(std::move(errors));
  return config;
}

}  // namespace

Result<ParkdConfig, std::vector<ConfigError>> read_parkd_config_file(const std::string& path) {
  return read_config(path, [&path](ConfigReader& table) { return table.read_file(path); });
}

Result<ParkdConfig, std::vector<ConfigError>> read_parkd_config_text(const std::string& text, const std::string& name) {
  return read_config(name, [&](ConfigReader& table) { return table.read_text(text, name); });
}

std::string parkd_config_example() {
  ParkdConfig config;
  ConfigReader table;
  describe(table, config);
  return table.example();
}

}  // namespace callpark
