// What a full park cycle and an ordinary call cost in SQL statements and in requests through Kamailio, counted, since
// counts do not drift. What the servers do with nothing at hand is counted first, and subtracted.
#include <algorithm>
#include <cmath>
#include <functional>

#include "tests/e2e/park_site.h"
#include "tests/support/lamp_watcher.h"

namespace callpark::test {
namespace {

// What has been reached; the aim is 14 requests, 6 of these for texts. A cycle that becomes cheaper lowers them.
constexpr double kStatementsMax = 16;
constexpr double kRequestsMax = 16;
constexpr double kRequestsWithoutTextsMax = 14;
// 20 to 21 on an idle machine; on a busy one fewer changes of a lamp are read together.
constexpr double kStatementsOfAWatchedLampMax = 25;
// INVITE, ACK and BYE, as Kamailio receives them and as it sends them on; the row of the call, written and deleted.
constexpr double kOrdinaryStatementsMax = 2;
constexpr double kOrdinaryRequestsMax = 6;

constexpr int kCycles = 5;
constexpr std::chrono::seconds kIdle{6};

class Cost : public ParkTest {
 protected:
  using Clock = std::chrono::steady_clock;
  struct Count {
    double statements = 0;
    double requests = 0;
    std::string made = {};  // the requests, as they were sent and received
  };

  void SetUp() override {
    ParkTest::SetUp();
    site().database().execute("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 1");
    john_ = site().packet_phone("101", kJohn, true);
    alice_ = site().packet_phone("102", kAlice, true);
    client_ = site().trunk_caller(kClient);
  }
  void TearDown() override {
    site().database().execute(
        "SET GLOBAL general_log = 0; UPDATE callpark.tenants SET message_parked = DEFAULT, message_orbit = DEFAULT, "
        "message_retrieved = DEFAULT, message_gave_up = DEFAULT, message_recalled = DEFAULT");
    john_.reset();
    alice_.reset();
    client_.reset();
    ParkTest::TearDown();
  }

  static std::string value(const std::string& sql) { return site().database().value(sql); }

  /// Of parkd and Kamailio. Prepared statements count when they are executed, and those with which a worker of parkd's
  /// begins its connection, at its first task, do not; nor does what is asked again and again, whether there are calls
  /// or not: how many such there are depends on how long the machine needs.
  static double statements() {
    return std::stod(
        value("SELECT COUNT(*) FROM mysql.general_log WHERE user_host LIKE 'callpark[%' AND "
              "command_type IN ('Query', 'Execute') AND argument NOT REGEXP "
              "'^(SET |SHOW |SELECT 1 FROM information_schema|SELECT COALESCE.MAX.version)' AND argument NOT REGEXP "
              "'tenant_revisions|webhook|active_watchers|FROM call_flows WHERE enabled|where "
              "`(expires|inserted_time)`<|trunks_status'"));
  }
  static double requests() {
    const std::string answer = site().kamailio().rpc("stats.fetch", R"(["rcv_requests"])");
    const auto at = answer.find("rcv_requests");
    return std::stod(answer.substr(answer.find_first_of("0123456789", at)));
  }
  static void forget_statements() { site().database().execute("TRUNCATE TABLE mysql.general_log"); }
  static Count count() { return {statements(), requests()}; }
  static double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  void cycle() {
    const CallName call = client_->start_call("+442030000101");
    ASSERT_EQ(client_->wait_invite_status(call), 200);
    const CallName johns = john_->wait_incoming();
    ASSERT_EQ(john_->refer(johns, "*68"), 202);
    ASSERT_TRUE(parked_at("101"));
    ASSERT_TRUE(wait_until(kSoon, [&] { return john_->transfer_reports(johns).size() >= 2; }));
    john_->hang_up(johns);
    const CallName talk = alice_->start_call("*88101");
    ASSERT_EQ(alice_->wait_invite_status(talk), 200);
    ASSERT_TRUE(hear_each_other(*alice_, *client_));
    ASSERT_EQ(client_->hang_up(call), 200);
    ASSERT_TRUE(wait_until(kSoon, [&] { return alice_->is_closed(talk); }));
  }
  /// Kamailio writes and deletes some seconds after the end of a call.
  static void wait_nothing_left() {
    ASSERT_TRUE(wait_until(std::chrono::seconds(60), [] {
      return value("SELECT (SELECT COUNT(*) FROM callpark.dialog) + (SELECT COUNT(*) FROM callpark.parked_calls)") ==
             "0";
    }));
  }
  /// One from a trunk, one between extensions.
  void two_ordinary_calls() {
    for (const bool from_trunk : {true, false}) {
      PacketPhone& caller = from_trunk ? *client_ : *alice_;
      const CallName call = caller.start_call(from_trunk ? "+442030000101" : "101");
      ASSERT_EQ(caller.wait_invite_status(call), 200);
      const CallName johns = john_->wait_incoming();
      ASSERT_TRUE(hear_each_other(caller, *john_));
      ASSERT_EQ(caller.hang_up(call), 200);
      ASSERT_TRUE(wait_until(kSoon, [&] { return john_->is_closed(johns); }));
    }
  }
  /// Requests that Kamailio has received or sent since then, repetitions too, one a line.
  static std::string requests_since(SipTrace::Clock::time_point since) {
    const auto is_kamailio = [](const Endpoint& endpoint) {
      return endpoint.address == "127.0.0.1" && (endpoint.port == site().port() || endpoint.port == site().port() + 1);
    };
    std::string text;
    for (const auto& step : site().trace().steps(since)) {
      if (!step.message.is_request() || (!is_kamailio(step.from) && !is_kamailio(step.to))) continue;
      text += site().trace().name_of(step.from) + " -> " + site().trace().name_of(step.to) + "  " +
              summary(step.message) + "\n";
    }
    return text;
  }
  /// For one cycle.
  void measure(Count& cost) {
    measure(cost, [this] { cycle(); });
  }
  void measure(Count& cost, const std::function<void()>& act) {
    ASSERT_NO_FATAL_FAILURE(act());
    ASSERT_NO_FATAL_FAILURE(wait_nothing_left());
    const Count before_idle = count();
    const auto idle_began = Clock::now();
    holds_for(kIdle, [] { return true; });
    const double idle_seconds = seconds_since(idle_began);
    const Count idle = count();
    forget_statements();
    const double requests_before = requests();
    const auto requests_began = SipTrace::Clock::now();
    const auto began = Clock::now();
    for (int i = 0; i < kCycles; ++i) ASSERT_NO_FATAL_FAILURE(act());
    ASSERT_NO_FATAL_FAILURE(wait_nothing_left());
    const double seconds = seconds_since(began);
    const Count after = count();
    cost.statements =
        (after.statements - (idle.statements - before_idle.statements) * seconds / idle_seconds) / kCycles;
    cost.requests =
        (after.requests - requests_before - (idle.requests - before_idle.requests) * seconds / idle_seconds) / kCycles;
    cost.made = requests_since(requests_began);
    std::cout << "  each: " << cost.statements << " statements, " << cost.requests << " requests\n";
  }
  /// The statements that come most often, each with how often.
  static std::string most_frequent() {
    std::string text;
    for (const auto& row : site().database().query(
             "SELECT COUNT(*), REGEXP_REPLACE(REGEXP_REPLACE(LEFT(argument, 400), '''[^'']*''', '?'), '[0-9]+', 'N') s "
             "FROM mysql.general_log WHERE user_host LIKE 'callpark[%' AND command_type IN ('Query', 'Execute') "
             "GROUP BY s ORDER BY 1 DESC")) {
      text += row.at(0) + " " + row.at(1).substr(0, 160) + "\n";
    }
    return text;
  }

