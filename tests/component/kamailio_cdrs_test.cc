// CDRs of ordinary calls: what they have, and that each answered call has one, whatever is killed or away.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "tests/component/kamailio_site.h"

namespace callpark::test {
namespace {

class KamailioCdrs : public testing::Test {
 protected:
  using Clock = std::chrono::steady_clock;

  // A process that finds no database when it starts has none for ever: this one has read an edit.
  void SetUp() override { site.database.execute("UPDATE callpark.tenants SET description = 'edited'"); }
  void TearDown() override {
    if (HasFailure()) std::cout << site.kamailio->log() << "\n";
  }

  [[nodiscard]] std::string rows() const { return site.database.value("SELECT COUNT(*) FROM callpark.dialog"); }
  [[nodiscard]] std::string cdrs() const { return site.database.value("SELECT COUNT(*) FROM callpark.cdrs"); }
  [[nodiscard]] bool has_rows(int calls) const {
    return wait_until(kSoon, [&] { return rows() == std::to_string(calls); });
  }
  [[nodiscard]] bool has_cdrs(int calls) const {
    return wait_until(kSoon, [&] { return cdrs() == std::to_string(calls); });
  }
  /// Of the only call with a CDR.
  [[nodiscard]] std::string cdr() const {
    if (!has_cdrs(1)) return cdrs() + " CDRs";
    return site.database.value(
        "SELECT CONCAT_WS(' ', tenant, direction, dialled, caller_kind, caller_number, CONCAT('<', caller_name, '>'), "
        "caller_withheld, CONCAT('<', caller_trunk, '>'), callee_kind, callee_number, CONCAT('<', callee_trunk, '>'), "
        "ended) FROM callpark.cdrs");
  }
  void kill_and_start() {
    site.kamailio->kill9();
    site.kamailio->start();
  }
  static int milliseconds_since(Clock::time_point begin) {
    return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count());
  }

  KamailioSite site;
};

// ----- what a CDR has

TEST_F(KamailioCdrs, B4_ACallHasOneCdrWithItsPartiesAndItsDuration) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const auto dialled = Clock::now();
  const CallName call = alice->call("102");
  const auto answered = Clock::now();
  ASSERT_TRUE(has_rows(1)) << "it lasts for some time";
  const int least = milliseconds_since(answered);
  EXPECT_EQ(bob->hang_up(call), 200);
  const int most = milliseconds_since(dialled);
  EXPECT_EQ(cdr(),
            "demo.callpark internal 102 extension 101 <" +
                site.database.value("SELECT display_name FROM callpark.extensions WHERE tenant = 'demo.callpark' AND "
                                    "extension = '101'") +
                "> 0 <> extension 102 <> callee");
  const std::string of_call = " FROM callpark.cdrs WHERE call_id = '" + call + "'";
  const int duration = std::stoi(site.database.value("SELECT duration_ms" + of_call));
  EXPECT_GE(duration, least - 1);
  EXPECT_LE(duration, most + 1);
  EXPECT_EQ(site.database.value("SELECT ABS(TIMESTAMPDIFF(SECOND, ended_at, UTC_TIMESTAMP(3))) < 10 AND day = "
                                "DATE(began_at)" +
                                of_call),
            "1");
  ASSERT_TRUE(has_rows(0));
}

TEST_F(KamailioCdrs, B4_ACallFromATrunkIsIncomingWithTheNumberOfTheTrunk) {
  auto bob = site.phone("102");
  auto trunk = site.trunk();
  const CallName call = trunk->call("+442030000102");
  EXPECT_EQ(trunk->hang_up(call), 200);
  EXPECT_EQ(cdr(), "demo.callpark incoming +442030000102 trunk trunk <> 0 <demo> extension 102 <> caller");
}

TEST_F(KamailioCdrs, B4_ACallToATrunkIsOutgoingWithTheNumberThatWasDialled) {
  site.database.execute("UPDATE callpark.extensions SET display_name = '' WHERE extension = '101'");
  auto alice = site.phone("101");
  auto trunk = site.trunk();
  const CallName call = alice->call("+15551234");
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_EQ(cdr(), "demo.callpark outgoing +15551234 extension 101 <> 0 <> trunk +15551234 <demo> caller");
}

