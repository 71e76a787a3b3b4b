// Call flows on the whole product: their main number, the code that toggles them, PINs, locks, schedules, and their
// lamps. The demo tenant's flow 300 leads to 105, or, toggled by *30, to 106.
#include <gmock/gmock.h>

#include <cstdlib>

#include "base/clock.h"
#include "tests/e2e/park_site.h"
#include "tests/support/lamp_watcher.h"

namespace callpark::test {
namespace {

using std::chrono::seconds;

class CallFlows : public ParkTest {
 protected:
  static constexpr int kAva = 7;
  static constexpr int kBen = 8;
  static constexpr int kCal = 9;

  static void set(const std::string& assignments) {
    site().database().execute("UPDATE call_flows SET " + assignments + " WHERE name = 'day-night'");
  }
  static void reset() {
    set("status = 'on', pin = '1234', enabled = TRUE, destination = '105', alternate_destination = '106', "
        "destination_sound = '', alternate_sound = '', schedule = NULL");
    site().database().execute(
        "UPDATE orbit_ranges SET restricted = FALSE, from_trunks = FALSE; "
        "UPDATE dids SET destination = '300' WHERE did = '+442030000300'; "
        "UPDATE ring_groups SET destination = NULL; "
        "DELETE FROM call_flow_guesses; DELETE FROM call_flow_events; DELETE FROM schedules; "
        "UPDATE tenants SET time_zone = 'UTC'");
  }
  static std::string status() {
    return site().database().value("SELECT status FROM call_flows WHERE name = 'day-night'");
  }
  static testing::AssertionResult becomes(const std::string& wanted, std::chrono::milliseconds timeout = kSoon) {
    if (wait_until(timeout, [&] { return status() == wanted; })) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "the flow is " << status();
  }
  static std::string events() {
    return site().database().value(
        "SELECT COALESCE(GROUP_CONCAT(event, ' ', party ORDER BY id SEPARATOR ', '), '') FROM call_flow_events");
  }
  static testing::AssertionResult events_become(const std::string& wanted) {
    if (wait_until(kSoon, [&] { return events() == wanted; })) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "the events are [" << events() << "]";
  }
  /// Lamps follow the reading of call flows alone, and not the comparison.
  static void SetUpTestSuite() {
    TestSite::Options options;
    options.parkd_settings = "presence:\n  compare_every_ms: 60000\n";
    start_site(std::move(options));
  }
  void SetUp() override {
    ParkTest::SetUp();
    reset();
    ava_ = site().packet_phone("104", kAva);
    ben_ = site().packet_phone("105", kBen);
    cal_ = site().packet_phone("106", kCal);
  }
  void TearDown() override {
    for (const auto& watcher : watchers_) {
      for (const auto& complaint : watcher->complaints()) ADD_FAILURE() << complaint;
    }
    watchers_.clear();
    ava_.reset();
    ben_.reset();
    cal_.reset();
    client_.reset();
    reset();
    ParkTest::TearDown();
  }

