// Calls to the code of a call flow, as the phones, mediad and the database see them.
#include "parkd/service/flow_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class FlowCallsTest : public testing::Test, public ParkWorld {
 protected:
  CallId dial_code() {
    const CallId id = dial("105", "*30");
    settle();
    return id;
  }
  std::string session() const { return media.sessions.empty() ? "" : media.sessions.begin()->first; }
  /// The prompt that is played; "" if none is.
  std::string prompt() const {
    if (media.sessions.empty()) return "";
    const auto* announcement = std::get_if<Announcement>(&media.sessions.begin()->second.play);
    if (!announcement) return "";
    return std::get<Announcement::Prompt>(announcement->list.at(0)).name;
  }
  void enter(const std::string& keys) {
    for (const char key : keys) service->on_media_key(session(), key);
    settle();
  }
  void expect_over(CallId id) {
    EXPECT_EQ(phones.calls.count(id), 0U);
    EXPECT_THAT(media.sessions, IsEmpty());
    pass(seconds(200));  // no timer is left that meets a call that is gone
  }
};

TEST_F(FlowCallsTest, F3_TheRightPinTogglesAndThePhoneHearsTheMode) {
  const CallId id = dial_code();
  EXPECT_EQ(phones.calls.at(id).stage, FakePhones::Call::Stage::kConfirmed);
  EXPECT_EQ(prompt(), "enter_pin");
  enter("1");
  EXPECT_EQ(prompt(), "") << "the first digit stops it";
  enter("234");
  EXPECT_EQ(flows.status, flow::Status::kOff);
  EXPECT_EQ(prompt(), "night_mode");
  EXPECT_THAT(flows.events, ElementsAre("toggled 105"));
  EXPECT_EQ(flows.failures, 0);
  media.play_out();
  EXPECT_EQ(phones.call_outcomes.at(id).reason, "ended");
  expect_over(id);
}

TEST_F(FlowCallsTest, F3_WithoutAPinTheFlowIsToggledAtOnce) {
  flows.flow->pin = "";
  flows.flow->off_sound = "closed";
  const CallId id = dial_code();
  EXPECT_EQ(flows.status, flow::Status::kOff);
  EXPECT_EQ(prompt(), "closed");
  media.play_out();
  expect_over(id);
}

TEST_F(FlowCallsTest, F3_AHashedPinEndsWithAHashKey) {
  flows.flow->pin = "sha256:saltsalt:9dabf8706dee7880b22d262d8cc1ea1eab14081f6a5a9dadf723296ce532344d";
  dial_code();
  enter("1234");
  EXPECT_EQ(flows.status, flow::Status::kOn) << "it may go on";
  enter("#");
  EXPECT_EQ(flows.status, flow::Status::kOff);
}

TEST_F(FlowCallsTest, F3_TheThirdWrongPinLocksAndEndsTheCall) {
  const CallId id = dial_code();
  enter("1111");
  EXPECT_EQ(prompt(), "wrong_pin");
  enter("2222");
  EXPECT_EQ(prompt(), "wrong_pin");
  enter("12345");
  EXPECT_EQ(prompt(), "night_mode") << "the fourth digit was right; the fifth comes late";
  media.play_out();
  expect_over(id);
  flows.events.clear();

  const CallId second = dial_code();
  for (int i = 0; i < 3; ++i) enter("4321");
  EXPECT_EQ(prompt(), "call_flow_locked");
  EXPECT_THAT(flows.events, ElementsAre("wrong pin 105", "wrong pin 105", "wrong pin 105", "locked 105"));
  media.play_out();
  expect_over(second);

  const CallId third = dial_code();
  EXPECT_EQ(prompt(), "call_flow_locked");
  enter("1234");
  EXPECT_EQ(flows.failures, 3) << "no digit of a locked extension is compared";
  EXPECT_EQ(flows.events.back(), "refused 105");
  media.play_out();
  expect_over(third);
  EXPECT_EQ(flows.status, flow::Status::kOff);
}

TEST_F(FlowCallsTest, F3_DigitsByInfoAndByRtpAreOneEach) {
  const CallId id = dial_code();
  std::uint32_t cseq = 1;
  for (const char key : std::string("1234")) {
    service->on_call_key(id, {KeyWay::kDtmfRelay, key, ++cseq});
    service->on_media_key(session(), key);
    settle();
  }
  EXPECT_EQ(flows.status, flow::Status::kOff);
  EXPECT_THAT(flows.events, ElementsAre("toggled 105"));
}

TEST_F(FlowCallsTest, F3_TwoSilencesEndTheCall) {
  const CallId id = dial_code();
  media.play_out();
  pass(seconds(11));
  EXPECT_EQ(prompt(), "enter_pin");
  media.play_out();
  pass(seconds(11));
  EXPECT_EQ(flows.failures, 0) << "nothing was entered";
  expect_over(id);
}