  std::unique_ptr<PacketPhone> john_;
  std::unique_ptr<PacketPhone> alice_;
  std::unique_ptr<PacketPhone> client_;
};

TEST_F(Cost, AFullParkCycleStaysWithinItsBudget) {
  Count cost;
  ASSERT_NO_FATAL_FAILURE(measure(cost));
  EXPECT_LE(std::round(cost.statements), kStatementsMax) << most_frequent();
  EXPECT_LE(std::round(cost.requests), kRequestsMax) << cost.made;
}

TEST_F(Cost, X40_AnOrdinaryCallStaysWithinItsBudget) {
  ASSERT_TRUE(site().trace().is_listening()) << "this test needs CAP_NET_RAW";
  Count of_two;
  ASSERT_NO_FATAL_FAILURE(measure(of_two, [this] { two_ordinary_calls(); }));
  EXPECT_LE(std::round(of_two.statements), 2 * kOrdinaryStatementsMax) << most_frequent();
  // Rounded, so that a repetition on a busy machine is none of a call's.
  const auto made = static_cast<double>(std::ranges::count(of_two.made, '\n'));
  EXPECT_LE(std::round(made / (2 * kCycles)), kOrdinaryRequestsMax) << of_two.made;
}

TEST_F(Cost, ACycleWithoutTextsMakesFewerRequests) {
  site().database().execute(
      "UPDATE callpark.tenants SET message_parked = FALSE, message_orbit = FALSE, message_retrieved = FALSE, "
      "message_gave_up = FALSE, message_recalled = FALSE");
  Count cost;
  ASSERT_NO_FATAL_FAILURE(measure(cost));
  EXPECT_LE(std::round(cost.requests), kRequestsWithoutTextsMax) << cost.made;
}

TEST_F(Cost, AWatchedLampCostsWhatItShows) {
  Count unwatched;
  ASSERT_NO_FATAL_FAILURE(measure(unwatched));
  const LoopbackAddress address;
  LampWatcher watcher(
      {.user = "104", .password = "demo-104", .lamp = "*88101", .address = address.text(), .proxy = site().outside()});
  ASSERT_EQ(watcher.subscribe(), 200);
  ASSERT_TRUE(watcher.wait_state("terminated"));
  Count watched;
  ASSERT_NO_FATAL_FAILURE(measure(watched));
  EXPECT_GT(watcher.history().size(), 2 * kCycles);
  EXPECT_LE(std::round(watched.statements - unwatched.statements), kStatementsOfAWatchedLampMax) << most_frequent();
  watcher.unsubscribe();
}

}  // namespace
}  // namespace callpark::test