  LampWatcher& lamp(const std::string& number) {
    addresses_.emplace_back();
    LampWatcher::Options options;
    options.lamp = number;
    options.user = "102";
    options.password = "demo-102";
    options.address = addresses_.back().text();
    options.proxy = site().outside();
    watchers_.push_back(std::make_unique<LampWatcher>(options));
    EXPECT_EQ(watchers_.back()->subscribe(), 200) << number;
    return *watchers_.back();
  }
  /// Returns when Kamailio has read what parkd has changed.
  static void wait_read() { site().database().execute("DO 0"); }
  /// 104 calls the main number, `callee` rings and answers, and the two hear each other.
  void expect_leads_to(PacketPhone& callee) {
    const CallName call = ava_->start_call("300");
    const CallName rings = callee.wait_incoming();
    callee.answer(rings);
    EXPECT_EQ(ava_->wait_invite_status(call), 200);
    EXPECT_TRUE(hear_each_other(*ava_, callee));
    EXPECT_EQ(ava_->hang_up(call), 200);
    EXPECT_TRUE(wait_until(kSoon, [&] { return callee.is_closed(rings); }));
  }
  static void enter(PacketPhone& phone, const CallName& call, const std::string& keys,
                    PacketPhone::InfoDigit kind = PacketPhone::InfoDigit::kDtmfRelay) {
    for (const char key : keys) EXPECT_EQ(phone.send_info_digit(call, key, kind), 200) << "a key by INFO";
  }
  /// A client from the telephone network is parked by 104 at 7002.
  void park_client() {
    client_ = site().trunk_caller(kClient);
    client_call_ = client_->start_call("+442030000104");
    const CallName at_ava = ava_->wait_incoming();
    ava_->answer(at_ava);
    ASSERT_EQ(client_->wait_invite_status(client_call_), 200);
    park(*ava_, at_ava, "7002", "7002");
    ava_->hang_up(at_ava);
  }
  /// `phone` ends its call with the client.
  void expect_end(PacketPhone& phone, const CallName& call) {
    EXPECT_EQ(phone.hang_up(call), 200);
    EXPECT_TRUE(is_over(*client_, client_call_));
  }
  /// The start line of the final answer to a call, behind "spoken: " if there was a 183.
  static std::string refusal_of(PacketPhone& phone, const std::string& dialled) {
    const CallName call = phone.start_call(dialled);
    phone.wait_invite_status(call, seconds(15));
    bool is_spoken = false;
    std::string refusal;
    for (const SipText& message : phone.received(call)) {
      is_spoken |= message.status() == 183;
      if (message.status() >= 200) refusal = message.start_line();
    }
    return (is_spoken ? "spoken: " : "") + refusal;
  }
  CallName dial_code(PacketPhone& phone) {
    const CallName call = phone.start_call("*30");
    EXPECT_EQ(phone.wait_invite_status(call), 200);
    return call;
  }
  static bool is_over(const PacketPhone& phone, const CallName& call, std::chrono::milliseconds timeout = kSoon) {
    return wait_until(timeout, [&] { return phone.is_closed(call); });
  }
  std::unique_ptr<PacketPhone> ava_;
  std::unique_ptr<PacketPhone> ben_;
  std::unique_ptr<PacketPhone> cal_;
  std::unique_ptr<PacketPhone> client_;
  CallName client_call_;
  std::vector<std::unique_ptr<LampWatcher>> watchers_;
  std::vector<LoopbackAddress> addresses_;
};

TEST_F(CallFlows, F3_F5_ThePinByRfc4733TogglesAndTheLampsFollow) {
  LampWatcher& code = lamp("*30");
  LampWatcher& key = lamp("flow+*30");
  LampWatcher& number = lamp("300");
  for (const auto& one : watchers_) EXPECT_TRUE(one->wait_state("terminated")) << one->options().lamp;
  expect_leads_to(*ben_);

  const CallName call = dial_code(*ben_);
  EXPECT_TRUE(hears_music(*ben_)) << "the prompt";
  ben_->sound().press("1234");
  EXPECT_TRUE(becomes("off"));
  for (const LampWatcher* one : {&code, &key, &number})
    EXPECT_TRUE(one->wait_state("confirmed")) << one->options().lamp;
  EXPECT_TRUE(hears_music(*ben_)) << "the sound of the mode";
  EXPECT_TRUE(is_over(*ben_, call)) << "the call ends by itself";
  EXPECT_EQ(events(), "toggled 105");
  expect_leads_to(*cal_);

  set("status = 'on'");
  for (const LampWatcher* one : {&code, &key, &number}) EXPECT_TRUE(one->wait_state("terminated", seconds(2) + kSoon));
  EXPECT_EQ(events(), "toggled 105, toggled sql");
}

TEST_F(CallFlows, F2_APhoneThatTheFlowHasLedToParksThoughTheFlowWasEdited) {
  const auto client = site().trunk_caller(kClient);
  const CallName call = client->start_call("+442030000104");
  const CallName at_ava = ava_->wait_incoming();
  ava_->answer(at_ava);
  ASSERT_EQ(client->wait_invite_status(call), 200);
  park(*ava_, at_ava, "*68", "104");
  ava_->hang_up(at_ava);
  const CallName at_cal = retrieve(*cal_, "*88104", *client);
  ASSERT_EQ(cal_->refer(at_cal, "300"), 202);
  const CallName at_ben = ben_->wait_incoming();
  ben_->answer(at_ben);
  ASSERT_TRUE(hear_each_other(*client, *ben_));
  set("destination = '104'");
  wait_read();
  park(*ben_, at_ben, "*68", "105");
  ben_->hang_up(at_ben);
  const CallName again = retrieve(*ava_, "*88105", *client);
  EXPECT_EQ(client->hang_up(call), 200);
  EXPECT_TRUE(is_over(*ava_, again));
}

TEST_F(CallFlows, F2_AnExtensionRetrievesAtTheOrbitOfTheAlternateMode) {
  park_client();
  set("alternate_destination = '7002'");
  expect_leads_to(*ben_);
  EXPECT_TRUE(parked_at("7002"));
  set("status = 'off'");
  const CallName call = retrieve(*cal_, "300", *client_);
  EXPECT_EQ(site().database().value("SELECT retriever FROM parked_calls"), "106");
  expect_end(*cal_, call);
}

TEST_F(CallFlows, F2_ATrunkRetrievesAtTheOrbitIfTheRangeLetsIt) {
  const auto partner = site().trunk_caller(kSecondClient);
  for (const std::string edit : {"UPDATE call_flows SET status = 'off' WHERE name = 'day-night'",
                                 "UPDATE dids SET destination = '7002' WHERE did = '+442030000300'"}) {
    park_client();
    set("alternate_destination = '7002'");
    site().database().execute(edit);
    EXPECT_EQ(refusal_of(*partner, "+442030000300"), "SIP/2.0 404 Not Found");
    EXPECT_TRUE(parked_at("7002")) << edit;
    site().database().execute("UPDATE orbit_ranges SET from_trunks = TRUE");
    const CallName call = retrieve(*partner, "+442030000300", *client_);
    EXPECT_EQ(site().database().value("SELECT retriever FROM parked_calls"), "trunk demo");
    expect_end(*partner, call);
    EXPECT_TRUE(wait_until(kSoon, [] { return site().database().value("SELECT COUNT(*) FROM parked_calls") == "0"; }));
    reset();
  }
}

TEST_F(CallFlows, F2_TheOrbitOfAFlowIsRefusedAsIfItWereDialled) {
  const auto partner = site().trunk_caller(kSecondClient);
  set("destination = '7002'");
  const auto expect_same = [](PacketPhone& phone, const std::string& number, const std::string& refusal) {
    EXPECT_EQ(refusal_of(phone, number), refusal);
    EXPECT_EQ(refusal_of(phone, "7002"), refusal) << "as dialled";
  };
  const std::string did = "+442030000300";
  expect_same(*cal_, "300", "spoken: SIP/2.0 404 No call parked there");
  expect_same(*partner, did, "SIP/2.0 404 Not Found");
  site().database().execute("UPDATE orbit_ranges SET from_trunks = TRUE, restricted = TRUE");
  expect_same(*partner, did, "spoken: SIP/2.0 404 No call parked there");
  expect_same(*cal_, "300", "spoken: SIP/2.0 403 Not permitted in this orbit range");
}

TEST_F(CallFlows, F2_ACallerRetrievesBehindARingGroupThatDoesNotAnswer) {
  park_client();
  site().database().execute("UPDATE ring_groups SET destination = '7002' WHERE ring_group = '602'");
  const CallName call = ava_->start_call("602");
  for (PacketPhone* member : {ben_.get(), cal_.get()}) {
    ASSERT_EQ(member->wait_incoming(), call);
    member->refuse(call, 486);
  }
  EXPECT_EQ(ava_->wait_invite_status(call), 200);
  EXPECT_TRUE(hear_each_other(*ava_, *client_));
  expect_end(*ava_, call);
}

TEST_F(CallFlows, F3_ARealPhoneEntersThePin) {
  ben_.reset();
  // RTP of baresip 1.0.0 comes from 127.0.0.1 whatever its address is, and mediad drops it (ADR 18).
  const auto phone = site().linphone(site().phone("105", kBen));
  const CallName call = phone->dial_until_answered("*30");
  EXPECT_TRUE(hears_music(*phone)) << "the prompt";
  phone->send_digits(call, "1234");
  EXPECT_TRUE(becomes("off"));
  EXPECT_TRUE(has_no_call(*phone)) << "the call ends by itself";
  EXPECT_EQ(events(), "toggled 105");
}

TEST_F(CallFlows, F3_ThePinByInfoToggles) {
  const CallName call = dial_code(*ben_);
  enter(*ben_, call, "1234");
  EXPECT_TRUE(becomes("off"));
  EXPECT_TRUE(is_over(*ben_, call));
  const CallName again = dial_code(*ben_);
  enter(*ben_, again, "99*1234", PacketPhone::InfoDigit::kDtmf);
  EXPECT_TRUE(becomes("on"));
  EXPECT_TRUE(is_over(*ben_, again));
  EXPECT_EQ(events(), "toggled 105, toggled 105");
}

TEST_F(CallFlows, F3_AnotherBodyIsRefused) {
  const CallName call = dial_code(*ben_);
  EXPECT_EQ(ben_->request(call, "INFO", "Content-Type: text/plain\r\n", "5"), 415);
  EXPECT_EQ(ben_->request(call, "INFO"), 200);
  EXPECT_EQ(ben_->hang_up(call), 200);
  EXPECT_EQ(status(), "on");
}

TEST_F(CallFlows, F3_AHashedPinEndsWithAHash) {
  set("pin = CONCAT('sha256:pepper0salt:', SHA2('pepper0salt98765', 256))");
  const CallName call = dial_code(*ben_);
  enter(*ben_, call, "98765#");
  EXPECT_TRUE(becomes("off"));
  EXPECT_TRUE(is_over(*ben_, call));
}

TEST_F(CallFlows, F3_WithoutAPinTheFlowIsToggledAtOnce) {
  set("pin = ''");
  const CallName call = dial_code(*ben_);
  EXPECT_TRUE(becomes("off"));
  EXPECT_TRUE(hears_music(*ben_)) << "the sound of the mode";
  EXPECT_TRUE(is_over(*ben_, call));
}

TEST_F(CallFlows, F3_ThreeWrongPinsLockTheExtensionUntilAnOperatorEndsTheLock) {
  const CallName call = dial_code(*ben_);
  for (int tries = 1; tries <= 3; ++tries) {
    enter(*ben_, call, "4321");
    std::string wanted = "wrong_pin 105";
    for (int i = 1; i < tries; ++i) wanted += ", wrong_pin 105";
    if (tries == 3) wanted += ", locked 105";
    ASSERT_TRUE(events_become(wanted));
  }
  const CallName locked = dial_code(*ben_);
  EXPECT_TRUE(hears_music(*ben_));
  EXPECT_TRUE(is_over(*ben_, locked, kSoon + seconds(10)));
  EXPECT_TRUE(events_become("wrong_pin 105, wrong_pin 105, wrong_pin 105, locked 105, refused_locked 105"));
  EXPECT_EQ(status(), "on");
  EXPECT_EQ(site().parkd().log().find("4321"), std::string::npos);

  const CallName other = dial_code(*cal_);
  enter(*cal_, other, "1234");
  EXPECT_TRUE(becomes("off")) << "another extension is not locked";
  EXPECT_TRUE(is_over(*cal_, other));

  site().database().execute("UPDATE call_flow_guesses SET failures = 0, locked_until = NULL");
  const CallName freed = dial_code(*ben_);
  enter(*ben_, freed, "1234");
  EXPECT_TRUE(becomes("on"));
  EXPECT_TRUE(is_over(*ben_, freed));
}

TEST_F(CallFlows, F3_HangingUpBeforeThePinTogglesNothing) {
  const CallName call = dial_code(*ben_);
  enter(*ben_, call, "12");
  EXPECT_EQ(ben_->hang_up(call), 200);
  EXPECT_EQ(status(), "on");
  EXPECT_EQ(events(), "");
}

TEST_F(CallFlows, F3_ADisabledFlowHasNoCode) {
  set("enabled = FALSE");
  EXPECT_TRUE(wait_until(kSoon, [&] {
    const CallName call = ben_->start_call("*30");
    const int status = ben_->wait_invite_status(call);
    if (status == 200) ben_->hang_up(call);
    return status == 404;
  }));
}

TEST_F(CallFlows, F5_ALampIsTrueForANewWatcherAndFollowsAnEditWithinTwoSeconds) {
  set("status = 'off'");
  LampWatcher& late = lamp("*30");
  EXPECT_TRUE(late.wait_state("confirmed"));
  EXPECT_EQ(late.history().front().state, "confirmed") << "the first NOTIFY is true";
  site().parkd().kill9();
  site().parkd().start();
  site().wait_parkd_ready();
  set("status = 'on'");
  EXPECT_TRUE(late.wait_state("terminated", seconds(2) + kSoon));
  set("enabled = FALSE, status = 'off'");
  set("enabled = TRUE");
  EXPECT_TRUE(late.wait_state("confirmed", seconds(2) + kSoon));
}

/// A time zone where it is about noon, so that no hours meet midnight.
class Noon {
 public:
  std::string zone() const {
    return offset_ == 0 ? "Etc/GMT"
                        : "Etc/GMT" + std::string(offset_ > 0 ? "-" : "+") + std::to_string(std::abs(offset_));
  }
  /// The time there, so many seconds from now, for SQL.
  std::string time_in(int ahead) const {
    return "SEC_TO_TIME(" + std::to_string(utc_second() + offset_ * kHour + ahead) + ")";
  }

