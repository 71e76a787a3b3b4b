// What Kamailio remembers of the database: calls while it is away, edits that count while calls go on, how many
// statements a call costs, and what a restart knows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/component/kamailio_site.h"
#include "tests/support/lamp_watcher.h"

namespace callpark::test {
namespace {

int status_of_call(PacketPhone& phone, const std::string& target) {
  return phone.wait_invite_status(phone.start_call(target));
}

bool may_register(KamailioSite& site, const std::string& user) {
  try {
    site.phone(user);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

class KamailioRemembered : public testing::Test {
 protected:
  // A process that finds no database when it starts has none for ever: this one has read an edit.
  void SetUp() override { site.database.execute("UPDATE callpark.tenants SET description = 'edited'"); }
  void TearDown() override {
    if (HasFailure()) std::cout << site.kamailio->log() << "\n";
  }

  /// How many calls a Kamailio that was killed now would know.
  [[nodiscard]] bool has_rows(int calls) const {
    return wait_until(
        kSoon, [&] { return site.database.value("SELECT COUNT(*) FROM callpark.dialog") == std::to_string(calls); });
  }
  [[nodiscard]] bool has_hold() const {
    const std::string query = R"(SELECT COUNT(*) FROM callpark.dialog WHERE variables REGEXP '"held_[ab]":"[0-9]')";
    return wait_until(kSoon, [&] { return site.database.value(query) == "1"; });
  }
  void kill_and_start() {
    site.kamailio->kill9();
    site.kamailio->start();
  }
  std::unique_ptr<LampWatcher> watcher(const std::string& lamp, const std::string& user) {
    addresses_.emplace_back();
    return std::make_unique<LampWatcher>(LampWatcher::Options{.user = user,
                                                              .password = "demo-" + user,
                                                              .lamp = lamp,
                                                              .address = addresses_.back().text(),
                                                              .proxy = site.outside()});
  }
  void expect_dark(const std::string& lamp) {
    const auto seen = watcher(lamp, "101");
    EXPECT_EQ(seen->subscribe(), 200);
    EXPECT_TRUE(seen->wait_state("terminated")) << lamp;
    EXPECT_EQ(seen->history().front().state, "terminated") << lamp;
  }

  KamailioSite site;

 private:
  std::vector<LoopbackAddress> addresses_;
};

// ----- while the database is away

TEST_F(KamailioRemembered, CallsAreSetUpHeldAndEndedWithoutTheDatabase) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  auto carol = site.phone("103");
  const CallName before = alice->call("102");
  site.database.kill9();
  EXPECT_EQ(alice->offer(before, "sendonly"), 200);
  const CallName during = alice->call("103");
  EXPECT_EQ(carol->wait_incoming(), during);
  EXPECT_EQ(alice->offer(during, "sendonly"), 200);
  EXPECT_EQ(alice->offer(during, "sendrecv"), 200);
  EXPECT_EQ(carol->hang_up(during), 200);
  EXPECT_EQ(bob->hang_up(before), 200);
}

TEST_F(KamailioRemembered, X2_ACallIsSetUpHeldResumedTransferredAndEndedWhileTheDatabaseIsStopped) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  auto carol = site.phone("103");
  site.database.stop();
  const CallName call = alice->call("102");
  ASSERT_EQ(bob->wait_incoming(), call);
  EXPECT_EQ(bob->offer(call, "sendonly"), 200);
  EXPECT_EQ(alice->audio_remote(call), Endpoint());
  EXPECT_EQ(bob->offer(call, "sendrecv"), 200);
  EXPECT_EQ(alice->audio_remote(call), bob->sound().own());
  EXPECT_EQ(bob->offer(call, "sendonly"), 200);

  EXPECT_EQ(bob->refer(call, "103"), 200) << "what Alice's phone answers to it";
  const auto received = alice->received(call);
  const auto refer = std::ranges::find_if(
      received, [](const SipText& message) { return message.is_request() && message.method() == "REFER"; });
  ASSERT_NE(refer, received.end());
  ASSERT_EQ(uri_in(refer->header("Refer-To")), "sip:103@demo.callpark");
  const CallName transferred = alice->call(uri_in(refer->header("Refer-To")));
  ASSERT_EQ(carol->wait_incoming(), transferred);
  EXPECT_EQ(alice->request(call, "NOTIFY",
                           "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n"
                           "Content-Type: message/sipfrag\r\n",
                           "SIP/2.0 200 OK\r\n"),
            200);
  EXPECT_EQ(bob->transfer_reports(call), std::vector<std::string>{"SIP/2.0 200 OK"});
  EXPECT_EQ(bob->hang_up(call), 200);
  EXPECT_TRUE(alice->is_closed(call));
  EXPECT_EQ(alice->audio_remote(transferred), carol->sound().own());
  EXPECT_EQ(carol->hang_up(transferred), 200);
  EXPECT_TRUE(alice->is_closed(transferred));
}

TEST_F(KamailioRemembered, NumbersThatNobodyHasDialledAreReachedWithoutTheDatabase) {
  auto alice = site.phone("101");
  auto erin = site.phone("105");
  auto frank = site.phone("106");
  auto trunk = site.trunk();
  site.database.kill9();
  EXPECT_EQ(status_of_call(*alice, "602"), 200) << "a ring group";
  EXPECT_EQ(status_of_call(*alice, "+15551234"), 200) << "the telephone network";
  EXPECT_EQ(status_of_call(*trunk, "+442030000106"), 200) << "a DID";
  EXPECT_EQ(status_of_call(*alice, "*88105"), 200) << "a code";
  EXPECT_EQ(status_of_call(*alice, "7005"), 200) << "an orbit";
  EXPECT_EQ(status_of_call(*alice, "sip:106@" + frank->options().address + ":5060"), 200) << "a Contact";
  EXPECT_EQ(status_of_call(*alice, "199"), 404) << "nobody";
}

TEST_F(KamailioRemembered, PhonesRegisterAndRefreshWithoutTheDatabase) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  site.database.kill9();
  EXPECT_NO_THROW(bob->register_phone());
  auto carol = site.phone("103");
  EXPECT_NO_THROW(carol->register_phone());
  EXPECT_EQ(status_of_call(*alice, "102"), 200);
  EXPECT_EQ(status_of_call(*alice, "103"), 200);
  EXPECT_EQ(status_of_call(*carol, "101"), 200);
  site.database.start();
  EXPECT_TRUE(wait_until(kSoon, [&] {
    carol->register_phone();
    return site.database.value("SELECT COUNT(*) FROM callpark.location WHERE username = '103'") == "1";
  })) << "a phone that came meanwhile is written when it registers again";
}

TEST_F(KamailioRemembered, PhonesRegisterWhileTheDatabaseHangs) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  site.database.pause();
  EXPECT_TRUE(wait_until(kSoon, [&] { return may_register(site, "103"); }));
  EXPECT_EQ(status_of_call(*alice, "102"), 200);
  site.database.resume();
}