TEST_F(FlowCallsTest, O8_ATimeLimitOfAReloadCountsForTheNextCall) {
  const CallId first = dial_code();
  ParkSettings settings;
  settings.node_name = "node-1";
  settings.flow_call_max = seconds(20);
  service->set_settings(settings);
  const CallId second = dial_code();
  pass(seconds(19));
  EXPECT_EQ(phones.calls.count(second), 1U);
  pass(seconds(2));
  EXPECT_EQ(phones.calls.count(second), 0U);
  EXPECT_EQ(phones.calls.count(first), 1U);
}

TEST_F(FlowCallsTest, F3_StarsAreNoDigitsOfAPin) {
  const CallId id = dial_code();
  media.play_out();
  for (int i = 0; i < 2; ++i) {
    enter("*");
    pass(seconds(11));
    media.play_out();
  }
  EXPECT_EQ(flows.failures, 0);
  expect_over(id);
}

TEST_F(FlowCallsTest, F3_AThirdCallOfAnExtensionIsBusy) {
  dial_code();
  dial_code();
  const CallId third = dial_code();
  EXPECT_EQ(phones.call_outcomes.at(third).status, 486);
  EXPECT_EQ(media.sessions.size(), 2U);
}

TEST_F(FlowCallsTest, F3_ASoundThatCannotBePlayedIsReplacedByTheSpokenMode) {
  flows.flow->pin = "";
  flows.flow->off_sound = "closed";
  const CallId id = dial_code();
  EXPECT_EQ(prompt(), "closed");
  service->on_media_fault(session(), "closed.wav does not exist");
  media.play_out();
  EXPECT_EQ(prompt(), "night_mode");
  media.play_out();
  expect_over(id);
}

TEST_F(FlowCallsTest, F3_ASilenceAfterDigitsIsATry) {
  dial_code();
  enter("12");
  pass(seconds(6));
  EXPECT_EQ(prompt(), "wrong_pin");
  EXPECT_EQ(flows.failures, 1);
}

TEST_F(FlowCallsTest, F3_HangingUpLeavesNothing) {
  const CallId id = dial_code();
  enter("12");
  phones.end_call(id);
  settle();
  expect_over(id);
  EXPECT_EQ(flows.failures, 0);
}

TEST_F(FlowCallsTest, F3_CancellingBeforeTheAnswerLeavesNothing) {
  const CallId id = dial("105", "*30");
  while (media.sessions.empty()) ASSERT_TRUE(steps.next());
  phones.end_call(id);
  settle();
  EXPECT_EQ(phones.call_outcomes.at(id).status, 487);
  expect_over(id);
}

TEST_F(FlowCallsTest, F3_WithoutTheDatabaseNothingIsToggled) {
  dial_code();
  flows.is_away = true;
  enter("1234");
  EXPECT_EQ(prompt(), "not_available");
  flows.is_away = false;
  EXPECT_EQ(flows.status, flow::Status::kOn);
  media.play_out();

  flows.is_away = true;
  const CallId id = dial_code();
  EXPECT_EQ(prompt(), "not_available");
  media.play_out();
  settle();
  EXPECT_EQ(phones.call_outcomes.at(id).status, 503);
}

TEST_F(FlowCallsTest, F3_AFlowThatIsGoneIsNotFound) {
  flows.flow.reset();
  const CallId id = dial_code();
  media.play_out();
  settle();
  EXPECT_EQ(phones.call_outcomes.at(id).status, 404);
}

TEST_F(FlowCallsTest, F3_WithoutMediadTheCallIsRefused) {
  media.is_away = true;
  const CallId id = dial_code();
  EXPECT_EQ(phones.call_outcomes.at(id).status, 503);
  flows.is_locked = true;
  const CallId second = dial_code();
  EXPECT_EQ(phones.call_outcomes.at(second).status, 403);
  expect_over(second);
}

TEST_F(FlowCallsTest, F3_ASessionThatMovesEndsTheCall) {
  const CallId id = dial_code();
  media.move(session());
  expect_over(id);
}

TEST_F(FlowCallsTest, F3_ATrunkMayNotToggle) {
  const CallId id = dial("", "*30");
  settle();
  media.play_out();
  settle();
  EXPECT_EQ(phones.call_outcomes.at(id).status, 403);
  EXPECT_EQ(flows.status, flow::Status::kOn);
}

TEST_F(FlowCallsTest, F3_ATransferDoesNotToggle) {
  const ReferralId id = refer("101", "*30");
  settle();
  EXPECT_EQ(phones.referral_outcomes.at(id).status, 404);
}

TEST_F(FlowCallsTest, F3_NoBillingSystemIsAsked) {
  begin_billing();
  billing.decides = [] { return BillingDenied{}; };
  dial_code();
  EXPECT_EQ(prompt(), "enter_pin");
}

}  // namespace
}  // namespace callpark
