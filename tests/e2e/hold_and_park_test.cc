// Parking a call on hold by a new call to a park code.
#include <algorithm>
#include <future>

#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

/// The caller has got so many by now.
bool has_reinvites(const PacketPhone& phone, const CallName& call, std::ptrdiff_t reinvites) {
  return wait_until(kSoon, [&] {
    const auto received = phone.received(call);
    const auto is_invite = [](const SipText& message) { return message.is_request() && message.method() == "INVITE"; };
    return std::ranges::count_if(received, is_invite) >= reinvites;
  });
}

class HoldAndPark : public ParkTest {
 protected:
  static void SetUpTestSuite() {
    ParkTest::SetUpTestSuite();
    site().database().execute(
        "INSERT INTO extensions (tenant, extension, password, display_name) "
        "VALUES ('demo.callpark', '333', 'demo-333', 'Nobody')");
  }
};

TEST_F(HoldAndPark, S1_ATrunkCallerOnHoldIsParkedWhereTheParkerDials) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = talk(*john, *client);
  hold(*john, call, *client);
  const CallName feature = john->dial_until_answered("*70333");
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(hears_music(*john)) << "the confirmation is spoken";
  EXPECT_TRUE(parked_at("333"));
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  john->hang_up(feature);
  EXPECT_TRUE(has_no_call(*john));
  EXPECT_TRUE(never_hears(*client, *john, std::chrono::milliseconds(300)));
  EXPECT_TRUE(parked_at("333"));
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(HoldAndPark, S1_WhenTheParkerHadCalledOut) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto client = site().trunk().expect_call(tone_hz(kClient));
  const CallName call = call_out(*john, *client);
  hold(*john, call, *client);
  john->dial_until_answered("*70333");
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(parked_at("333"));
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(HoldAndPark, S1_AKeyThatHoldsAndDialsAtOnceParksBehindASlowTrunk) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto client = site().trunk_caller(kClient);
  const Ends ends = talk(*client, *john, "+442030000101");
  client->answer_reinvites_with({0});  // the hold is answered when it comes again
  auto hold = std::async(std::launch::async, [&] { return john->offer(ends.callee, "sendonly"); });
  ASSERT_TRUE(has_reinvites(*client, ends.caller, 1));
  const CallName feature = john->start_call("*70333");
  EXPECT_EQ(john->wait_invite_status(feature), 200);
  EXPECT_EQ(hold.get(), 200);
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(parked_at("333"));
  EXPECT_TRUE(wait_until(kSoon, [&] { return john->is_closed(ends.callee); }));
}

TEST_F(HoldAndPark, S13_WhoGivesUpWhileHisHoldHasNoAnswerKeepsHisCall) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto client = site().trunk_caller(kClient);
  const Ends ends = talk(*client, *john, "+442030000101");
  client->answer_reinvites_with({0, 0});
  auto hold = std::async(std::launch::async, [&] { return john->offer(ends.callee, "sendonly"); });
  ASSERT_TRUE(has_reinvites(*client, ends.caller, 1));
  const CallName feature = john->start_call("*70333");
  ASSERT_TRUE(wait_until(kSoon, [&] {
    const auto received = john->received(feature);
    return !received.empty() && received.back().status() == 100;
  }));
  john->cancel(feature);
  EXPECT_EQ(john->wait_invite_status(feature), 487);
  EXPECT_EQ(hold.get(), 200);
  EXPECT_EQ(john->offer(ends.callee, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*john, *client));
  EXPECT_TRUE(nothing_parked());
  client->hang_up(ends.caller);
}

TEST_F(HoldAndPark, S13_WhoGivesUpWhileTheOtherPartyIsAskedKeepsHisCall) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto client = site().trunk_caller(kClient);
  const Ends ends = talk(*client, *john, "+442030000101");
  hold(*john, ends.callee);
  client->answer_reinvites_with({0});  // parkd's is answered when it comes again
  const CallName feature = john->start_call("*70333");
  ASSERT_TRUE(has_reinvites(*client, ends.caller, 2));  // John's hold, and parkd's
  john->cancel(feature);
  EXPECT_EQ(john->wait_invite_status(feature), 487);
  EXPECT_TRUE(wait_until(kSoon, [&] { return john->offer(ends.callee, "sendrecv") == 200; }));
  EXPECT_TRUE(hear_each_other(*john, *client));
  EXPECT_TRUE(nothing_parked());
  EXPECT_EQ(john->hang_up(ends.callee), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return client->is_closed(ends.caller); }));
}

