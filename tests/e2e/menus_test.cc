// Menus and announcements on the whole product: what a caller hears and reaches, path by path, and what becomes
// of a caller that a menu has connected.
#include <gmock/gmock.h>

#include "tests/e2e/menu_site.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

// ---- paths ----

/// A path is a caller and the number that it dials, and then what it presses, hears and reaches.
class Menus : public MenuTest {
 public:
  struct Path {
    std::string name;
    From from = kTrunk;
    std::string number;
    Steps steps;
  };
  static std::vector<Path> paths();

 protected:
  static Step shows(Callee callee, const std::string& name) {
    return [callee, name](MenuTest& test) { static_cast<Menus&>(test).expect_name(callee, name); };
  }
  void expect_name(Callee callee, const std::string& name) {
    const std::string from = first_invite(*callees_[callee], ringing_[callee]).header("From");
    demand(from.find(name) != std::string::npos, std::string(kCallees[callee]) + " shows " + from);
  }
  static Step sends_offer(const std::string& direction) {
    return [direction](MenuTest& test) { static_cast<Menus&>(test).offer(direction); };
  }
  void offer(const std::string& direction) {
    const int status = caller_->offer(call_, direction);
    demand(status == 200, "the offer got " + std::to_string(status));
  }
  /// For so long the greeting is repeated.
  static Step hears_for(Greeting greeting, milliseconds duration) {
    return [greeting, duration](MenuTest& test) {
      const auto end = std::chrono::steady_clock::now() + duration;
      do hears(greeting)(test);
      while (std::chrono::steady_clock::now() < end);
    };
  }
};

using Path = Menus::Path;
void PrintTo(const Path& path, std::ostream* out) {
  *out << path.name;
}