TEST_F(KamailioRemembered, WhatBecameOfCallsIsWrittenWhenTheDatabaseIsBack) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName ends = alice->call("102");
  const CallName stays = alice->call("102");
  ASSERT_TRUE(has_rows(2));
  site.database.kill9();
  const CallName begins = alice->call("102");
  const CallName passes = alice->call("102");
  EXPECT_EQ(alice->hang_up(ends), 200);
  EXPECT_EQ(alice->hang_up(passes), 200);
  EXPECT_EQ(alice->offer(stays, "sendonly"), 200);
  site.database.start();
  EXPECT_TRUE(wait_until(kSoon, [&] {
    return site.database.value("SELECT GROUP_CONCAT(callid ORDER BY callid) FROM callpark.dialog") ==
           std::min(begins, stays) + "," + std::max(begins, stays);
  }));
  EXPECT_TRUE(wait_until(kSoon, [&] {
    return site.database.value("SELECT COUNT(*) FROM callpark.dialog WHERE variables LIKE '%\"held_a\":\"1%'") == "1";
  }));
}

TEST_F(KamailioRemembered, AWrongPasswordIsWrongWithoutTheDatabaseToo) {
  auto alice = site.phone("101");
  site.database.kill9();
  const LoopbackAddress address;
  PacketPhone stranger({.user = "102", .password = "wrong", .address = address.text(), .proxy = site.outside()});
  EXPECT_ANY_THROW(stranger.register_phone());
}