TEST_F(HoldAndPark, S7_OfARetrievedAndAnOrdinaryCallTheOneHeldLast) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto alice = site().packet_phone("102", kAlice, true);
  const auto first = site().trunk_caller(kClient);
  const auto second = site().trunk_caller(kSecondClient);
  const CallName first_outside = first->start_call("+442030000101");
  const CallName at_john = john->wait_incoming();
  ASSERT_EQ(first->wait_invite_status(first_outside), 200);
  park(*john, at_john, "*68", "101");
  const CallName retrieved = retrieve(*alice, "*88101", *first);
  hold(*alice, retrieved);
  const CallName second_outside = second->start_call("+442030000102");
  const CallName ordinary = alice->wait_incoming();
  ASSERT_EQ(second->wait_invite_status(second_outside), 200);
  hold(*alice, ordinary);

  const CallName parks = alice->call("*70333");
  EXPECT_TRUE(parked_at("333"));
  EXPECT_TRUE(hears_music(*second)) << "held last";
  alice->hang_up(parks);
  EXPECT_EQ(alice->offer(retrieved, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*alice, *first));

  // And the other way round: the ordinary call that was held before stays its parties'.
  const auto third = site().trunk_caller(kCarol);
  const CallName third_outside = third->start_call("+442030000102");
  const CallName waiting = alice->wait_incoming();
  ASSERT_EQ(third->wait_invite_status(third_outside), 200);
  hold(*alice, waiting);
  hold(*alice, retrieved);
  const CallName parks_again = alice->call("*70101");
  EXPECT_TRUE(parked_at("101 333"));
  EXPECT_TRUE(hears_music(*first));
  alice->hang_up(parks_again);
  EXPECT_EQ(alice->offer(waiting, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*alice, *third));
  EXPECT_EQ(alice->hang_up(waiting), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return third->is_closed(third_outside); }));
  first->hang_up(first_outside);
  second->hang_up(second_outside);
}

TEST_F(HoldAndPark, S1_ACallInsideThePbxWhicheverSideHadCalled) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto alice = site().baresip(site().phone("102", kAlice));
  const auto [out, in] = talk(*john, *alice);
  hold(*john, out, *john);
  const CallName feature = john->dial_until_answered("*70333");
  EXPECT_TRUE(hears_music(*alice));
  EXPECT_TRUE(parked_at("333"));
  john->hang_up(feature);
  EXPECT_TRUE(has_no_call(*john));
  alice->hang_up(in);
  ASSERT_TRUE(nothing_parked());

  const auto [again, answered] = talk(*alice, *john);
  hold(*john, answered, *john);
  john->dial_until_answered("*70333");
  EXPECT_TRUE(hears_music(*alice));
  EXPECT_TRUE(parked_at("333"));
  EXPECT_TRUE(john->reaches(answered, CallPhase::kClosed));
}

TEST_F(HoldAndPark, S1_LinphoneHoldsByItselfWhenItDials) {
  const auto john = site().linphone(site().phone("101", kJohn));
  const auto alice = site().linphone(site().phone("102", kAlice));
  const CallName in = [&] {
    alice->dial("101");
    return john->answer_next();
  }();
  ASSERT_TRUE(hear_each_other(*john, *alice));
  hold(*john, in, *john);
  john->dial_until_answered("*70333");
  EXPECT_TRUE(hears_music(*john));
  EXPECT_TRUE(hears_music(*alice));
  EXPECT_TRUE(parked_at("333"));
  EXPECT_TRUE(john->reaches(in, CallPhase::kClosed));
}

TEST_F(HoldAndPark, S2_TheParkIsCommittedBeforeTheAnnouncementSoHangingUpEarlyChangesNothing) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = john->wait_incoming();
  ASSERT_TRUE(client->is_established());
  hold(*john, call);
  const CallName feature = john->start_call("*70333");
  ASSERT_EQ(john->wait_invite_status(feature), 200);
  EXPECT_EQ(orbits(), "333") << "not committed when the parker is notified";
  EXPECT_EQ(john->hang_up(feature), 200);
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(parked_at("333"));
}

TEST_F(HoldAndPark, S2_TheAnnouncementIsSpokenToItsEndAndHangsUp) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = john->wait_incoming();
  ASSERT_TRUE(client->is_established());
  hold(*john, call);
  const CallName feature = john->call("*70333");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(hears_music(*john));
  EXPECT_TRUE(wait_until(std::chrono::seconds(20), [&] { return john->is_closed(feature); }));
  const auto spoken = std::chrono::steady_clock::now() - begin;
  // "Your call is parked. To pick it up, dial star seven one three three three."
  EXPECT_GT(spoken, std::chrono::seconds(4));
}