TEST_F(KamailioCdrs, B4_ACallToARingGroupHasTheMemberThatAnswered) {
  site.database.execute(
      "UPDATE callpark.extensions SET display_name = ''; INSERT INTO callpark.ring_group_members (tenant, ring_group, "
      "position, member) VALUES ('demo.callpark', '602', 3, '+15550000')");
  auto alice = site.phone("101");
  auto trunk = site.trunk();
  const CallName outside = alice->call("602");
  EXPECT_EQ(alice->hang_up(outside), 200);
  EXPECT_EQ(cdr(), "demo.callpark outgoing 602 extension 101 <> 0 <> trunk +15550000 <demo> caller");
  site.database.execute("DELETE FROM callpark.cdrs");
  auto erin = site.phone("105");
  const CallName inside = alice->call("602");
  EXPECT_EQ(erin->hang_up(inside), 200);
  EXPECT_EQ(cdr(), "demo.callpark internal 602 extension 101 <> 0 <> extension 105 <> callee");
}

TEST_F(KamailioCdrs, B4_AParkedCallHasItsTalkBeforeThePark) {
  site.database.execute("UPDATE callpark.extensions SET display_name = ''");
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  site.seat->answer_with([](const SipText& request) { return request.method() == "REFER" ? 202 : 200; });
  const CallName call = alice->call("102");
  EXPECT_EQ(alice->refer(call, "*68"), 202);
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_EQ(cdr(), "demo.callpark internal 102 extension 101 <> 0 <> extension 102 <> parked");
}

TEST_F(KamailioCdrs, B4_ACallThatEndsAtOnceHasACdr) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  for (int i = 1; i <= 10; ++i) {
    const CallName call = alice->call("102");
    EXPECT_EQ(alice->hang_up(call), 200);
  }
  EXPECT_TRUE(has_cdrs(10));
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM callpark.cdrs WHERE duration_ms BETWEEN 0 AND 999"), "10");
  EXPECT_TRUE(has_rows(0));
}

TEST_F(KamailioCdrs, B4_ACallThatIsNotAnsweredHasNone) {
  auto alice = site.phone("101");
  auto bob = site.ringing_phone("102");
  auto carol = site.phone("103");
  const CallName refused = alice->start_call("102");
  bob->refuse(bob->wait_incoming(), 486);
  EXPECT_EQ(alice->wait_invite_status(refused), 486);
  const CallName cancelled = alice->start_call("102");
  bob->wait_incoming();
  alice->cancel(cancelled);
  EXPECT_EQ(alice->wait_invite_status(cancelled), 487);
  const CallName call = alice->call("103");
  EXPECT_EQ(alice->hang_up(call), 200);
  ASSERT_TRUE(has_cdrs(1));
  EXPECT_EQ(site.database.value("SELECT call_id FROM callpark.cdrs"), call);
}

TEST_F(KamailioCdrs, B4_ACallWithStrangeCharactersHasACdr) {
  const std::string name = "Zo\xc3\xab '; DROP TABLE cdrs; -- \xff\xfe =1+1";
  const auto trunk_from = [&](const std::string& id_end, const std::string& user) {
    return std::make_unique<PacketPhone>(PacketPhone::Options{.user = "trunk",
                                                              .password = "",
                                                              .domain = site.outside().text(),
                                                              .address = site.trunk_address.text(),
                                                              .proxy = site.outside(),
                                                              .from = "\"" + name + "\" <sip:" + user + "@192.0.2.1>",
                                                              .auto_answer = true,
                                                              .id_end = id_end});
  };
  auto bob = site.phone("102");
  {
    auto trunk = trunk_from("'%5c%x", "%27%22%5c%00%0a%ff");
    const CallName call = trunk->call("+442030000102");
    EXPECT_EQ(bob->hang_up(bob->wait_incoming()), 200);
    ASSERT_TRUE(has_cdrs(1));
    EXPECT_EQ(site.database.value("SELECT call_id FROM callpark.cdrs"), call);
    EXPECT_EQ(site.database.value("SELECT caller_name LIKE 'Zoë ''; DROP TABLE cdrs; -- %=1+1' AND caller_name LIKE "
                                  "CONCAT('%', CONVERT(X'EFBFBD' USING utf8mb4), '%') FROM callpark.cdrs"),
              "1");
    EXPECT_EQ(
        site.database.value("SELECT caller_number = CONCAT('''\"', CHAR(92), '  ', CONVERT(X'EFBFBD' USING utf8mb4)) "
                            "FROM callpark.cdrs"),
        "1");
  }
  site.database.execute("DELETE FROM callpark.cdrs");
  auto trunk = trunk_from(std::string(600, 'x'), std::string(300, 'u'));
  const CallName call = trunk->call("+442030000102");
  EXPECT_EQ(bob->hang_up(bob->wait_incoming()), 200);
  ASSERT_TRUE(has_cdrs(1));
  EXPECT_EQ(site.database.value("SELECT call_id FROM callpark.cdrs"), call.substr(0, 255));
  EXPECT_EQ(site.database.value("SELECT caller_number FROM callpark.cdrs"), std::string(64, 'u'));
}