// ----- edits

TEST_F(KamailioRemembered, AnEditOfAnExtensionCounts) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  site.database.execute(
      "UPDATE callpark.extensions SET enabled = 0 WHERE tenant = 'demo.callpark' AND extension = '102'");
  EXPECT_EQ(status_of_call(*alice, "102"), 480);
  EXPECT_FALSE(may_register(site, "102"));
  site.database.execute(
      "UPDATE callpark.extensions SET enabled = 1, password = 'new' WHERE tenant = 'demo.callpark' "
      "AND extension = '102'");
  EXPECT_EQ(status_of_call(*alice, "102"), 200);
  EXPECT_FALSE(may_register(site, "102")) << "the old password";
  site.database.execute(
      "INSERT INTO callpark.extensions (tenant, extension, password) VALUES ('demo.callpark', '177', "
      "'demo-177')");
  EXPECT_TRUE(may_register(site, "177"));
  site.database.execute("DELETE FROM callpark.extensions WHERE extension = '177'");
  EXPECT_FALSE(may_register(site, "177"));
  EXPECT_EQ(status_of_call(*alice, "177"), 404);
}

TEST_F(KamailioRemembered, AnEditOfATenantCounts) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  auto trunk = site.trunk();
  site.database.execute("UPDATE callpark.tenants SET enabled = 0 WHERE tenant = 'demo.callpark'");
  EXPECT_EQ(status_of_call(*trunk, "+442030000102"), 404);
  EXPECT_EQ(status_of_call(*alice, "102"), 403);
  EXPECT_FALSE(may_register(site, "103"));
  site.database.execute("UPDATE callpark.tenants SET enabled = 1 WHERE tenant = 'demo.callpark'");
  EXPECT_EQ(status_of_call(*trunk, "+442030000102"), 200);
  EXPECT_EQ(status_of_call(*alice, "102"), 200);
}

TEST_F(KamailioRemembered, AnEditOfATrunkCounts) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  auto trunk = site.trunk();
  EXPECT_EQ(status_of_call(*trunk, "+442030000102"), 200);
  site.database.execute("UPDATE callpark.trunks SET enabled = 0 WHERE tenant = 'demo.callpark'");
  EXPECT_EQ(status_of_call(*trunk, "+442030000102"), 403);
  EXPECT_EQ(status_of_call(*alice, "+15551234"), 404);
  site.database.execute("UPDATE callpark.trunks SET enabled = 1, address = '192.0.2.7' WHERE tenant = 'demo.callpark'");
  EXPECT_EQ(status_of_call(*trunk, "+442030000102"), 403) << "no trunk's address any more";
  site.database.execute("UPDATE callpark.trunks SET address = '" + site.trunk_address.text() +
                        "' WHERE tenant = 'demo.callpark'");
  EXPECT_EQ(status_of_call(*trunk, "+442030000102"), 200);
  EXPECT_EQ(status_of_call(*alice, "+15551234"), 200);
}