TEST_F(HoldAndPark, S3_O6_AnyPhoneRetrievesByTheNumber) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto alice = site().baresip(site().phone("102", kAlice));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = talk(*john, *client);
  hold(*john, call, *client);
  john->dial_until_answered("*70333");
  ASSERT_TRUE(parked_at("333"));
  retrieve(*alice, "*71333", *client);
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(HoldAndPark, S3_TheBareCodeRetrievesFromTheOwnExtension) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = talk(*john, *client);
  hold(*john, call, *client);
  const CallName feature = john->dial_until_answered("*70101");
  ASSERT_TRUE(parked_at("101"));
  john->hang_up(feature);
  ASSERT_TRUE(has_no_call(*john));
  retrieve(*john, "*71", *client);
}

TEST_F(HoldAndPark, S4_TheBareCodeParksAtARandomOrbitThatIsNotGivenOutAgainAtOnce) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = talk(*john, *client);
  hold(*john, call, *client);
  john->dial_until_answered("*70");
  EXPECT_TRUE(hears_music(*client));
  const std::string orbit = orbits();
  EXPECT_TRUE(testing::internal::RE::FullMatch(orbit, "\\*[0-9][0-9][0-9][0-9]")) << orbit;
  const auto alice = site().baresip(site().phone("102", kAlice));
  retrieve(*alice, "*71" + orbit, *client);
  EXPECT_EQ(site().database().value("SELECT COUNT(*) FROM released_orbits WHERE orbit = '" + orbit + "'"), "1");
}

TEST_F(HoldAndPark, S7_OfSeveralHeldCallsTheOneHeldLast) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto first = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName first_call = talk(*john, *first);
  hold(*john, first_call, *first);
  const auto second = site().trunk().call_in("+442030000101", tone_hz(kSecondClient));
  const CallName second_call = talk(*john, *second);
  hold(*john, second_call, *second);
  john->dial_until_answered("*70333");
  EXPECT_TRUE(hears_music(*second));
  EXPECT_TRUE(hears_nothing(*first));
  EXPECT_TRUE(parked_at("333"));
}

TEST_F(HoldAndPark, S7_TheCallOfTheSameDeviceGoesBeforeTheOneHeldLast) {
  const auto desk = site().baresip(site().phone("101", kJohn));
  const auto first = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName desk_call = talk(*desk, *first);
  hold(*desk, desk_call, *first);
  const auto mobile = site().baresip(site().phone("101", kBob));
  const auto second = site().trunk().expect_call(tone_hz(kSecondClient));
  const CallName mobile_call = call_out(*mobile, *second);
  hold(*mobile, mobile_call, *second);
  desk->dial_until_answered("*70333");
  EXPECT_TRUE(hears_music(*first));
  EXPECT_TRUE(hears_nothing(*second));
}

// The retrieved one is parkd's, the other one Kamailio's to find.
TEST_F(HoldAndPark, S7_ARetrievedCallHeldLaterOnAnotherDeviceIsNotMeant) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto first = site().trunk_caller(kClient);
  const CallName first_outside = first->start_call("+442030000101");
  const CallName at_john = john->wait_incoming();
  ASSERT_EQ(first->wait_invite_status(first_outside), 200);
  park(*john, at_john, "*68", "101");
  const auto desk = site().packet_phone("102", kAlice, true);
  const CallName retrieved = retrieve(*desk, "*88101", *first);
  const auto mobile = site().packet_phone("102", kBob, true);
  const CallName ordinary = mobile->start_call("+442079460018");
  const auto outside = site().trunk().expect_call(tone_hz(kCarol));
  ASSERT_EQ(mobile->wait_invite_status(ordinary), 200);
  hold(*mobile, ordinary);
  hold(*desk, retrieved);

  const CallName parks = mobile->call("*70333");
  EXPECT_TRUE(parked_at("333"));
  EXPECT_TRUE(hears_music(*outside));
  mobile->hang_up(parks);
  EXPECT_EQ(desk->offer(retrieved, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*desk, *first));
  EXPECT_EQ(first->hang_up(first_outside), 200);
}

TEST_F(HoldAndPark, S7_ACallHeldOnAnotherDeviceIsParkedWhenThisOneHoldsNone) {
  const auto desk = site().baresip(site().phone("101", kJohn));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = talk(*desk, *client);
  hold(*desk, call, *client);
  const auto mobile = site().baresip(site().phone("101", kBob));
  mobile->dial_until_answered("*70333");
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(parked_at("333"));
  EXPECT_TRUE(desk->reaches(call, CallPhase::kClosed));
}

}  // namespace
}  // namespace callpark::test