TEST_F(KamailioCdrs, B4_ACdrCostsNoStatement) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  site.database.execute(
      "SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 0; TRUNCATE mysql.general_log; "
      "SET GLOBAL general_log = 1");
  const CallName call = alice->call("102");
  ASSERT_TRUE(has_rows(1));
  EXPECT_EQ(bob->hang_up(call), 200);
  ASSERT_TRUE(has_cdrs(1));
  ASSERT_TRUE(has_rows(0));
  EXPECT_EQ(site.database.value(
                "SELECT GROUP_CONCAT(LEFT(argument, 18) ORDER BY event_time) FROM mysql.general_log WHERE command_type "
                "IN ('Query', 'Execute') AND user_host LIKE 'callpark%' AND argument NOT LIKE '%tenant_revisions%' AND "
                "argument NOT LIKE '%watchers%' AND argument NOT LIKE '%presentity%'"),
            "INSERT INTO dialog,CALL end_calls(X'5");
}

// ----- exactly once

TEST_F(KamailioCdrs, B4_CallsHaveOneCdrEachAfterAnOutageAndAKill) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  std::vector<CallName> before, during;
  for (int i = 0; i < 8; ++i) before.push_back(alice->call("102"));
  ASSERT_TRUE(has_rows(8));
  site.database.kill9();
  // More than the calls of one statement.
  for (int i = 0; i < 40; ++i) during.push_back(alice->call("102"));
  const auto hang_up = [&](const std::vector<CallName>& calls, std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < end; ++i) EXPECT_EQ(bob->hang_up(calls[i]), 200);
  };
  hang_up(before, 0, 4);
  hang_up(during, 0, 34);
  for (int i = 0; i < 30; ++i) during.push_back(alice->call("102"));
  hang_up(during, 40, 64);
  site.kamailio->kill9();
  site.database.start();
  ASSERT_EQ(cdrs(), "0");
  site.kamailio->start();
  EXPECT_TRUE(has_cdrs(62));
  EXPECT_TRUE(has_rows(16));
  kill_and_start();
  hang_up(before, 4, 8);
  hang_up(during, 34, 40);
  hang_up(during, 64, 70);
  EXPECT_TRUE(has_cdrs(78));
  kill_and_start();
  site.kamailio->restart();
  EXPECT_TRUE(has_rows(0));
  EXPECT_EQ(cdrs(), "78");
  EXPECT_EQ(site.database.value("SELECT COUNT(DISTINCT call_id) FROM callpark.cdrs"), "78");
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM callpark.cdrs WHERE ended = 'callee' AND caller_number = '101'"),
            "78");
}

TEST_F(KamailioCdrs, B4_CallsHaveOneCdrEachAfterAnOutage) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName before = alice->call("102");
  ASSERT_TRUE(has_rows(1));
  site.database.kill9();
  const CallName during = alice->call("102");
  const CallName begins = alice->call("102");
  EXPECT_EQ(alice->hang_up(before), 200);
  EXPECT_EQ(alice->hang_up(during), 200);
  site.database.start();
  EXPECT_TRUE(has_cdrs(2));
  EXPECT_TRUE(has_rows(1));
  EXPECT_EQ(alice->hang_up(begins), 200);
  EXPECT_TRUE(has_cdrs(3));
}