TEST_F(KamailioRemembered, ADidThatMovesRingsElsewhere) {
  auto bob = site.phone("102");
  auto carol = site.phone("103");
  auto olga = site.phone("101", "other.callpark");
  auto trunk = site.trunk();
  site.database.execute("UPDATE callpark.dids SET destination = '103' WHERE did = '+442030000102'");
  const CallName call = trunk->call("+442030000102");
  EXPECT_EQ(carol->wait_incoming(), call);
  site.database.execute("INSERT INTO callpark.trunks (tenant, trunk, address) VALUES ('other.callpark', 'theirs', '" +
                        site.trunk_address.text() + "')");
  for (int i = 0; i < 3; ++i) {
    site.database.execute(
        "UPDATE callpark.dids SET tenant = 'other.callpark', destination = '101' WHERE did = "
        "'+442030000102'");
    const CallName theirs = trunk->call("+442030000102");
    EXPECT_EQ(olga->wait_incoming(), theirs) << "another tenant's";
    site.database.execute(
        "UPDATE callpark.dids SET tenant = 'demo.callpark', destination = '103' WHERE did = "
        "'+442030000102'");
    const CallName ours = trunk->call("+442030000102");
    EXPECT_EQ(carol->wait_incoming(), ours) << "back";
  }
  site.database.execute("DELETE FROM callpark.dids WHERE did = '+442030000102'");
  EXPECT_EQ(status_of_call(*trunk, "+442030000102"), 404);
}

TEST_F(KamailioRemembered, AnEditOfARingGroupACodeOrARangeCounts) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  EXPECT_EQ(status_of_call(*alice, "602"), 480) << "none of its members is registered";
  site.database.execute(
      "INSERT INTO callpark.ring_group_members (tenant, ring_group, position, member) VALUES "
      "('demo.callpark', '602', 3, '102')");
  const CallName call = alice->call("602");
  EXPECT_EQ(bob->wait_incoming(), call);
  site.database.execute("DELETE FROM callpark.ring_group_members WHERE member = '102'");
  EXPECT_EQ(status_of_call(*alice, "602"), 480);
  site.database.execute("UPDATE callpark.orbit_ranges SET enabled = 0");
  EXPECT_EQ(status_of_call(*alice, "7005"), 404);
  site.database.execute(
      "INSERT INTO callpark.park_codes (tenant, code, action) VALUES ('demo.callpark', '*99', "
      "'retrieve')");
  EXPECT_EQ(status_of_call(*alice, "*99102"), 200);
}

TEST_F(KamailioRemembered, EditsCountAfterTheDatabaseWasAway) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  site.database.kill9();
  EXPECT_EQ(status_of_call(*alice, "102"), 200);
  site.database.start();
  site.database.execute(
      "UPDATE callpark.extensions SET enabled = 0 WHERE tenant = 'demo.callpark' AND extension = '102'");
  EXPECT_EQ(status_of_call(*alice, "102"), 480);
}

// More than one page of rows, and all of them known at the start.
TEST_F(KamailioRemembered, AnyNumberOfExtensionsIsRemembered) {
  const auto used = [&] {
    return nlohmann::json::parse(site.kamailio->rpc("core.shmmem"))["result"]["used"].get<std::int64_t>();
  };
  const std::int64_t before = used();
  site.database.execute(
      "INSERT INTO callpark.extensions (tenant, extension, password, display_name) SELECT "
      "'demo.callpark', seq, CONCAT('demo-', seq), 'A Phone' FROM seq_20001_to_21800");
  std::cout << (used() - before) / 1800 << " bytes of shared memory an extension\n";
  auto last = site.phone("21800");
  auto first = site.phone("20001");
  EXPECT_EQ(status_of_call(*first, "21800"), 200);
  site.kamailio->restart();
  site.database.kill9();
  EXPECT_EQ(status_of_call(*last, "20001"), 200);
  EXPECT_EQ(status_of_call(*last, "21799"), 480);
  EXPECT_EQ(status_of_call(*last, "21801"), 404);
}

// ----- what calls cost

/// The statements of calls since they began to be logged: without the reader of revisions, and the timers of lamps.
std::string statements(const KamailioSite& site) {
  return site.database.value(
      "SELECT GROUP_CONCAT(argument SEPARATOR '\n') FROM mysql.general_log WHERE command_type IN ('Query', 'Execute') "
      "AND user_host LIKE 'callpark%' AND argument NOT LIKE '%tenant_revisions%' AND argument NOT LIKE "
      "'%active_watchers%' AND argument NOT LIKE '%presentity%' AND argument NOT LIKE '%watchers%'");
}

