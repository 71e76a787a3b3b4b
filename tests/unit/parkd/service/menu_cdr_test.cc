// The CDRs of calls through menus and announcements: one of the time there, and one of the talk, each once.
#include "parkd/service/menu_cdr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kTenant = "demo.callpark";

// ---- what a CDR has ----

MenuCall call_of(Party caller, const std::string& dialled = "") {
  return {CallId{1}, kTenant, std::move(caller), "400", dialled, "en", "c1"};
}

TEST(MenuCdr, B4_ATrunksCallerHasTheNumberThatItSends) {
  const Cdr cdr =
      cdr_in_menus(call_of(Trunk{"carrier"}, "+442030000400"), {"Zoe", "+390212345"}, menu::Place::Kind::kMenu);
  EXPECT_EQ(cdr.direction(), Cdr::Direction::kIncoming);
  EXPECT_EQ(cdr.dialled, "+442030000400");
  EXPECT_EQ(cdr.caller_kind, Cdr::Kind::kTrunk);
  EXPECT_EQ(cdr.caller_number, "+390212345");
  EXPECT_EQ(cdr.caller_name, "Zoe");
  EXPECT_FALSE(cdr.caller_withheld);
  EXPECT_EQ(cdr.caller_trunk, "carrier");
  EXPECT_EQ(cdr.callee_kind, Cdr::Kind::kMenu);
  EXPECT_EQ(cdr.callee_number, "400");
  EXPECT_EQ(cdr.sip_call_id, "c1");
}

TEST(MenuCdr, B4_AnExtensionThatWithholdsItsNumberIsCharged) {
  const Cdr cdr = cdr_in_menus(call_of(Extension{kTenant, "101"}), {}, menu::Place::Kind::kAnnouncement);
  EXPECT_EQ(cdr.direction(), Cdr::Direction::kInternal);
  EXPECT_EQ(cdr.dialled, "400");
  EXPECT_EQ(cdr.caller_kind, Cdr::Kind::kExtension);
  EXPECT_EQ(cdr.caller_number, "101");
  EXPECT_TRUE(cdr.caller_withheld);
  EXPECT_EQ(cdr.caller_trunk, "");
  EXPECT_EQ(cdr.callee_kind, Cdr::Kind::kAnnouncement);
  EXPECT_EQ(cdr_in_menus(call_of(Trunk{"carrier"}), {}, menu::Place::Kind::kMenu).caller_number, "");
}

TEST(MenuCdr, B4_ATalkHasThePartyThatAnswers) {
  const Cdr in_menus = cdr_in_menus(call_of(Extension{kTenant, "101"}), {"Alice", "101"}, menu::Place::Kind::kMenu);
  const Cdr inside = cdr_of_talk(in_menus, Extension{kTenant, "102"}, "");
  EXPECT_EQ(inside.callee_kind, Cdr::Kind::kExtension);
  EXPECT_EQ(inside.callee_number, "102");
  EXPECT_EQ(inside.direction(), Cdr::Direction::kInternal);
  EXPECT_EQ(inside.caller_name, "Alice");
  const Cdr outside = cdr_of_talk(in_menus, Outside{"+442079460099"}, "");
  EXPECT_EQ(outside.callee_kind, Cdr::Kind::kTrunk);
  EXPECT_EQ(outside.callee_number, "+442079460099");
  EXPECT_EQ(outside.direction(), Cdr::Direction::kOutgoing);
  EXPECT_EQ(cdr_of_talk(in_menus, Extension{kTenant, "102"}, "600").callee_kind, Cdr::Kind::kExtension) << "a member";
  const Cdr unknown = cdr_of_talk(in_menus, Extension{kTenant, "600"}, "600");
  EXPECT_EQ(unknown.callee_kind, Cdr::Kind::kRingGroup);
  EXPECT_EQ(unknown.callee_number, "600");
}

TEST(MenuCdr, B4_ACallOfATrunkThatIsForwardedIsIncoming) {
  const Cdr in_menus = cdr_in_menus(call_of(Trunk{"carrier"}), {}, menu::Place::Kind::kMenu);
  EXPECT_EQ(cdr_of_talk(in_menus, Outside{"+442079460099"}, "").direction(), Cdr::Direction::kIncoming);
}

// ---- when it is entered ----