 private:
  static constexpr int kHour = 3600;
  static int utc_second() {
    using std::chrono::floor;
    const auto now = wall_now();
    return static_cast<int>(floor<seconds>(now - floor<std::chrono::days>(now)).count());
  }
  const int offset_ = 12 - utc_second() / kHour;
};

TEST_F(CallFlows, F8_HoursSwitchTheFlowAndAToggleByHandHoldsUntilTheNextEdge) {
  constexpr int kAhead = 5;
  const Noon noon;
  LampWatcher& code = lamp("*30");
  set("status = 'off'");
  EXPECT_TRUE(code.wait_state("confirmed", seconds(2) + kSoon));
  expect_leads_to(*cal_);

  std::string hours;
  for (int weekday = 1; weekday <= 7; ++weekday) {
    hours += (hours.empty() ? "" : ", ") +
             ("('demo.callpark', 'office', " + std::to_string(weekday) + ", " + noon.time_in(kAhead) + ", '24:00:00')");
  }
  site().database().execute("UPDATE tenants SET time_zone = '" + noon.zone() +
                            "' WHERE tenant = 'demo.callpark'; INSERT INTO schedules (tenant, schedule) VALUES "
                            "('demo.callpark', 'office'); INSERT INTO schedule_hours (tenant, schedule, weekday, "
                            "begins, ends) VALUES " +
                            hours);
  set("schedule = 'office'");
  EXPECT_EQ(status(), "off");
  EXPECT_TRUE(becomes("on", seconds(kAhead) + kSoon));
  EXPECT_TRUE(code.wait_state("terminated", seconds(2) + kSoon));
  EXPECT_EQ(events(), "toggled sql, toggled schedule");
  wait_read();
  expect_leads_to(*ben_);

  const CallName call = dial_code(*ben_);
  enter(*ben_, call, "1234");
  EXPECT_TRUE(becomes("off"));
  EXPECT_TRUE(is_over(*ben_, call));
  EXPECT_TRUE(code.wait_state("confirmed", seconds(2) + kSoon));
  EXPECT_FALSE(wait_until(seconds(3), [] { return status() == "on"; })) << "it holds";
  wait_read();
  expect_leads_to(*cal_);

  site().database().execute("UPDATE schedule_hours SET begins = " + noon.time_in(kAhead));
  EXPECT_TRUE(becomes("on", seconds(kAhead) + kSoon));
  EXPECT_EQ(events(), "toggled sql, toggled schedule, toggled 105, toggled schedule");
}

}  // namespace
}  // namespace callpark::test