void log_statements(KamailioSite& site) {
  site.database.execute(
      "SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 0; TRUNCATE mysql.general_log; "
      "SET GLOBAL general_log = 1");
}

std::size_t count_lines(const std::string& text) {
  std::size_t lines = 0;
  for (std::size_t at = text.find("dialog"); at != std::string::npos; at = text.find("\\n", at + 1)) ++lines;
  return lines;
}

TEST_F(KamailioRemembered, X40_AnOrdinaryCallMakesTwoStatements) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  auto trunk = site.trunk();
  log_statements(site);
  for (const bool from_trunk : {false, true}) {
    PacketPhone& caller = from_trunk ? *trunk : *alice;
    const CallName call = caller.call(from_trunk ? "+442030000102" : "102");
    ASSERT_TRUE(has_rows(1));
    EXPECT_EQ(bob->hang_up(call), 200);
    ASSERT_TRUE(has_rows(0));
    EXPECT_EQ(count(*bob, call, "INVITE"), 1U);
  }
  const std::string made = statements(site);
  EXPECT_LE(count_lines(made), 4U) << made;
}

TEST_F(KamailioRemembered, X40_AnAnswerThatIsSentAgainIsNotWrittenAgain) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  auto carol = site.phone("103");
  auto dave = site.phone("104");
  log_statements(site);
  const CallName call = alice->call("102");
  ASSERT_TRUE(has_rows(1));
  bob->answer(call);
  ASSERT_TRUE(wait_until(kSoon, [&] { return count(*bob, call, "ACK") == 2; }));
  // What has changed by then is written together with this call.
  carol->call("104");
  ASSERT_TRUE(has_rows(2));
  std::string call_id;
  for (const unsigned char byte : call) call_id += fmt::format("{:02x}", byte);
  const std::string made = statements(site);
  const auto first = made.find(call_id);
  EXPECT_NE(first, std::string::npos) << made;
  EXPECT_EQ(made.find(call_id, first + 1), std::string::npos) << made;
}

TEST_F(KamailioRemembered, X40_WhatIsNoNumberAndWhoIsNobodyMakeNoStatement) {
  auto alice = site.phone("101");
  const LoopbackAddress unknown;
  PacketPhone stranger({.user = "nobody",
                        .password = "x",
                        .domain = "none.callpark",
                        .address = unknown.text(),
                        .proxy = site.outside()});
  log_statements(site);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(status_of_call(*alice, "9" + std::to_string(i)), 404);
    EXPECT_EQ(status_of_call(stranger, "101"), 403);
  }
  const std::string made = statements(site);
  EXPECT_TRUE(made.empty() || made == "NULL") << made;
}

// ----- restarts

TEST_F(KamailioRemembered, X20_TheLampsOfACallThatHasEndedAreDarkAfterAKill) {
  auto dave = site.phone("104");
  auto erin = site.phone("105");
  const CallName call = dave->call("105");
  ASSERT_TRUE(has_rows(1));
  EXPECT_EQ(erin->hang_up(call), 200);
  ASSERT_TRUE(has_rows(0));
  kill_and_start();
  expect_dark("104");
  expect_dark("105");
}

TEST_F(KamailioRemembered, X20_TheLampsOfACallThatHasEndedAreDarkAfterARestart) {
  auto dave = site.phone("104");
  auto erin = site.phone("105");
  const CallName call = dave->call("105");
  ASSERT_TRUE(has_rows(1));
  EXPECT_EQ(erin->hang_up(call), 200);
  site.kamailio->restart();
  expect_dark("104");
  expect_dark("105");
  EXPECT_TRUE(has_rows(0));
}

