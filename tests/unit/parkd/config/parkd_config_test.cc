#include "parkd/config/parkd_config.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace callpark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The least that a file has.
constexpr const char* kLeast = "node_name: west\ndatabase: {password: p}\n";

TEST(ParkdConfig, OnlyTheNodesNameAndAPasswordAreRequired) {
  const auto config = read_parkd_config_text(kLeast, "parkd.yaml");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->node_name, "west");
  EXPECT_EQ(config->log_level, LogLevel::kInfo);
  EXPECT_EQ(config->sip.listen.to_string(), "127.0.0.1:5062");
  EXPECT_EQ(config->sip.t1, Duration(500));
  EXPECT_EQ(config->sip.tcp_idle_timeout, Duration(600'000));
  EXPECT_EQ(config->sip.ask_talking, Duration(600'000));
  EXPECT_EQ(config->kamailio.inside.to_string(), "127.0.0.1:5061");
  EXPECT_EQ(config->kamailio.transport, ParkdConfig::SipTransport::kUdp);
  EXPECT_THAT(config->kamailio.peers, ElementsAre("127.0.0.1"));
  EXPECT_EQ(config->mediad.control.to_string(), "unix:/run/callpark/mediad.sock");
  EXPECT_EQ(config->database.workers, 4U);
  EXPECT_EQ(config->http.listen.port(), 5063);
  EXPECT_TRUE(config->webhooks.permitted_networks.empty());
  EXPECT_EQ(config->park.bye_after_refer, Duration(2000));
  EXPECT_FALSE(config->park.retrieve_from_other_nodes);
  EXPECT_TRUE(config->billing.permitted_networks.empty());
}

TEST(ParkdConfig, EveryKeyIsTaken) {
  const auto config = read_parkd_config_text(R"(
node_name: east
log_level: debug
sip:
  listen: "[::1]:6062"
  t1_ms: 100
  t2_ms: 2000
  t4_ms: 2001
  tcp_connections_max: 7
  tcp_connect_timeout_ms: 101
  tcp_message_timeout_ms: 1001
  tcp_idle_timeout_seconds: 11
  ask_talking_seconds: 60
kamailio:
  inside: "[::1]:6061"
  transport: tcp
  peers: ["::1", 127.0.0.2]
mediad:
  control: 127.0.0.1:9000
  reconnect_ms: 11
  answer_timeout_ms: 51
database:
  socket: /tmp/x.sock
  user: u
  password: p
  database: d
  workers: 2
  queue_max: 3
http:
  listen: 0.0.0.0:9001
webhooks:
  permitted_networks: 127.0.0.0/8 fd00::/8
  ca_file: /etc/ca.pem
park:
  bye_after_refer_ms: 102
  music_retry_ms: 501
  announcement_max_ms: 1002
  refusal_speech_max_ms: 0
  already_picked_up_speech_max_ms: 1
  retrieve_from_other_nodes: true
call_flow:
  first_key_ms: 1003
  next_key_ms: 504
  call_max_ms: 10005
billing:
  permitted_networks: 127.0.0.1 fd00::/8
)",
                                             "parkd.yaml");
  ASSERT_TRUE(config) << to_string(config.error().front());
  EXPECT_EQ(config->node_name, "east");
  EXPECT_EQ(config->log_level, LogLevel::kDebug);
  EXPECT_EQ(config->sip.listen.to_string(), "[::1]:6062");
  EXPECT_EQ(config->sip.t1, Duration(100));
  EXPECT_EQ(config->sip.t2, Duration(2000));
  EXPECT_EQ(config->sip.t4, Duration(2001));
  EXPECT_EQ(config->sip.tcp_connections_max, 7U);
  EXPECT_EQ(config->sip.tcp_connect_timeout, Duration(101));
  EXPECT_EQ(config->sip.tcp_message_timeout, Duration(1001));
  EXPECT_EQ(config->sip.tcp_idle_timeout, Duration(11'000));
  EXPECT_EQ(config->sip.ask_talking, Duration(60'000));
  EXPECT_EQ(config->kamailio.inside.to_string(), "[::1]:6061");
  EXPECT_EQ(config->kamailio.transport, ParkdConfig::SipTransport::kTcp);
  EXPECT_THAT(config->kamailio.peers, ElementsAre("::1", "127.0.0.2"));
  EXPECT_EQ(config->mediad.control.to_string(), "127.0.0.1:9000");
  EXPECT_EQ(config->mediad.reconnect, Duration(11));
  EXPECT_EQ(config->mediad.answer_timeout, Duration(51));
  EXPECT_EQ(config->database.socket, "/tmp/x.sock");
  EXPECT_EQ(config->database.user, "u");
  EXPECT_EQ(config->database.password, "p");
  EXPECT_EQ(config->database.database, "d");
  EXPECT_EQ(config->database.workers, 2U);
  EXPECT_EQ(config->database.queue_max, 3U);
  EXPECT_EQ(config->http.listen.to_string(), "0.0.0.0:9001");
  EXPECT_EQ(config->webhooks.permitted_networks.size(), 2U);
  EXPECT_EQ(config->webhooks.ca_file, "/etc/ca.pem");
  EXPECT_EQ(config->park.bye_after_refer, Duration(102));
  EXPECT_EQ(config->park.music_retry, Duration(501));
  EXPECT_EQ(config->park.announcement_max, Duration(1002));
  EXPECT_EQ(config->park.refusal_speech_max, Duration(0));
  EXPECT_EQ(config->park.already_picked_up_speech_max, Duration(1));
  EXPECT_TRUE(config->park.retrieve_from_other_nodes);
  EXPECT_EQ(config->call_flow.first_key, Duration(1003));
  EXPECT_EQ(config->call_flow.next_key, Duration(504));
  EXPECT_EQ(config->call_flow.call_max, Duration(10005));
  EXPECT_EQ(config->billing.permitted_networks.size(), 2U);
}

TEST(ParkdConfig, ThePrintedExampleLoadsAndIsTheDefaults) {
  const auto example = read_parkd_config_text(parkd_config_example(), "example");
  ASSERT_TRUE(example) << to_string(example.error().front());
  EXPECT_EQ(example->node_name, "parkd1");
  EXPECT_EQ(example->sip.listen.to_string(), "127.0.0.1:5062");
  EXPECT_EQ(example->database.socket, "/run/mysqld/mysqld.sock");
}

TEST(ParkdConfig, AFileThatIsNotThereIsAnError) {
  const auto config = read_parkd_config_file("/nonexistent/parkd.yaml");
  ASSERT_FALSE(config);
  ASSERT_EQ(config.error().size(), 1U);
  EXPECT_THAT(to_string(config.error()[0]), HasSubstr("No such file"));
}

// ---- the password in a file of its own ----

class ParkdPassword : public testing::Test {
 protected:
  ~ParkdPassword() override { std::remove(path_.c_str()); }

  Result<ParkdConfig, std::vector<ConfigError>> read(const std::string& database) {
    return read_parkd_config_text("node_name: west\ndatabase: {" + database + "}\n", "f");
  }
  std::string error_of(const std::string& database) {
    const auto config = read(database);
    return config ? "" : to_string(config.error().at(0));
  }

  const std::string path_ = testing::TempDir() + "/parkd_password." + std::to_string(getpid());
};

TEST_F(ParkdPassword, O8_IsReadFromItsFile) {
  std::ofstream(path_) << "a \"b' #$%\\{}\n";
  const auto config = read("password_file: " + path_);
  ASSERT_TRUE(config) << to_string(config.error().at(0));
  EXPECT_EQ(config->database.password, "a \"b' #$%\\{}");
}

TEST_F(ParkdPassword, O8_EachMistakeHasItsSentence) {
  EXPECT_THAT(error_of(""), HasSubstr("f: database.password or database.password_file is missing (Password of the"));
  EXPECT_EQ(error_of("password: p, password_file: " + path_),
            "f:2: database.password_file and database.password are both here; there must be one only");
  EXPECT_EQ(error_of("password_file: " + path_),
            "f: database.password_file: " + path_ + " cannot be read: No such file or directory");
  std::ofstream(path_) << "a\nb\n";
  EXPECT_EQ(error_of("password_file: " + path_), "f: database.password_file: " + path_ + " has more than one line");
}

TEST_F(ParkdPassword, O8_ANewOneNeedsARestart) {
  std::ofstream(path_) << "first";
  ParkdConfig running = read("password_file: " + path_).value();
  std::ofstream(path_) << "second";
  const ConfigChanges changes = reload(running, read("password_file: " + path_).value());
  EXPECT_THAT(changes.need_restart, ElementsAre("the password in database.password_file"));
  EXPECT_EQ(running.database.password, "first");
}

TEST_F(ParkdPassword, O8_OfAnotherKindNeedsARestart) {
  std::ofstream(path_) << "first";
  ParkdConfig running = read("password_file: " + path_).value();
  EXPECT_THAT(reload(running, read("password: second").value()).need_restart,
              ElementsAre("database.password", "database.password_file"));
  EXPECT_EQ(running.database.password, "first");
}

// ---- what a start would refuse ----

class CheckedFile : public testing::Test {
 protected:
  ~CheckedFile() override { std::remove(path_.c_str()); }

  std::vector<std::string> errors_of(const std::string& text) {
    std::ofstream(path_) << text;
    std::vector<std::string> messages;
    for (const ConfigError& error : check_parkd_config_file(path_)) messages.push_back(error.message);
    return messages;
  }

  const std::string path_ = testing::TempDir() + "/parkd.yaml." + std::to_string(getpid());
};

TEST_F(CheckedFile, O8_OfThisHostIsGood) {
  EXPECT_THAT(errors_of(kLeast), IsEmpty());
}

TEST_F(CheckedFile, O8_AddressesOfAnotherHostAreErrors) {
  EXPECT_THAT(errors_of(std::string(kLeast) + "sip: {listen: '240.0.0.1:5062'}\nhttp: {listen: '240.0.0.2:80'}\n"),
              ElementsAre("sip.listen: 240.0.0.1 is no address of this host",
                          "http.listen: 240.0.0.2 is no address of this host"));
}

TEST_F(CheckedFile, O8_APasswordThatSystemdBringsIsNotLookedFor) {
  EXPECT_THAT(errors_of("node_name: a\ndatabase: {password_file: /run/credentials/none.service/database_password}\n"),
              IsEmpty());
  EXPECT_THAT(errors_of("node_name: a\ndatabase: {password_file: /nowhere}\n"),
              ElementsAre(HasSubstr("/nowhere cannot be read")));
}

// ---- reloads ----

// Each key of the table is live or needs a restart; a new one needs a restart, unless its row and this list make it
// live.
TEST(ParkdReload, O8_EachKeyIsLiveOrNeedsARestart) {
  const ParkdConfig started = read_parkd_config_text(kLeast, "f").value();
  std::vector<std::string> live;
  for (const auto& [key, texts] : started.read_from) {
    ParkdConfig running = started;
    ParkdConfig read = started;
    read.read_from[key].push_back("another");
    const ConfigChanges changes = reload(running, read);
    ASSERT_EQ(changes.applied.size() + changes.need_restart.size(), 1U) << key;
    if (!changes.applied.empty()) live.push_back(key);
  }
  EXPECT_THAT(live,
              ElementsAre("billing.permitted_networks", "call_flow.call_max_ms", "call_flow.first_key_ms",
                          "call_flow.next_key_ms", "database.park_events_days", "log_level", "menu.call_max_ms",
                          "park.already_picked_up_speech_max_ms", "park.announcement_max_ms", "park.bye_after_refer_ms",
                          "park.music_retry_ms", "park.refusal_speech_max_ms", "webhooks.permitted_networks"));
}

TEST(ParkdReload, O8_LiveKeysAreAppliedAndTheOthersAreNot) {
  ParkdConfig running = read_parkd_config_text(kLeast, "f").value();
  const auto read = read_parkd_config_text(
      "node_name: east\nlog_level: debug\nsip: {t1_ms: 100}\npark: {music_retry_ms: 501}\nmenu: {call_max_ms: 60000}\n"
      "database: {password: q, park_events_days: 7}\nbilling: {permitted_networks: 127.0.0.1}\n",
      "f");
  const ConfigChanges changes = reload(running, read.value());
  EXPECT_EQ(
      to_string(changes),
      "log_level, database.park_events_days, park.music_retry_ms, menu.call_max_ms, billing.permitted_networks are "
      "applied; node_name, sip.t1_ms, database.password need a restart");
  EXPECT_EQ(running.log_level, LogLevel::kDebug);
  EXPECT_EQ(running.database.park_events_days, 7);
  EXPECT_EQ(running.park.music_retry, Duration(501));
  EXPECT_EQ(running.menu.call_max, Duration(60000));
  EXPECT_EQ(running.billing.permitted_networks.size(), 1U);
  EXPECT_EQ(running.node_name, "west");
  EXPECT_EQ(running.sip.t1, Duration(500));
  EXPECT_EQ(running.database.password, "p");
}

struct WrongFile {
  const char* name;
  const char* text;
  /// In each error, in order; there are no others.
  std::vector<const char*> expected;
};

class ParkdConfigWrongFile : public testing::TestWithParam<WrongFile> {};

TEST_P(ParkdConfigWrongFile, IsRefusedWithEveryError) {
  const auto config = read_parkd_config_text(GetParam().text, "f");
  ASSERT_FALSE(config);
  std::vector<std::string> errors;
  for (const ConfigError& error : config.error()) {
    // Most of the files are not about the password.
    if (error.message.starts_with("database.password or ")) continue;
    errors.push_back(to_string(error));
  }
  ASSERT_EQ(errors.size(), GetParam().expected.size()) << testing::PrintToString(errors);
  for (std::size_t i = 0; i < errors.size(); ++i) EXPECT_THAT(errors[i], HasSubstr(GetParam().expected[i]));
}

const WrongFile kWrongFiles[] = {
    {"Empty", "", {"f: node_name is missing (Unique name of this parkd among all"}},
    {"OnlyAComment", "# nothing\n", {"f: node_name is missing"}},
    {"AList", "- node_name\n", {"f: node_name is missing", "f:1: the file must hold keys with values"}},
    {"AWord", "node_name\n", {"f: node_name is missing", "f:1: the file must hold keys"}},
    {"BrokenYaml", "node_name: [a\n", {"not YAML: "}},
    {"TabIndent", "node_name: a\nsip:\n\tt1_ms: 500\n", {"f:3: not YAML: "}},
    {"TwoDocuments", "node_name: a\n---\nnode_name: b\n", {"f:3: a second YAML document"}},
    {"UnknownTopKey", "node_name: a\nnode: b\n", {"f:2: unknown key node; known here: node_name, log_level, sip, "}},
    {"UnknownSectionKey",
     "node_name: a\nsip:\n  t3_ms: 1\n",
     {"f:3: unknown key sip.t3_ms; known here: listen, t1_ms"}},
    {"WrongCase", "node_name: a\nSip: {}\n", {"f:2: unknown key Sip"}},
    {"DuplicateKey", "node_name: a\nnode_name: b\n", {"f:2: node_name is here a second time; first in line 1"}},
    {"DuplicateInSection",
     "node_name: a\nsip:\n  t1_ms: 500\n  t1_ms: 600\n",
     {"f:4: sip.t1_ms is here a second time; first in line 3 (T1 of RFC 3261"}},
    {"DuplicateSection",
     "node_name: a\nhttp:\n  listen: 127.0.0.1:1\nhttp:\n  listen: 127.0.0.1:2\n",
     {"f:4: http is here a second time; first in line 2"}},
    {"KeyIsAList", "node_name: a\n? [b]\n: c\n", {"f:2: a key must be a word"}},
    {"SectionIsAWord", "node_name: a\nsip: fast\n", {"f:2: sip must hold keys with values"}},
    {"SectionIsAList", "node_name: a\nsip:\n  - t1_ms: 500\n", {"f:3: sip must hold keys with values"}},
    {"ValueIsAMap", "node_name: {a: b}\n", {"f:1: node_name must be a single value"}},
    {"ValueIsMissing", "node_name:\n", {"f:1: node_name has no value (Unique name of this parkd among"}},
    {"NameEmpty", "node_name: ''\n", {"f:1: node_name must be a text of 1 to 64 bytes, not \"\""}},
    {"NameTooLong",
     "node_name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
     {"f:1: node_name must be a text of 1 to 64 bytes"}},
    {"LogLevel", "node_name: a\nlog_level: loud\n", {"f:2: log_level must be one of debug info warning error off"}},
    {"ListenWithoutPort",
     "node_name: a\nsip:\n  listen: 127.0.0.1\n",
     {"f:3: sip.listen must be a numeric IP address of one host and a port (127.0.0.1:5062), not 0.0.0.0 or [::], not "
      "\"127.0.0.1\" (Listening address of parkd"}},
    {"ListenEverywhere", "node_name: a\nsip:\n  listen: 0.0.0.0:5062\n", {"f:3: sip.listen must be"}},
    {"ListenEverywhereV6", "node_name: a\nsip:\n  listen: '[::]:5062'\n", {"f:3: sip.listen must be"}},
    {"PermittedNetworks",
     "node_name: a\nwebhooks:\n  permitted_networks: 127.0.0.1 all\n",
     {"f:3: webhooks.permitted_networks must be networks like 127.0.0.1"}},
    {"ListenOnAName", "node_name: a\nsip:\n  listen: localhost:5062\n", {"f:3: sip.listen must be"}},
    {"ListenOnAUnixSocket", "node_name: a\nsip:\n  listen: unix:/run/x\n", {"f:3: sip.listen must be"}},
    {"PortTooHigh", "node_name: a\nsip:\n  listen: 127.0.0.1:70000\n", {"f:3: sip.listen must be"}},
    {"PortZero", "node_name: a\nsip:\n  listen: 127.0.0.1:0\n", {"f:3: sip.listen must be"}},
    {"TimerNotANumber",
     "node_name: a\nsip:\n  t1_ms: 0.5s\n",
     {"f:3: sip.t1_ms must be a whole number of milliseconds from 100 to 2000, not \"0.5s\""}},
    {"TimerTooSmall", "node_name: a\nsip:\n  t1_ms: 99\n", {"f:3: sip.t1_ms must be"}},
    {"TimerTooGreat", "node_name: a\nsip:\n  t1_ms: 2001\n", {"f:3: sip.t1_ms must be"}},
    {"TimerNegative", "node_name: a\nsip:\n  t4_ms: -5000\n", {"f:3: sip.t4_ms must be"}},
    {"TimerOctal", "node_name: a\nsip:\n  t1_ms: 0500\n", {"f:3: sip.t1_ms must be"}},
    {"TimerOverflow", "node_name: a\nsip:\n  t1_ms: 99999999999999999999\n", {"f:3: sip.t1_ms must be"}},
    {"InsideIsMissingItsPort", "node_name: a\nkamailio:\n  inside: 127.0.0.1\n", {"f:3: kamailio.inside must be"}},
    {"Transport", "node_name: a\nkamailio: {transport: tls}\n", {"f:2: kamailio.transport must be one of udp tcp"}},
    {"PeersIsAWord",
     "node_name: a\nkamailio:\n  peers: 127.0.0.1\n",
     {"f:3: kamailio.peers must be a list of at least one value (Source addresses that SIP"}},
    {"NoPeers", "node_name: a\nkamailio:\n  peers: []\n", {"f:3: kamailio.peers must be a list of at least one"}},
    {"PeersWrong",
     "node_name: a\nkamailio:\n  peers:\n    - 127.0.0.1:5060\n    - 127.0.0.1\n    - kamailio.example\n    - '::'\n",
     {"f:4: kamailio.peers must be a numeric IP address without a port, not \"127.0.0.1:5060\"",
      "f:6: kamailio.peers must be", "f:7: kamailio.peers must be"}},
    {"ControlIsARelativePath", "node_name: a\nmediad:\n  control: mediad.sock\n", {"f:3: mediad.control must be"}},
    {"SocketPathTooLong",
     "node_name: a\ndatabase:\n  socket: "
     "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
     {"f:3: database.socket must be a text of 1 to 107 bytes"}},
    {"NoWorkers", "node_name: a\ndatabase: {workers: 0}\n", {"f:2: database.workers must be a whole number from 1 to"}},
    {"HttpOnAPath", "node_name: a\nhttp: {listen: /run/http}\n", {"f:2: http.listen must be a numeric IP address"}},
    {"SameAddressTwice",
     "node_name: a\nsip: {listen: '127.0.0.1:5061'}\ndatabase: {password: p}\n",
     {"f: sip.listen and kamailio.inside are the same address"}},
    {"ManyAtOnce",
     "log_level: 1\nsip:\n  t1_ms: x\n  t9_ms: 1\npark:\n  bye_after_refer_ms: 0\n",
     {"f: node_name is missing", "f:1: log_level", "f:3: sip.t1_ms", "f:4: unknown key sip.t9_ms",
      "f:6: park.bye_after_refer_ms must be"}},
};

INSTANTIATE_TEST_SUITE_P(Corpus, ParkdConfigWrongFile, testing::ValuesIn(kWrongFiles),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace callpark
