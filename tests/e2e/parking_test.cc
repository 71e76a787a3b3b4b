// Parking and picking up with real telephones: by transfer, by hold and a new call, from each side of a call, and a
// trunk that knows neither REFER nor Replaces.
#include <gtest/gtest.h>

#include "tests/support/house.h"

namespace callpark::test {
namespace {

class Parking : public HouseTest {
 protected:
  static std::string orbit_of_the_parked_call() {
    std::string orbit;
    wait_until(kSoon, [&] {
      orbit = house().database().value("SELECT orbit FROM parked_calls WHERE state = 'parked'");
      return !orbit.empty();
    });
    return orbit;
  }
  static bool nothing_is_left() {
    return wait_until(kSoon, [] { return house().database().value("SELECT COUNT(*) FROM parked_calls") == "0"; });
  }
  /// Holds, and waits until Kamailio must have seen that the other side has agreed.
  static void hold(Phone& phone, const CallName& call, const Listener& other) {
    phone.hold(call);
    ASSERT_TRUE(hears_nothing(other));
  }
  /// Waits until the transfer of `call` has failed, and says how.
  static std::string transfer_failure(BaresipPhone& phone, const CallName& call) {
    wait_until(kSoon, [&] { return !phone.transfer_failure(call).empty(); });
    return phone.transfer_failure(call);
  }
  static void retrieve_and_talk(BaresipPhone& retriever, const std::string& code, const Listener& caller) {
    const CallName call = retriever.dial(code);
    EXPECT_TRUE(retriever.reaches(call, CallPhase::kEstablished)) << retriever.closing_reason(call);
    EXPECT_TRUE(hear_each_other(retriever, caller));
    retriever.hang_up(call);
    EXPECT_TRUE(nothing_is_left());
  }
};

TEST_F(Parking, P1_S3_ABlindTransferParksTheCallerOfATrunkWhoSeesOnlyReInvites) {
  const auto john = house().baresip(house().phone("101", 1));
  const auto alice = house().baresip(house().phone("103", 3));
  const auto client = house().trunk().call_in("+442030000101", tone_hz(5));
  const CallName call = john->answer_next();
  ASSERT_TRUE(hear_each_other(*client, *john));
  john->transfer(call, "*68");
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(hears_music(*client));
  EXPECT_EQ(orbit_of_the_parked_call(), "101");
  retrieve_and_talk(*alice, "*71101", *client);
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(Parking, P2_TheOrbitMayBeAnExtensionThatIsNotRegistered) {
  const auto john = house().baresip(house().phone("101", 1));
  const auto client = house().linphone(house().phone("102", 2));
  const CallName call = john->dial("102");
  client->answer_next();
  ASSERT_TRUE(john->reaches(call, CallPhase::kEstablished));
  ASSERT_TRUE(hear_each_other(*john, *client));
  john->transfer(call, "*68106");
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(hears_music(*client));
  EXPECT_EQ(orbit_of_the_parked_call(), "106");
  retrieve_and_talk(*john, "*88106", *client);
}

TEST_F(Parking, P3_EachDeviceOfTheExtensionRetrievesWithTheBareCode) {
  const auto john = house().baresip(house().phone("101", 1));
  const auto johns_other_phone = house().baresip(house().phone("101", 4));
  const auto client = house().baresip(house().phone("102", 2));
  const CallName call = john->dial("102");
  client->answer_next();
  ASSERT_TRUE(john->reaches(call, CallPhase::kEstablished));
  john->transfer(call, "*68");
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(hears_music(*client));
  retrieve_and_talk(*johns_other_phone, "*88", *client);
}

TEST_F(Parking, P4_AnyPhoneOfTheTenantRetrievesFromAnExtension) {
  PhoneOptions over_tcp = house().phone("103", 3);
  over_tcp.transport = "tcp";
  const auto john = house().baresip(house().phone("101", 1));
  const auto client = house().baresip(house().phone("102", 2));
  const auto alice = house().baresip(over_tcp);
  client->dial("101");
  const CallName call = john->answer_next();
  ASSERT_TRUE(hear_each_other(*john, *client));
  john->transfer(call, "*68");
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(hears_music(*client));
  retrieve_and_talk(*alice, "*88101", *client);
}

TEST_F(Parking, P5_AnAttendedTransferToACodeParksTheTransferee) {
  const auto john = house().baresip(house().phone("101", 1));
  const auto alice = house().baresip(house().phone("103", 3));
  const auto client = house().trunk().call_in("+442030000101", tone_hz(5));
  const CallName call = john->answer_next();
  ASSERT_TRUE(hear_each_other(*client, *john));
  hold(*john, call, *client);
  const CallName consultation = john->dial("*68");
  ASSERT_TRUE(john->reaches(consultation, CallPhase::kEstablished)) << john->closing_reason(consultation);
  john->transfer_to(call, consultation);
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(john->reaches(consultation, CallPhase::kClosed));
  EXPECT_TRUE(hears_music(*client));
  retrieve_and_talk(*alice, "*88101", *client);
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(Parking, S1_S2_HoldAndANewCallParksTheCallerAndSpeaksTheNumber) {
  const auto john = house().baresip(house().phone("101", 1));
  const auto alice = house().baresip(house().phone("103", 3));
  const auto client = house().trunk().call_in("+442030000101", tone_hz(5));
  const CallName call = john->answer_next();
  ASSERT_TRUE(hear_each_other(*client, *john));
  hold(*john, call, *client);
  const CallName feature = john->dial("*70104");
  ASSERT_TRUE(john->reaches(feature, CallPhase::kEstablished)) << john->closing_reason(feature);
  // The row is there before the phone hears of it.
  EXPECT_EQ(orbit_of_the_parked_call(), "104");
  EXPECT_TRUE(hears_music(*john));
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(john->reaches(feature, CallPhase::kClosed, std::chrono::seconds(20)));
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  retrieve_and_talk(*alice, "*71104", *client);
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(Parking, S1_S2_TheOneWhoCalledParksTooAndHangingUpEarlyChangesNothing) {
  const auto john = house().baresip(house().phone("101", 1));
  const auto client = house().linphone(house().phone("102", 2));
  const CallName call = john->dial("102");
  client->answer_next();
  ASSERT_TRUE(john->reaches(call, CallPhase::kEstablished));
  ASSERT_TRUE(hear_each_other(*john, *client));
  hold(*john, call, *client);
  const CallName feature = john->dial("*70104");
  ASSERT_TRUE(john->reaches(feature, CallPhase::kEstablished)) << john->closing_reason(feature);
  john->hang_up(feature);
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(hears_music(*client));
  retrieve_and_talk(*john, "*88104", *client);
}

TEST_F(Parking, S3_BareSeventyOneRetrievesFromTheOwnExtension) {
  const auto john = house().baresip(house().phone("101", 1));
  const auto client = house().baresip(house().phone("102", 2));
  client->dial("101");
  const CallName call = john->answer_next();
  ASSERT_TRUE(hear_each_other(*john, *client));
  john->transfer(call, "*70101");
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  retrieve_and_talk(*john, "*71", *client);
}

TEST_F(Parking, S4_BareSeventyParksAtARandomOrbitThatIsNotGivenOutAgainAtOnce) {
  const auto john = house().baresip(house().phone("101", 1));
  const auto alice = house().baresip(house().phone("103", 3));
  const auto client = house().trunk().call_in("+442030000101", tone_hz(5));
  const CallName call = john->answer_next();
  ASSERT_TRUE(hear_each_other(*client, *john));
  hold(*john, call, *client);
  const CallName feature = john->dial("*70");
  ASSERT_TRUE(john->reaches(feature, CallPhase::kEstablished)) << john->closing_reason(feature);
  const std::string orbit = orbit_of_the_parked_call();
  EXPECT_EQ(orbit.size(), 5U);
  EXPECT_EQ(orbit[0], '*');
  retrieve_and_talk(*alice, "*71" + orbit, *client);
  EXPECT_EQ(house().database().value("SELECT COUNT(*) FROM released_orbits WHERE orbit = '" + orbit + "'"), "1");
}

TEST_F(Parking, S6_O3_ACodeThatAnOperatorHasJustAddedWorksAtTheNextCall) {
  house().database().execute(
      "INSERT INTO park_codes (tenant, code, action, bare) VALUES ('demo.callpark', '645', 'retrieve', "
      "'own_extension')");
  house().database().execute(
      "INSERT INTO park_codes (tenant, code, action, bare, retrieve_code) "
      "VALUES ('demo.callpark', '644', 'park', 'own_extension', '645')");
  const auto john = house().baresip(house().phone("101", 1));
  const auto client = house().baresip(house().phone("102", 2));
  client->dial("101");
  const CallName call = john->answer_next();
  ASSERT_TRUE(hear_each_other(*john, *client));
  john->transfer(call, "644105");
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(hears_music(*client));
  EXPECT_EQ(orbit_of_the_parked_call(), "105");
  retrieve_and_talk(*john, "645105", *client);
  house().database().execute("DELETE FROM park_codes WHERE code = '644'");
  house().database().execute("DELETE FROM park_codes WHERE code = '645'");
  EXPECT_EQ(house()
                .database()
                .refusal("INSERT INTO park_codes (tenant, code, action, bare) "
                         "VALUES ('demo.callpark', '101', 'retrieve', 'own_extension')")
                .empty(),
            false);
}

TEST_F(Parking, S6_ATrailingHashIsAccepted) {
  const auto john = house().packet_phone("101", 1);
  const auto client = house().packet_phone("102", 2, true);
  const CallName call = john->call("102");
  ASSERT_EQ(john->refer(call, "*68104%23"), 202);
  EXPECT_EQ(orbit_of_the_parked_call(), "104");
  john->hang_up(call);
  const CallName back = john->start_call("*88104%23");
  EXPECT_EQ(john->wait_invite_status(back), 200);
  EXPECT_EQ(john->hang_up(back), 200);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Parking, S7_WithoutAHeldCallThereIsASpokenRefusal) {
  const auto john = house().baresip(house().phone("101", 1));
  const CallName feature = john->dial("*70");
  EXPECT_TRUE(hears_music(*john));
  EXPECT_TRUE(john->reaches(feature, CallPhase::kClosed));
  EXPECT_NE(john->closing_reason(feature).find("404"), std::string::npos) << john->closing_reason(feature);
}

TEST_F(Parking, S7_TheCallHeldLastIsTheOneThatIsParked) {
  const auto john = house().baresip(house().phone("101", 1));
  const auto early = house().baresip(house().phone("102", 2));
  const auto late = house().baresip(house().phone("103", 3));
  early->dial("101");
  const CallName first = john->answer_next();
  ASSERT_TRUE(hear_each_other(*john, *early));
  hold(*john, first, *early);
  late->dial("101");
  const CallName second = john->answer_next();
  ASSERT_TRUE(hear_each_other(*john, *late));
  hold(*john, second, *late);
  const CallName feature = john->dial("*70104");
  ASSERT_TRUE(john->reaches(feature, CallPhase::kEstablished)) << john->closing_reason(feature);
  EXPECT_TRUE(hears_music(*late));
  EXPECT_TRUE(hears_nothing(*early));
  john->hang_up(feature);
  john->resume(first);
  EXPECT_TRUE(hear_each_other(*john, *early));
  retrieve_and_talk(*early, "*88104", *late);
}

TEST_F(Parking, S8_S13_ATakenOrbitIsRefusedAndTheCallStaysWithTheParker) {
  const auto john = house().packet_phone("101", 1);
  const auto first = house().packet_phone("102", 2, true);
  const auto second = house().packet_phone("103", 3, true);
  const CallName parked = john->call("102");
  ASSERT_EQ(john->refer(parked, "*68104"), 202);
  ASSERT_EQ(orbit_of_the_parked_call(), "104");
  john->hang_up(parked);
  const CallName call = john->call("103");
  ASSERT_TRUE(hear_each_other(*john, *second));
  ASSERT_EQ(john->refer(call, "*68104"), 202);
  ASSERT_TRUE(wait_until(kSoon, [&] { return john->transfer_reports(call).size() >= 2; }));
  EXPECT_NE(john->transfer_reports(call).back().find(" 486 "), std::string::npos);
  EXPECT_TRUE(hear_each_other(*john, *second));
  EXPECT_EQ(john->offer(call, "sendonly"), 200);
  // Once more by a new call: spoken, then 486, and the held call is still his.
  const CallName feature = john->start_call("*70104");
  EXPECT_EQ(john->wait_invite_status(feature), 486);
  EXPECT_EQ(john->offer(call, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*john, *second));
  EXPECT_EQ(john->hang_up(call), 200);
  const CallName back = john->start_call("*88104");
  EXPECT_EQ(john->wait_invite_status(back), 200);
  EXPECT_EQ(john->hang_up(back), 200);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Parking, S9_AnEmptyOrbitIsRefusedWithSpeechAndNeverAnswered) {
  const auto john = house().baresip(house().phone("101", 1));
  const CallName call = john->dial("*88105");
  EXPECT_TRUE(hears_music(*john));
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_NE(john->closing_reason(call).find("404"), std::string::npos) << john->closing_reason(call);
}

TEST_F(Parking, S11_ATransferToACodeThatRetrievesJoinsNobody) {
  const auto john = house().packet_phone("101", 1);
  const auto waiting = house().packet_phone("102", 2, true);
  const auto talking = house().packet_phone("103", 3, true);
  const CallName parked = john->call("102");
  ASSERT_EQ(john->refer(parked, "*68104"), 202);
  ASSERT_EQ(orbit_of_the_parked_call(), "104");
  john->hang_up(parked);
  const CallName call = john->call("103");
  ASSERT_TRUE(hear_each_other(*john, *talking));
  // An extension that is sent there may dial the code by itself; this one takes note and does nothing.
  john->refer(call, "*88104");
  EXPECT_TRUE(hear_each_other(*john, *talking));
  EXPECT_TRUE(hears_music(*waiting));
  EXPECT_EQ(john->hang_up(call), 200);
  const CallName back = john->start_call("*88104");
  EXPECT_EQ(john->wait_invite_status(back), 200);
  EXPECT_EQ(john->hang_up(back), 200);
}

TEST_F(Parking, S12_AfterTheRetrieveTheyHoldResumeTransferAndParkAgain) {
  const auto john = house().baresip(house().phone("101", 1));
  const auto alice = house().baresip(house().phone("103", 3));
  const auto client = house().trunk().call_in("+442030000101", tone_hz(5));
  const CallName call = john->answer_next();
  ASSERT_TRUE(hear_each_other(*client, *john));
  john->transfer(call, "*68");
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  const CallName retrieved = alice->dial("*88101");
  ASSERT_TRUE(hear_each_other(*alice, *client));
  alice->hold(retrieved);
  EXPECT_TRUE(hears_nothing(*client));
  alice->resume(retrieved);
  EXPECT_TRUE(hear_each_other(*alice, *client));
  alice->transfer(retrieved, "101");
  const CallName transferred = john->answer_next();
  EXPECT_TRUE(hear_each_other(*john, *client));
  EXPECT_TRUE(alice->reaches(retrieved, CallPhase::kClosed));
  john->transfer(transferred, "*68104");
  EXPECT_TRUE(john->reaches(transferred, CallPhase::kClosed));
  EXPECT_TRUE(hears_music(*client));
  retrieve_and_talk(*alice, "*88104", *client);
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(Parking, S12_TheCallerHoldsAndResumesTooAndMusicDoesNotLinger) {
  const auto john = house().baresip(house().phone("101", 1));
  const auto alice = house().baresip(house().phone("103", 3));
  const auto client = house().baresip(house().phone("102", 2));
  const CallName at_client = client->dial("101");
  const CallName call = john->answer_next();
  ASSERT_TRUE(hear_each_other(*client, *john));
  john->transfer(call, "*68");
  EXPECT_TRUE(john->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(hears_music(*client));
  const CallName retrieved = alice->dial("*88101");
  ASSERT_TRUE(hear_each_other(*alice, *client));
  client->hold(at_client);
  EXPECT_TRUE(hears_nothing(*alice));
  client->resume(at_client);
  EXPECT_TRUE(hear_each_other(*alice, *client));
  alice->transfer(retrieved, "101");
  john->answer_next();
  EXPECT_TRUE(hear_each_other(*john, *client));
  client->hang_up(at_client);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Parking, S13_WithoutParkdKamailioAnswers503AndTheCallGoesOn) {
  const auto john = house().packet_phone("101", 1);
  const auto client = house().packet_phone("102", 2, true);
  const CallName call = john->call("102");
  ASSERT_TRUE(hear_each_other(*john, *client));
  house().parkd().kill9();
  EXPECT_EQ(john->refer(call, "*68"), 503);
  EXPECT_EQ(john->offer(call, "sendonly"), 200);
  const CallName feature = john->start_call("*70");
  EXPECT_EQ(john->wait_invite_status(feature), 503);
  EXPECT_EQ(john->offer(call, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*john, *client));
  EXPECT_EQ(john->hang_up(call), 200);
  house().parkd().start();
  house().wait_parkd_ready();
  ASSERT_TRUE(wait_until(kSoon, [&] { return john->wait_invite_status(john->start_call("*88106")) == 404; }));
}

TEST_F(Parking, S13_O3_APermissionTakenAwayCountsAtTheNextCall) {
  const auto john = house().packet_phone("101", 1);
  const auto client = house().packet_phone("102", 2, true);
  house().database().execute(
      "UPDATE extensions SET may_park = FALSE WHERE tenant = 'demo.callpark' AND extension = '101'");
  const CallName call = john->call("102");
  ASSERT_EQ(john->refer(call, "*68"), 202);
  ASSERT_TRUE(wait_until(kSoon, [&] { return john->transfer_reports(call).size() >= 2; }));
  EXPECT_NE(john->transfer_reports(call).back().find(" 403 "), std::string::npos);
  EXPECT_TRUE(hear_each_other(*john, *client));
  house().database().execute(
      "UPDATE extensions SET may_park = TRUE WHERE tenant = 'demo.callpark' AND extension = '101'");
  EXPECT_EQ(john->hang_up(call), 200);
}

}  // namespace
}  // namespace callpark::test
