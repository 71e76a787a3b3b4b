// A caller in a menu hangs up, or a server dies, in every step of the way: nothing is left, and the caller that is
// still there hears the menu again or talks to its destination.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/e2e/menu_site.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// How far the caller has come.
class MenuStages : public MenuTest {
 public:
  struct Stage {
    std::string name;
    Steps steps;
    /// parkd was to hang up next.
    bool is_last = false;
  };
  static std::vector<Stage> stages();

 protected:
  void come_to(const Stage& stage) {
    call(kTrunk, did(kToMain));
    follow({is_answered(), hears(kMain), is_in_a_row()});
    follow(stage.steps);
  }
  /// RFC 3261 13.3.1.4: a phone that gets no ACK of its answer ends the call by itself, though after 32 s.
  void end_unacknowledged() {
    for (const auto& callee : callees_) {
      for (const SipText& message : callee->received("")) {
        if (message.method() != "INVITE" || callee->is_closed(message.call_id())) continue;
        if (callee->audio_remote(message.call_id()) != caller_->sound().own()) continue;
        const auto in_call = callee->received(message.call_id());
        const bool is_acknowledged =
            std::ranges::any_of(in_call, [](const SipText& other) { return other.method() == "ACK"; });
        if (!is_acknowledged) callee->fire(message.call_id(), "BYE");
      }
    }
  }
  /// The caller hears a greeting or a callee, and is brought to talk.
  /// parkd has opened the caller's session at a new mediad: keys that are pressed before are lost, as the sound is.
  static void wait_session() {
    ASSERT_TRUE(wait_until(kSoon, [] { return open().sessions == 1; })) << "mediad has no session of the caller";
  }
  void expect_is_served() {
    std::string hears;
    ASSERT_TRUE(wait_until(kSoon, [&] { return caller_->is_closed(call_) || !(hears = what_is_heard()).empty(); }))
        << "the caller hears " << caller_->heard(kEarshot).describe();
    ASSERT_FALSE(caller_->is_closed(call_)) << "the caller was hung up on";
    if (hears == "notice" || hears == "callee") return follow({hangs_up()});
    follow({press(hears == "main" ? "99" : "1"), rings(kDave), answers(kDave), talks(kDave), is_handed_over(),
            hangs_up(kDave), is_over()});
  }
  [[nodiscard]] std::string what_is_heard() const {
    const auto soon = milliseconds(1);
    if (hears_greeting(kMain, soon)) return "main";
    if (hears_greeting(kLanguages, soon)) return "languages";
    if (hears_greeting(kNotice, soon)) return "notice";
    for (const auto& callee : callees_) {
      const bool hear =
          caller_->heard(kEarshot).has_tone(callee->tone()) && callee->heard(kEarshot).has_tone(caller_->tone());
      if (hear) return "callee";
    }
    return "";
  }
};

using Stage = MenuStages::Stage;
void PrintTo(const Stage& stage, std::ostream* out) {
  *out << stage.name;
}

std::vector<Stage> MenuStages::stages() {
  return {
      {"Greeting", {}},
      {"Entry", {press("9")}},
      {"Sentence", {press("0"), hears_a_sentence()}},
      {"MenuInMenu", {press("3"), hears(kLanguages)}},
      {"Announcement", {press("7"), hears(kNotice)}},
      {"Ringing", {press("1"), rings(kErin), hears_ringback()}},
      {"GroupRinging", {press("2"), rings(kDave), rings(kErin), rings(kFrank)}},
      {"Answered", {press("1"), rings(kErin), answers(kErin)}},
      {"Joining", {loses_next_offer(), press("1"), rings(kErin), answers(kErin), is_offered()}},
      {"DestinationRefused", {refuses_next_offer(), press("1"), rings(kErin), answers(kErin), hears_a_sentence()}},
      {"Busy", {press("1"), rings(kErin), refuses(kErin), hears_a_sentence()}},
      {"Talking", {press("1"), rings(kErin), answers(kErin), talks(kErin), is_handed_over()}},
      {"Goodbye", {press("6"), hears_a_sentence()}, true},
  };
}

// ---- the caller hangs up ----

class CallerHangsUp : public MenuStages, public testing::WithParamInterface<Stage> {};

TEST_P(CallerHangsUp, F6_NothingIsLeft) {
  come_to(GetParam());
  const int status = caller_->hang_up(call_);
  EXPECT_TRUE(status == 200 || (status == 481 && GetParam().is_last)) << status;
  expect_nothing_left();
}
INSTANTIATE_TEST_SUITE_P(In, CallerHangsUp, testing::ValuesIn(MenuStages::stages()),
                         [](const auto& stage) { return stage.param.name; });