class MenuCdrs : public testing::Test, public ParkWorld {
 protected:
  void dial_menu(const std::string& user = "", const std::string& number = "400") { dial_and_settle(user, number); }
  void enter(const std::string& keys) {
    press(keys);
    settle();
  }
  /// A caller is in the menu for 10 s, and talks to this destination.
  ParkId talk(const std::string& keys = "2", const std::string& user = "") {
    std::set<ParkId> before;
    for (const auto& [id, row] : store.rows) before.insert(id);
    dial_menu(user);
    pass(seconds(10));
    enter(keys);
    EXPECT_THAT(menus.rows, IsEmpty());
    for (const auto& [id, row] : store.rows) {
      if (!before.contains(id)) return id;
    }
    ADD_FAILURE() << "the caller talks to no destination";
    return ParkId();
  }
  void hang_up_in_menu() {
    phones.hang_up(phones.conversations.begin()->first, PartyEnd::kCaller);
    settle();
  }
  void hang_up_talk(const ParkId& id, PartyEnd party) {
    hang_up(id, party);
    settle();
  }
  const std::string& cdrs() const { return store.segments.cdr_words; }
};

TEST_F(MenuCdrs, B4_F6_ACallerThatHangsUpInTheMenu) {
  dial_menu();
  pass(seconds(10));
  EXPECT_EQ(cdrs(), "") << "it has not ended";
  hang_up_in_menu();
  EXPECT_EQ(cdrs(), "incoming ivr_menu 400 10 caller");
  EXPECT_EQ(store.segments.cdrs.front().caller_number, "+442030000999");
  end_all();
}

TEST_F(MenuCdrs, B4_F6_ACallThatParkdEnds) {
  dial_menu("105");
  enter("9");
  media.play_out();
  settle();
  EXPECT_EQ(cdrs(), "internal ivr_menu 400 0 callee");
  end_all();
}

TEST_F(MenuCdrs, B4_F6_ACallThatIsNotAnsweredHasNone) {
  store.is_away = true;
  dial_menu();
  pass(seconds(15));
  store.come_back();
  settle();
  EXPECT_EQ(cdrs(), "");
  end_all();
}

TEST_F(MenuCdrs, B4_F6_TheTalkWithTheDestinationIsTheNextCdr) {
  for (const PartyEnd party : {PartyEnd::kCaller, PartyEnd::kPeer}) {
    store.segments.cdr_words.clear();
    const ParkId id = talk();
    pass(seconds(60));
    EXPECT_EQ(cdrs(), "incoming ivr_menu 400 10 connected");
    hang_up_talk(id, party);
    EXPECT_EQ(cdrs(), std::string("incoming ivr_menu 400 10 connected, incoming extension 102 60 ") +
                          (party == PartyEnd::kCaller ? "caller" : "callee"));
    EXPECT_FALSE(store.segments.has(id)) << "it was never parked";
  }
  end_all();
}

TEST_F(MenuCdrs, B4_F6_ACallToAnOutsideNumberIsOutgoing) {
  menus.places["400"].place.options.push_back({"7", "+442079460099"});
  const ParkId id = talk("7", "105");
  pass(seconds(30));
  hang_up_talk(id, PartyEnd::kCaller);
  EXPECT_EQ(cdrs(), "internal ivr_menu 400 10 connected, outgoing trunk +442079460099 30 caller");
  end_all();
}

TEST_F(MenuCdrs, B4_F6_TheFirstMenuIsTheCalleeWhereverTheCallerGoes) {
  dial_menu();
  enter("3#");
  pass(seconds(15));
  ASSERT_THAT(menus.rows.begin()->second.numbers, SizeIs(2));
  hang_up_in_menu();
  EXPECT_EQ(cdrs(), "incoming ivr_menu 400 15 caller");
  end_all();
}

TEST_F(MenuCdrs, B4_F7_AnAnnouncementAndWhatFollowsIt) {
  dial_menu("105", "500");
  pass(seconds(5));
  media.play_out();
  settle();
  const ParkId id = only_park();
  pass(seconds(20));
  hang_up_talk(id, PartyEnd::kPeer);
  EXPECT_EQ(cdrs(), "internal announcement 500 5 connected, internal extension 101 20 callee");
  end_all();
}

TEST_F(MenuCdrs, B4_F6_AMemberThatIsNotKnownIsTheRingGroup) {
  const ParkId id = talk("6");
  hang_up_talk(id, PartyEnd::kPeer);
  EXPECT_EQ(cdrs(), "incoming ivr_menu 400 10 connected, incoming ring_group 106 0 callee");
  end_all();
}

TEST_F(MenuCdrs, B4_F6_ATalkThatIsParkedEndsWithThePark) {
  const ParkId id = talk();
  pass(seconds(40));
  refer_of_peer(id, "102", "*68");
  settle();
  hang_up_talk(id, PartyEnd::kPeer);
  pass(seconds(20));
  dial_and_settle("103", "*88102");
  pass(seconds(30));
  hang_up_talk(id, PartyEnd::kCaller);
  EXPECT_EQ(cdrs(), "incoming ivr_menu 400 10 connected, incoming extension 102 40 parked");
  EXPECT_EQ(store.segments.words(id), "talk_before 102 40 parked, parked 20 retrieved, talk_after 103 30 hung_up");
  end_all();
}