std::vector<Path> Menus::paths() {
  const auto together = [](const std::vector<Steps>& parts) {
    Steps all;
    for (const Steps& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  const Steps main = {is_answered(), hears(kMain)};
  const auto talk = [](Callee callee) {
    return Steps{rings(callee), answers(callee), talks(callee), is_handed_over(), hangs_up()};
  };
  const Steps wrong = {press("0"), hears_a_sentence()};
  return {
      {"AKeyEndsTheGreetingAndTheExtensionTalks", kTrunk, did(kToMain),
       together({main,
                 {press("1"), hears_ringback(), rings(kErin), shows(kErin, "Client"), hears_ringback(), answers(kErin),
                  talks(kErin), is_handed_over(), hangs_up(kErin), is_over()}})},
      {"AnExtensionCallsAndItsNameIsShown", kExtension, kToMain,
       together(
           {main, {press("1"), rings(kErin), shows(kErin, "Alice Anders"), answers(kErin), talks(kErin), hangs_up()}})},
      {"ByACallFlowAndTheShorterOfTwoChoices", kTrunk, did(kToFlow), together({main, {press("9")}, talk(kFrank)})},
      {"ByACallFlowOfAnExtensionAndTheLongerChoice", kExtension, kToFlow, together({main, {press("99")}, talk(kDave)})},
      {"ARingGroupThatDoesNotAnswerLeadsToTheMenu", kTrunk, did(kToGroup),
       together({{rings(kCarolsPhone), rings_no_more(kCarolsPhone)}, main, {press("1")}, talk(kErin)})},
      {"AnExtensionIsEnteredDuringASpokenText", kTrunk, did(kToReception),
       together({{is_answered(), hears_a_sentence(), press("104")}, talk(kDave)})},
      {"AnOptionBesideExtensions", kExtension, kToReception,
       together({{is_answered(), hears_a_sentence(), press("2")}, talk(kErin)})},
      {"ThreeWrongKeysAndGoodbye", kTrunk, did(kToMain),
       together({main, wrong, {hears(kMain)}, wrong, {hears(kMain)}, wrong, {is_over()}})},
      {"AnEntryThatIsNoExtensionAnotherAndTheInvalidDestination", kTrunk, did(kToStrict),
       together({{is_answered(), hears(kSilent), press("107"), hears_a_sentence(), hears(kSilent), press("0")},
                 talk(kFrank)})},
      {"SilencesAndGoodbye",
       kTrunk,
       did(kToSilent),
       {is_answered(), hears(kSilent), hears_silence(), hears(kSilent), hears_a_sentence(), is_over()}},
      {"SilencesAndTheTimeoutDestination", kExtension, kToPatient,
       together({{is_answered(), hears(kSilent), hears_silence(), hears(kSilent), hears_silence(), hears(kSilent)},
                 talk(kDave)})},
      {"ABusyDestinationAndAnother", kTrunk, did(kToMain),
       together({main,
                 {press("1"), rings(kErin), refuses(kErin), hears_a_sentence(), hears(kMain), press("99")},
                 talk(kDave)})},
      {"AMenuInAMenuNoAnswerAndBack", kTrunk, did(kToMain),
       together({main,
                 {press("3"), hears(kLanguages), press("1"), rings(kDave), rings_no_more(kDave), hears_a_sentence(),
                  hears(kLanguages), press("0"), hears(kMain), press("1")},
                 talk(kErin)})},
      {"AnAnnouncementOnceAndItsDestination", kTrunk, did(kToMain),
       together({main, {press("4"), hears(kNotice)}, talk(kFrank)})},
      {"AnAnnouncementWhoseDestinationIsBusyEnds",
       kExtension,
       kToNotice,
       {is_answered(), hears(kNotice), rings(kFrank), refuses(kFrank), hears_a_sentence(), is_over()}},
      {"AnAnnouncementUntilTheCallerHangsUp",
       kTrunk,
       did(kToLoop),
       {is_answered(), hears_for(kNotice, seconds(2)), hangs_up()}},
      {"AnAnnouncementOfATextEnds", kTrunk, did(kToReport), {is_answered(), hears_a_sentence(), is_over()}},
      {"ADestinationThatHangsUp", kTrunk, did(kToMain), together({main, {press("6"), hears_a_sentence(), is_over()}})},
      {"ARingGroupAsADestination", kTrunk, did(kToMain),
       together({main,
                 {press("2"), rings(kDave), rings(kErin), rings(kFrank), hears_ringback(), answers(kFrank),
                  talks(kFrank), rings_no_more(kDave), rings_no_more(kErin), hangs_up()}})},
      {"TheMenuOnceMore", kTrunk, did(kToMain),
       together({main, {hears_silence(), press("8"), hears(kMain), hangs_up()}})},
      {"KeysByInfo", kExtension, kToMain,
       together({main,
                 {send_info("3"), hears(kLanguages), send_info("0", PacketPhone::InfoDigit::kDtmf), hears(kMain),
                  send_info("1")},
                 talk(kErin)})},
      {"ACallerThatHoldsAndResumes", kExtension, kToMain,
       together({main,
                 {sends_offer("sendonly"), hears_silence(), sends_offer("sendrecv"), hears(kMain), press("1")},
                 talk(kErin)})},
      {"KeysWhileADestinationRings", kTrunk, did(kToMain),
       together(
           {main, {press("1"), rings(kErin), press("3"), hears_ringback(), answers(kErin), talks(kErin), hangs_up()}})},
      {"ADestinationThatHangsUpWhileItIsJoined", kTrunk, did(kToMain),
       together({main,
                 {loses_next_offer(), press("1"), rings(kErin), answers(kErin), is_offered(), hangs_up(kErin),
                  hears_a_sentence(), hears(kMain), hangs_up()}})},
      {"ACallerWhosePhoneRefusesTheDestination", kTrunk, did(kToMain),
       together({main,
                 {refuses_next_offer(), press("1"), rings(kErin), answers(kErin), hears_a_sentence(), hears(kMain),
                  rings_no_more(kErin), hangs_up()}})},
  };
}

class MenuPaths : public Menus, public testing::WithParamInterface<Path> {};

TEST_P(MenuPaths, F2_F6_F7_TheCallerHearsAndReachesWhatItChooses) {
  call(GetParam().from, GetParam().number);
  follow(GetParam().steps);
}
INSTANTIATE_TEST_SUITE_P(Path, MenuPaths, testing::ValuesIn(Menus::paths()),
                         [](const auto& path) { return path.param.name; });

// ---- the telephone network, and real phones ----

TEST_F(Menus, F6_ACallerOfTheTelephoneNetworkReachesARealPhone) {
  callees_[kErin].reset();
  const auto erin = site().baresip(site().phone("105", kAlice));
  const auto client = site().trunk().call_in(did(kToFlow), tone_hz(kClient));
  ASSERT_TRUE(client->is_established());
  ASSERT_TRUE(hears_music(*client)) << "the greeting";
  client->sound().press("1");
  const CallName at_erin = erin->answer_next();
  EXPECT_THAT(erin->peer(at_erin), HasSubstr("+442079460018"));
  EXPECT_TRUE(hear_each_other(*erin, *client));
  hold(*erin, at_erin, *client);
  erin->resume(at_erin);
  EXPECT_TRUE(hear_each_other(*erin, *client));
  EXPECT_TRUE(client->saw_only_ordinary_calls());
  client->hang_up();
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(has_no_call(*erin));
}

TEST_F(Menus, F6_RealPhonesReachEachOther) {
  callees_.clear();
  // RTP of baresip 1.0.0 comes from 127.0.0.1 whatever its address is, and mediad drops it (ADR 18).
  const auto john = site().linphone(site().phone("101", kJohn));
  const auto erin = site().baresip(site().phone("105", kAlice));
  const CallName call = john->dial_until_answered(kToMain);
  ASSERT_TRUE(hears_music(*john)) << "the greeting";
  john->send_digits(call, "1");
  const CallName at_erin = erin->answer_next();
  EXPECT_TRUE(hear_each_other(*john, *erin));
  erin->hang_up(at_erin);
  EXPECT_TRUE(has_no_call(*john));
}

TEST_F(Menus, B4_F6_ACallerThatHangsUpInTheMenuHasACdr) {
  call(kTrunk, did(kToFlow));
  follow({is_answered(), hears(kMain), press("3"), hears(kLanguages), hangs_up()});
  expect_cdrs("incoming ivr_menu 810 caller");
  EXPECT_EQ(value("SELECT CONCAT_WS(' ', tenant, dialled, caller_kind, caller_number, caller_name, caller_withheld, "
                  "caller_trunk) FROM cdrs"),
            "demo.callpark " + did(kToFlow) + " trunk +442079460018 Client 0 demo");
}

TEST_F(Menus, B4_F7_ACallThatParkdEndsHasACdr) {
  call(kExtension, kToReport);
  follow({is_answered(), is_over()});
  expect_cdrs("internal announcement 819 callee");
  EXPECT_EQ(value("SELECT CONCAT_WS(' ', dialled, caller_kind, caller_number) FROM cdrs"), "819 extension 101");
}

TEST_F(Menus, B4_F6_ATrunksCallerAndItsTalkHaveACdrEach) {
  call(kTrunk, did(kToMain));
  follow({is_answered(), hears(kMain), press("1"), rings(kErin), answers(kErin), talks(kErin), hangs_up(kErin),
          is_over()});
  expect_cdrs("incoming ivr_menu 810 connected, incoming extension 105 callee");
  EXPECT_EQ(value("SELECT CONCAT_WS(' ', calls, call_seconds > 0) FROM talk_days WHERE tenant = 'demo.callpark' AND "
                  "calls > 0"),
            "1 1");
}

TEST_F(Menus, B4_F6_OfARingGroupTheMemberIsTheCallee) {
  call(kExtension, kToMain);
  follow({is_answered(), hears(kMain), press("2"), rings(kDave), rings(kErin), rings(kFrank), answers(kFrank),
          talks(kFrank), hangs_up()});
  expect_cdrs("internal ivr_menu 810 connected, internal extension 106 caller");
}

// parkd may be killed between the hand-over and the CDR of the talk, and in the menu.
TEST_F(Menus, B4_F6_O4_CdrsAreEnteredOnceIfParkdIsKilled) {
  call(kTrunk, did(kToMain));
  follow({is_answered(), hears(kMain), is_in_a_row()});
  restart_parkd();
  follow({hears(kMain), press("1"), rings(kErin), answers(kErin), talks(kErin), is_handed_over()});
  restart_parkd();
  follow({hangs_up(kErin), is_over()});
  expect_cdrs("incoming ivr_menu 810 connected, incoming extension 105 callee");
}

TEST_F(Menus, B4_F6_AnOutsideNumberAsADestination) {
  const auto outside = site().trunk().expect_call(tone_hz(kSecondClient));
  call(kExtension, kToMain);
  follow({is_answered(), hears(kMain), press("5")});
  ASSERT_TRUE(outside->is_established());
  EXPECT_TRUE(hear_each_other(*caller_, *outside));
  EXPECT_EQ(caller_->audio_remote(call_), outside->sound().own());
  EXPECT_TRUE(outside->saw_only_ordinary_calls());
  pass(seconds(1));
  outside->hang_up();
  EXPECT_TRUE(outside->is_closed());
  follow({is_over()});
  expect_cdrs("internal ivr_menu 810 connected, outgoing trunk +442079460099 callee");
  EXPECT_EQ(value("SELECT COUNT(*) FROM cdrs WHERE callee_kind = 'trunk' AND caller_number = '101' AND duration_ms >= "
                  "1000"),
            "1");
}

TEST_F(Menus, F6_F7_WhatIsDisabledIsRefused) {
  for (const std::string table : {"ivr_menus", "announcements"}) {
    const std::string number = table == "ivr_menus" ? kToMain : kToNotice;
    site().database().execute("UPDATE " + table + " SET enabled = FALSE WHERE number = '" + number + "'");
    call(kExtension, number);
    follow({is_refused(404)});
    site().database().execute("UPDATE " + table + " SET enabled = TRUE WHERE number = '" + number + "'");
  }
}

}  // namespace
}  // namespace callpark::test