TEST_F(MenuStages, F6_ACallerThatGivesUpBeforeTheAnswerLeavesNothing) {
  for (const int delay_ms : {0, 1, 2, 4, 8, 16}) {
    call(kTrunk, did(kToMain));
    pass(milliseconds(delay_ms));
    caller_->cancel(call_);
    const int status = caller_->wait_invite_status(call_);
    EXPECT_TRUE(status == 487 || status == 200) << status;
    // The CANCEL may have come too late for the INVITE and in time for parkd, which then sends a BYE.
    const int hung_up = status == 200 ? caller_->hang_up(call_) : 200;
    EXPECT_TRUE(hung_up == 200 || hung_up == 481) << hung_up;
    expect_nothing_left();
  }
}

// ---- parkd is killed ----

class ParkdKilled : public MenuStages, public testing::WithParamInterface<Stage> {};

TEST_P(ParkdKilled, F6_O4_TheCallerIsServedAndNothingIsLeft) {
  come_to(GetParam());
  restart_parkd();
  end_unacknowledged();
  expect_is_served();
}
INSTANTIATE_TEST_SUITE_P(In, ParkdKilled, testing::ValuesIn(MenuStages::stages()),
                         [](const auto& stage) { return stage.param.name; });

class ParkdKilledAfterAnswer : public MenuStages, public testing::WithParamInterface<int> {};

TEST_P(ParkdKilledAfterAnswer, F6_O4_TheCallerIsServedAndNothingIsLeft) {
  come_to({"", {press("1"), rings(kErin), answers(kErin)}});
  pass(milliseconds(GetParam()));
  restart_parkd();
  end_unacknowledged();
  expect_is_served();
}
INSTANTIATE_TEST_SUITE_P(Ms, ParkdKilledAfterAnswer, testing::Values(1, 2, 4, 8, 16));

TEST_F(MenuStages, F6_O4_ACallerThatHangsUpWhileNoParkdIsThereLeavesNothing) {
  come_to({"", {}});
  site().parkd().kill9();
  caller_->fire(call_, "BYE");
  site().parkd().start();
  site().wait_parkd_ready();
  expect_nothing_left();
}

// ---- mediad, Kamailio and MariaDB ----

TEST_F(MenuStages, F6_O4_MediadKilledDuringTheGreeting) {
  come_to({"", {}});
  site().mediad().kill9();
  site().mediad().start();
  site().wait_mediad_ready();
  wait_session();
  expect_is_served();
}

TEST_F(MenuStages, F6_O4_MediadKilledWhileTheDestinationRings) {
  come_to({"", {press("1"), rings(kErin), hears_ringback()}});
  site().mediad().kill9();
  site().mediad().start();
  site().wait_mediad_ready();
  follow({answers(kErin), talks(kErin), hangs_up()});
}

TEST_F(MenuStages, F6_O4_MediadComesBackOnAnotherPort) {
  come_to({"", {}});
  const Endpoint before = caller_->audio_remote(call_);
  site().mediad().kill9();
  {
    const UdpSocket taken(before);
    site().mediad().start();
    site().wait_mediad_ready();
    follow({is_offered()});
  }
  EXPECT_TRUE(wait_until(kSoon, [&] { return caller_->audio_remote(call_) != before; }));
  expect_is_served();
}

TEST_F(MenuStages, F6_O4_ParkdAndMediadKilledDuringTheGreeting) {
  come_to({"", {}});
  site().parkd().kill9();
  site().mediad().kill9();
  site().mediad().start();
  site().wait_mediad_ready();
  site().parkd().start();
  site().wait_parkd_ready();
  wait_session();
  expect_is_served();
}

TEST_F(MenuStages, F6_O4_KamailioKilledDuringTheGreeting) {
  come_to({"", {}});
  site().kamailio().kill9();
  site().kamailio().start();
  expect_is_served();
}

TEST_F(MenuStages, F6_S13_DatabaseAwayWhenTheCallerChooses) {
  come_to({"", {hears_silence()}});
  site().database().stop();
  follow({press("1"), hears_a_sentence(), hears(kMain)});
  site().database().start();
  ASSERT_TRUE(wait_until(seconds(30), [] { return site().parkd_http("/health").status == 200; }));
  follow({press("99"), rings(kDave), answers(kDave), talks(kDave), is_handed_over(), hangs_up()});
}

}  // namespace
}  // namespace callpark::test