// A call of which the database does not know the end.
TEST_F(KamailioRemembered, X20_TheLampsOfACallThatHasJustEndedAreDarkAfterAKill) {
  auto dave = site.phone("104");
  auto erin = site.phone("105");
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName ended = dave->call("105");
  const CallName goes_on = alice->call("102");
  ASSERT_TRUE(has_rows(2));
  site.database.kill9();
  EXPECT_EQ(erin->hang_up(ended), 200);
  site.kamailio->kill9();
  site.database.start();
  ASSERT_EQ(site.database.value("SELECT COUNT(*) FROM callpark.dialog"), "2");
  site.kamailio->start();
  expect_dark("104");
  expect_dark("105");
  EXPECT_TRUE(has_rows(1));
  kill_and_start();
  const auto seen = watcher("101", "104");
  EXPECT_EQ(seen->subscribe(), 200);
  EXPECT_TRUE(seen->wait_state("confirmed"));
  EXPECT_EQ(bob->hang_up(goes_on), 200);
  EXPECT_TRUE(seen->wait_state("terminated"));
}

// They do not grow while the database stores what ends.
TEST_F(KamailioRemembered, X20_TheJournalOfCallsIsEmptiedWhileCallsComeAndGo) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const auto sizes = [&] {
    std::uintmax_t sum = 0;
    for (const char* name : {"call_journal.0", "call_journal.1"}) {
      std::error_code absent;
      const auto size = std::filesystem::file_size(site.kamailio->directory() / name, absent);
      if (!absent) sum += size;
    }
    return sum;
  };
  const CallName call = alice->call("102");
  ASSERT_TRUE(has_rows(1));
  EXPECT_EQ(bob->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return sizes() > 0; }));
  EXPECT_TRUE(wait_until(std::chrono::seconds(40), [&] { return sizes() == 0; }));
}

TEST_F(KamailioRemembered, X20_AHeldCallThatHasEndedIsNotParked) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  ASSERT_EQ(alice->offer(call, "sendonly"), 200);
  ASSERT_TRUE(has_rows(1));
  EXPECT_EQ(bob->hang_up(call), 200);
  site.kamailio->restart();
  EXPECT_EQ(alice->wait_invite_status(alice->start_call("*70")), 200);
  EXPECT_EQ(site.seat->wait_request("INVITE").header("X-Callpark-Dialog"), "");
}

TEST_F(KamailioRemembered, X20_AHoldIsKnownAfterARestartStraightBehindIt) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  ASSERT_EQ(alice->offer(call, "sendonly"), 200);
  site.kamailio->restart();
  EXPECT_EQ(alice->wait_invite_status(alice->start_call("*70")), 200);
  EXPECT_EQ(dialog_in(site.seat->wait_request("INVITE"))["call_id"], call);
}

TEST_F(KamailioRemembered, X20_ACallIsKnownAfterTwoRestartsAndForgottenAtItsEnd) {
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  const CallName call = alice->call("102");
  site.kamailio->restart();
  site.kamailio->restart();
  ASSERT_EQ(alice->offer(call, "sendonly"), 200);
  ASSERT_TRUE(has_hold());
  kill_and_start();
  EXPECT_EQ(alice->wait_invite_status(alice->start_call("*70")), 200);
  EXPECT_EQ(dialog_in(site.seat->wait_request("INVITE"))["call_id"], call);
  EXPECT_EQ(bob->hang_up(call), 200);
  EXPECT_TRUE(has_rows(0));
}

// Texts that are too long for the columns of Kamailio's own script.
TEST_F(KamailioRemembered, X20_ACallWithLongTextsIsKnownAfterAKill) {
  auto bob = site.phone("102");
  PacketPhone trunk({.user = std::string(300, 'u'),
                     .password = "",
                     .domain = site.outside().text(),
                     .address = site.trunk_address.text(),
                     .proxy = site.outside(),
                     .auto_answer = true});
  const CallName call = trunk.call("+442030000102");
  ASSERT_EQ(bob->offer(call, "sendonly"), 200);
  ASSERT_TRUE(has_hold());
  kill_and_start();
  EXPECT_EQ(bob->wait_invite_status(bob->start_call("*70")), 200);
  EXPECT_EQ(dialog_in(site.seat->wait_request("INVITE"))["call_id"], call);
}

}  // namespace
}  // namespace callpark::test