TEST_F(MenuCdrs, B4_F6_TheQuestionToTheHookEndsTheTalk) {
  begin_billing();
  const ParkId id = talk();
  pass(seconds(40));
  refer_of_peer(id, "102", "*68");
  settle();
  hang_up_talk(id, PartyEnd::kPeer);
  hang_up_talk(id, PartyEnd::kCaller);
  EXPECT_EQ(cdrs(), "incoming ivr_menu 400 10 connected, incoming extension 102 40 parked");
  EXPECT_EQ(store.segments.words(id), "talk_before 102 40 parked, hook 102 0 allowed, parked 0 gave_up");
  end_all();
}

TEST_F(MenuCdrs, B4_F6_AParkThatFailsEndsNoTalk) {
  refer("103", "*68");
  settle();
  const ParkId id = talk();
  pass(seconds(10));
  const ReferralId refused = refer_of_peer(id, "102", "*68103");
  settle();
  EXPECT_EQ(status_of_referral(refused), 486);
  restart();
  pass(seconds(10));
  hang_up_talk(id, PartyEnd::kPeer);
  EXPECT_EQ(cdrs(), "incoming ivr_menu 400 10 connected, incoming extension 102 20 callee");
  end_all();
}

// To the machine of the park the two have changed places.
TEST_F(MenuCdrs, B4_F6_ACallerWhoseParkFailsIsStillTheCaller) {
  refer("103", "*68");
  settle();
  for (const PartyEnd party : {PartyEnd::kCaller, PartyEnd::kPeer}) {
    store.segments.cdr_words.clear();
    const ParkId id = talk("2", "105");
    conversation(id).caller.user = "105";
    const ReferralId refused = refer_of_party(id, PartyEnd::kCaller, "105", "*68103");
    settle();
    EXPECT_EQ(status_of_referral(refused), 486);
    ASSERT_TRUE(talks_to(id, "105"));
    hang_up_talk(id, party);
    EXPECT_EQ(cdrs(), std::string("internal ivr_menu 400 10 connected, internal extension 102 0 ") +
                          (party == PartyEnd::kPeer ? "caller" : "callee"));
  }
  end_all();
}

TEST_F(MenuCdrs, B4_O4_ACallerThatTransfersIsStillTheCallerInTheNextParkd) {
  const ParkId id = talk("2", "105");
  conversation(id).caller.user = "105";
  const ReferralId transfer = refer_of_party(id, PartyEnd::kCaller, "105", "104");
  settle();
  EXPECT_EQ(status_of_referral(transfer), 200);
  restart();
  hang_up_talk(id, PartyEnd::kCaller);
  EXPECT_EQ(cdrs(), "internal ivr_menu 400 10 connected, internal extension 102 0 callee") << "102 has hung up";
  end_all();
}

TEST_F(MenuCdrs, B4_F6_ATransferGoesOnWithTheTalk) {
  const ParkId id = talk();
  pass(seconds(20));
  const ReferralId transfer = refer_of_peer(id, "102", "104");
  settle();
  EXPECT_EQ(status_of_referral(transfer), 200);
  pass(seconds(20));
  hang_up_talk(id, PartyEnd::kCaller);
  EXPECT_EQ(cdrs(), "incoming ivr_menu 400 10 connected, incoming extension 102 40 caller");
  end_all();
}

TEST_F(MenuCdrs, B4_O4_CdrsGoOnInTheNextParkd) {
  dial_menu();
  pass(seconds(10));
  restart();
  pass(seconds(10));
  enter("2");
  const ParkId id = only_park();
  pass(seconds(30));
  restart();
  pass(seconds(30));
  hang_up_talk(id, PartyEnd::kPeer);
  EXPECT_EQ(cdrs(), "incoming ivr_menu 400 20 connected, incoming extension 102 60 callee");
  end_all();
}

TEST_F(MenuCdrs, B4_S13_WhatEndsWhileTheDatabaseIsAwayHasItsTimes) {
  const ParkId id = talk();
  pass(seconds(30));
  store.is_away = true;
  hang_up_talk(id, PartyEnd::kCaller);
  pass(seconds(300));
  EXPECT_EQ(cdrs(), "incoming ivr_menu 400 10 connected");
  store.come_back();
  settle();
  EXPECT_EQ(cdrs(), "incoming ivr_menu 400 10 connected, incoming extension 102 30 caller");
  end_all();
}

// A row without a CDR.
TEST_F(MenuCdrs, B4_O4_ACallerOfAnOlderParkdHasNone) {
  dial_menu();
  kill();
  menus.rows.begin()->second.cdr.reset();
  recover();
  settle();
  enter("2");
  hang_up_talk(only_park(), PartyEnd::kCaller);
  EXPECT_EQ(cdrs(), "");
  end_all();
}

}  // namespace
}  // namespace callpark