TEST_F(KamailioCdrs, B4_CallsHaveOneCdrEachIfKamailioStopsWithoutTheDatabase) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName before = alice->call("102");
  ASSERT_TRUE(has_rows(1));
  site.database.kill9();
  const CallName during = alice->call("102");
  const CallName begins = alice->call("102");
  EXPECT_EQ(alice->hang_up(before), 200);
  EXPECT_EQ(alice->hang_up(during), 200);
  site.kamailio->stop();
  site.database.start();
  site.kamailio->start();
  EXPECT_TRUE(has_cdrs(2));
  EXPECT_EQ(alice->hang_up(begins), 200);
  EXPECT_TRUE(has_cdrs(3));
  EXPECT_TRUE(has_rows(0));
}

TEST_F(KamailioCdrs, B4_ACallThatIsKilledStraightAfterItsAnswerHasACdr) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  for (int i = 1; i <= 3; ++i) {
    const CallName talks = alice->call("102");
    const CallName ends = alice->call("102");
    EXPECT_EQ(bob->hang_up(ends), 200);
    kill_and_start();
    EXPECT_EQ(bob->hang_up(talks), 200);
    EXPECT_TRUE(has_cdrs(2 * i));
  }
  kill_and_start();
  EXPECT_EQ(cdrs(), "6");
  EXPECT_TRUE(has_rows(0));
}

TEST_F(KamailioCdrs, B4_ACallKeepsTheTimeOfItsAnswerOverAKill) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  const std::string answered = site.database.value("SELECT UTC_TIMESTAMP(3)");
  ASSERT_TRUE(has_rows(1));
  kill_and_start();
  EXPECT_EQ(bob->hang_up(call), 200);
  ASSERT_TRUE(has_cdrs(1));
  EXPECT_EQ(site.database.value("SELECT began_at <= '" + answered + "' AND began_at > '" + answered +
                                "' - INTERVAL 2 SECOND AND ended_at > '" + answered + "' FROM callpark.cdrs"),
            "1");
}

TEST_F(KamailioCdrs, B4_ACallOfAnOlderKamailioHasACdrToTheSecond) {
  site.database.execute("UPDATE callpark.extensions SET display_name = ''");
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  ASSERT_TRUE(has_rows(1));
  site.kamailio->stop();
  const std::string second = site.database.value("SELECT start_time FROM callpark.dialog");
  site.database.execute("UPDATE callpark.dialog SET variables = JSON_REMOVE(variables, '$.began', '$.setup')");
  site.kamailio->start();
  EXPECT_EQ(bob->hang_up(call), 200);
  EXPECT_EQ(cdr(), "demo.callpark internal 102 extension 101 <> 0 <> extension 102 <> callee");
  EXPECT_EQ(site.database.value("SELECT TIMESTAMPDIFF(SECOND, '1970-01-01', began_at) FROM callpark.cdrs"), second);
}

TEST_F(KamailioCdrs, B4_ACdrThatTheDatabaseRefusesHoldsUpNoOtherAndIsStoredLater) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  auto carol = site.phone("103");
  site.database.execute(
      "CREATE TRIGGER callpark.refuses BEFORE INSERT ON callpark.cdrs FOR EACH ROW SET NEW.callee_number = "
      "IF(NEW.caller_number = '101', NULL, NEW.callee_number)");
  const CallName refused = alice->call("102");
  const CallName stored = carol->call("102");
  ASSERT_TRUE(has_rows(2));
  EXPECT_EQ(alice->hang_up(refused), 200);
  EXPECT_EQ(carol->hang_up(stored), 200);
  EXPECT_TRUE(has_cdrs(1));
  EXPECT_TRUE(has_rows(0)) << "no Kamailio may know a call that has ended";
  EXPECT_EQ(site.database.value("SELECT call_id FROM callpark.cdrs"), stored);
  kill_and_start();
  EXPECT_EQ(cdrs(), "1");
  site.database.execute("DROP TRIGGER callpark.refuses");
  kill_and_start();
  EXPECT_TRUE(has_cdrs(2));
  EXPECT_FALSE(std::filesystem::exists(site.kamailio->directory() / "call_journal.refused"));
}

}  // namespace
}  // namespace callpark::test
