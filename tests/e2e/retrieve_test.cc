// Picking up what is parked.
#include <algorithm>

#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

/// A Replaces value in the form of a URI.
std::string escaped(std::string replaces) {
  for (auto at = replaces.find_first_of(";="); at != std::string::npos; at = replaces.find_first_of(";=")) {
    replaces.replace(at, 1, replaces[at] == ';' ? "%3B" : "%3D");
  }
  return replaces;
}

/// Where the far end of a call that was made here is, as its 200 has it.
std::string contact_in_answer(const PacketPhone& phone, const CallName& call) {
  std::string contact;
  for (const auto& message : phone.received(call)) {
    if (message.status() == 200 && !message.header("Contact").empty()) contact = message.header("Contact");
  }
  return contact.substr(1, contact.find('>') - 1);
}

class Retrieve : public ParkTest {
 protected:
  /// Client calls 101 by the trunk, and John answers and parks the call by transfer to `code`.
  std::unique_ptr<SippCall> parked_client(const std::string& code, int party = kClient) {
    if (!john_) john_ = site().baresip(site().phone("101", kJohn));
    auto client = site().trunk().call_in("+442030000101", tone_hz(party));
    const CallName call = john_->answer_next();
    EXPECT_TRUE(client->is_established());
    john_->transfer(call, code);
    EXPECT_TRUE(hears_music(*client));
    EXPECT_TRUE(has_no_call(*john_));
    return client;
  }
  void TearDown() override {
    john_.reset();
    ParkTest::TearDown();
  }
  std::unique_ptr<BaresipPhone> john_;
};

TEST_F(Retrieve, P3_TheBareCodeRetrievesFromTheOwnExtension) {
  const auto client = parked_client("*68");
  const CallName call = retrieve(*john_, "*88", *client);
  EXPECT_TRUE(nothing_parked());
  EXPECT_TRUE(client->saw_only_ordinary_calls());
  john_->hang_up(call);
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Retrieve, P3_EveryDeviceOfTheExtensionRetrieves) {
  const auto client = parked_client("*68");
  const auto second_device = site().baresip(site().phone("101", kBob));
  retrieve(*second_device, "*88", *client);
}

TEST_F(Retrieve, P4_AnyPhoneOfTheTenantRetrievesWithTheExtension) {
  const auto client = parked_client("*68");
  const auto alice = site().baresip(site().phone("102", kAlice));
  const CallName call = retrieve(*alice, "*88101", *client);
  EXPECT_TRUE(nothing_parked());
  client->hang_up();
  EXPECT_TRUE(alice->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Retrieve, P4_O6_LinphoneRetrieves) {
  const auto client = parked_client("*68");
  const auto alice = site().linphone(site().phone("102", kAlice));
  const CallName call = retrieve(*alice, "*88101", *client);
  alice->hang_up(call);
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Retrieve, P4_AnExtensionParkedOnLinphoneIsRetrieved) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto alice = site().linphone(site().phone("102", kAlice));
  const auto bob = site().baresip(site().phone("103", kBob));
  const CallName out = john->dial("102");
  const CallName in = alice->answer_next();
  ASSERT_TRUE(john->reaches(out, CallPhase::kEstablished));
  john->transfer(out, "*68");
  ASSERT_TRUE(hears_music(*alice));
  ASSERT_TRUE(parked_at("101"));
  const CallName retrieved = retrieve(*bob, "*88101", *alice);
  alice->hang_up(in);
  EXPECT_TRUE(bob->reaches(retrieved, CallPhase::kClosed));
}

TEST_F(Retrieve, P4_TheParkerSideIsGoneWhoeverHadCalledWhom) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto client = site().trunk().expect_call(tone_hz(kClient));
  const CallName out = john->dial_until_answered("+442079460018");
  ASSERT_TRUE(client->is_established());
  john->transfer(out, "*68");
  ASSERT_TRUE(hears_music(*client));
  ASSERT_TRUE(parked_at("101"));
  const auto alice = site().baresip(site().phone("102", kAlice));
  const CallName call = retrieve(*alice, "*88101", *client);
  EXPECT_EQ(john->calls(), 0);
  alice->hang_up(call);
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(Retrieve, S9_AnEmptyOrbitIsSpokenAsEarlyMediaAndThenRefused) {
  const auto alice = site().packet_phone("102", kAlice);
  const CallName call = alice->start_call("*88106");
  EXPECT_TRUE(hears_music(*alice));  // speech
  EXPECT_EQ(alice->wait_invite_status(call, std::chrono::seconds(15)), 404);
  bool early_media = false;
  for (const auto& message : alice->received(call)) {
    if (message.method() == "INVITE" && message.status() > 100 && message.status() < 200 && message.audio())
      early_media = true;
    EXPECT_NE(message.status(), 200);
  }
  EXPECT_TRUE(early_media);
}

TEST_F(Retrieve, S12_AfterTheRetrieveBothHoldAndResume) {
  const auto client = parked_client("*68");
  const auto alice = site().baresip(site().phone("102", kAlice));
  const CallName call = retrieve(*alice, "*88101", *client);
  alice->hold(call);
  EXPECT_TRUE(hears_nothing(*alice));
  EXPECT_TRUE(wait_until(kSoon, [&] { return !client->heard(kEarshot).has_tone(alice->tone()); }));
  EXPECT_FALSE(client->heard(kEarshot).has_music());
  alice->resume(call);
  EXPECT_TRUE(hear_each_other(*client, *alice));
  client->hold();
  EXPECT_TRUE(hears_nothing(*client));
  client->resume();
  EXPECT_TRUE(hear_each_other(*client, *alice));
  client->hang_up();
  EXPECT_TRUE(alice->reaches(call, CallPhase::kClosed));
}

TEST_F(Retrieve, S12_ARetrievedCallIsParkedAgain) {
  const auto client = parked_client("*68");
  const auto alice = site().baresip(site().phone("102", kAlice));
  const CallName call = retrieve(*alice, "*88101", *client);
  park(*alice, call, "*68", *client, "102");
  retrieve(*john_, "*88102", *client);
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(Retrieve, S12_ARetrievedCallIsTransferredToAnotherExtension) {
  const auto client = parked_client("*68");
  const auto alice = site().baresip(site().phone("102", kAlice));
  const auto bob = site().baresip(site().phone("103", kBob));
  const CallName call = retrieve(*alice, "*88101", *client);
  alice->transfer(call, "103");
  const CallName at_bob = bob->answer_next();
  EXPECT_TRUE(hear_each_other(*client, *bob));
  EXPECT_TRUE(has_no_call(*alice));
  EXPECT_TRUE(client->saw_only_ordinary_calls());
  bob->hang_up(at_bob);
  EXPECT_TRUE(client->is_closed());
}

// Alice's phone names Bob's by its Contact, of which the user is not Bob's number but something of baresip's.
TEST_F(Retrieve, S12_ARetrievedCallIsTransferredToWhomTheRetrieverHasConsulted) {
  const auto client = parked_client("*68");
  const auto alice = site().packet_phone("102", kAlice, true);
  const auto bob = site().baresip(site().phone("103", kBob));
  const CallName retrieved = retrieve(*alice, "*88101", *client);
  hold(*alice, retrieved);
  const CallName consultation = alice->start_call("103");
  bob->answer_next();
  ASSERT_EQ(alice->wait_invite_status(consultation), 200);
  const std::string contact = contact_in_answer(*alice, consultation);
  ASSERT_EQ(contact.find("sip:103@"), std::string::npos) << "the phone has got another habit";
  EXPECT_EQ(alice->refer(retrieved, contact + "?Replaces=" + escaped(alice->replaces(consultation))), 202);
  const CallName at_bob = bob->answer_next();
  EXPECT_TRUE(hear_each_other(*client, *bob));
  alice->hang_up(consultation);
  EXPECT_EQ(site().database().value("SELECT retriever FROM parked_calls"), "103") << "and not what is in Bob's Contact";
  bob->transfer(at_bob, "*68");
  EXPECT_TRUE(parked_at("103")) << "Bob parks like any parker";
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

/// Bob has asked Alice for the parked caller: Alice retrieves the caller while Bob is on hold, and connects the two.
class RetrieveForAnother : public Retrieve {
 protected:
  void SetUp() override {
    Retrieve::SetUp();
    client_ = parked_client("*68");
    alice_ = site().packet_phone("102", kAlice, true);
    bob_ = site().linphone(site().phone("103", kBob));
    bob_->dial("102");
    with_bob_ = alice_->wait_incoming();
    ASSERT_TRUE(hear_each_other(*alice_, *bob_));
    hold(*alice_, with_bob_);
    retrieved_ = retrieve(*alice_, "*88101", *client_);
  }
  void TearDown() override {
    alice_.reset();
    bob_.reset();
    client_.reset();
    Retrieve::TearDown();
  }
  void connect_by(const std::string& target) {
    EXPECT_EQ(alice_->refer(with_bob_, target + "?Replaces=" + escaped(alice_->replaces(retrieved_))), 202);
    EXPECT_TRUE(hear_each_other(*bob_, *client_));
    EXPECT_TRUE(wait_until(kSoon, [&] { return alice_->is_closed(retrieved_); }));
    EXPECT_TRUE(wait_until(kSoon, [&] { return retriever() == "103"; })) << retriever();
    EXPECT_TRUE(client_->saw_only_ordinary_calls());
    alice_->hang_up(with_bob_);
    EXPECT_TRUE(hear_each_other(*bob_, *client_));
    client_->hang_up();
    EXPECT_TRUE(has_no_call(*bob_));
  }
  static std::string retriever() { return site().database().value("SELECT MAX(retriever) FROM parked_calls"); }

  std::unique_ptr<SippCall> client_;
  std::unique_ptr<PacketPhone> alice_;
  std::unique_ptr<LinphonePhone> bob_;
  CallName with_bob_, retrieved_;
};

TEST_F(RetrieveForAnother, S12_WhoIsOnHoldIsConnectedWithTheCallerByTheNumberThatWasDialled) {
  connect_by("sip:*88101@demo.callpark");
}

TEST_F(RetrieveForAnother, S12_WhoIsOnHoldIsConnectedWithTheCallerByTheContactOfParkd) {
  connect_by(contact_in_answer(*alice_, retrieved_));
}

// What was dialled to retrieve the one leads to the other by now.
TEST_F(RetrieveForAnother, S12_S11_WhoIsOnHoldIsNotConnectedWithAStrangerWhoIsParkedThere) {
  const auto second = site().trunk().call_in("+442030000101", tone_hz(kSecondClient));
  const CallName call = john_->answer_next();
  ASSERT_TRUE(second->is_established());
  john_->transfer(call, "*68");
  EXPECT_TRUE(hears_music(*second));
  connect_by("sip:*88101@demo.callpark");
  EXPECT_TRUE(parked_at("101"));
  EXPECT_TRUE(hears_music(*second));
}

TEST_F(Retrieve, S12_VideoIsOffWhileParkedAndOfferedAgainAtTheRetrieve) {
  const auto john = site().packet_phone("101", kJohn, true, true);
  const auto bob = site().packet_phone("103", kBob, false, true);
  const auto alice = site().packet_phone("102", kAlice, false, true);
  const CallName call = bob->call("101");
  const CallName at_john = john->wait_incoming();
  ASSERT_TRUE(hear_each_other(*john, *bob));
  ASSERT_EQ(john->refer(at_john, "*68"), 202);
  ASSERT_TRUE(hears_music(*bob));
  const auto last_offer = [&] {
    SipText last;
    for (const auto& message : bob->received(call)) {
      if (message.is_request() && message.media_port("audio")) last = message;
    }
    return last;
  };
  EXPECT_EQ(last_offer().media_port("video"), 0) << last_offer().text();
  retrieve(*alice, "*88101", *bob);
  EXPECT_TRUE(last_offer().media_port("video").value_or(0) > 0) << last_offer().text();
}

TEST_F(Retrieve, S11_ATrunkCanNeitherRetrieveNorPark) {
  const auto client = parked_client("*68");
  const auto thief = site().trunk().call_in("*88101", tone_hz(kSecondClient));
  EXPECT_TRUE(thief->is_closed());
  EXPECT_EQ(thief->status(), 404);
  const auto parker = site().trunk().call_in("*68101", tone_hz(kSecondClient));
  EXPECT_TRUE(parker->is_closed());
  EXPECT_EQ(parker->status(), 404);
  EXPECT_TRUE(parked_at("101"));
}

TEST_F(Retrieve, L3_AnotherSitesTrunkRetrievesByTheNumberWhereTheRangeLetsIt) {
  const auto john = site().packet_phone("101", kJohn);
  const auto client = site().trunk_caller(kClient);
  const CallName in = client->start_call("+442030000101");
  const CallName call = john->wait_incoming();
  john->answer(call);
  ASSERT_EQ(client->wait_invite_status(in), 200);
  ASSERT_EQ(john->refer(call, "7003"), 202);
  EXPECT_TRUE(parked_at("7003"));
  john->hang_up(call);
  const auto caller = site().trunk_caller(kSecondClient);
  const auto status_of = [&](const std::string& number) {
    return caller->wait_invite_status(caller->start_call(number));
  };
  EXPECT_EQ(status_of("7003"), 404) << "not unless the tenant allows it";
  site().database().execute("UPDATE orbit_ranges SET from_trunks = TRUE");
  EXPECT_EQ(status_of("7000"), 404) << "it cannot park";
  EXPECT_EQ(status_of("*887003"), 404);
  EXPECT_EQ(status_of("7004"), 404) << "nothing is parked there";
  const CallName retrieve = caller->start_call("7003");
  EXPECT_EQ(caller->wait_invite_status(retrieve), 200);
  EXPECT_TRUE(hear_each_other(*caller, *client));
  EXPECT_EQ(site().database().value("SELECT retriever FROM parked_calls"), "trunk demo");
  EXPECT_EQ(caller->refer(retrieve, "102"), 403) << "a trunk transfers no call";
  EXPECT_EQ(caller->hang_up(retrieve), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return client->is_closed(in); }));
  site().database().execute("UPDATE orbit_ranges SET from_trunks = FALSE");
}

TEST_F(Retrieve, S11_ATransferToACodeThatRetrievesJoinsNobody) {
  const auto john = site().packet_phone("101", kJohn);
  const auto waiting = site().packet_phone("102", kAlice, true);
  const auto talking = site().packet_phone("103", kBob, true);
  const CallName parked = john->call("102");
  park(*john, parked, "*68104", "104");
  john->hang_up(parked);
  const CallName call = john->call("103");
  ASSERT_TRUE(hear_each_other(*john, *talking));
  // An extension that is sent there may dial the code by itself; this one keeps the request and does nothing.
  john->refer(call, "*88104");
  EXPECT_TRUE(hear_each_other(*john, *talking));
  EXPECT_TRUE(hears_music(*waiting));
  EXPECT_EQ(john->hang_up(call), 200);
  const CallName back = john->start_call("*88104");
  EXPECT_EQ(john->wait_invite_status(back), 200);
  EXPECT_EQ(john->hang_up(back), 200);
}

TEST_F(Retrieve, S12_TheCallerHoldsAndResumesToo) {
  john_ = site().baresip(site().phone("101", kJohn));
  const auto alice = site().baresip(site().phone("103", kAlice));
  const auto client = site().baresip(site().phone("102", kBob));
  const CallName at_client = client->dial("101");
  const CallName call = john_->answer_next();
  ASSERT_TRUE(hear_each_other(*client, *john_));
  john_->transfer(call, "*68");
  EXPECT_TRUE(hears_music(*client));
  const CallName retrieved = retrieve(*alice, "*88101", *client);
  client->hold(at_client);
  EXPECT_TRUE(hears_nothing(*alice));
  client->resume(at_client);
  EXPECT_TRUE(hear_each_other(*alice, *client));
  alice->transfer(retrieved, "101");
  john_->answer_next();
  EXPECT_TRUE(hear_each_other(*john_, *client));
  client->hang_up(at_client);
}

class ParkedColleague : public ParkTest {
 protected:
  static void SetUpTestSuite() {
    ParkTest::SetUpTestSuite();
    site().database().execute(
        "INSERT INTO extensions (tenant, extension, password, display_name) "
        "VALUES ('demo.callpark', '333', 'demo-333', 'Nobody')");
  }
  /// 102 has called 101, which parked 102; 103 has retrieved 102, and they talk.
  void SetUp() override {
    ParkTest::SetUp();
    john_ = site().packet_phone("101", kJohn, true);
    alice_ = site().packet_phone("102", kAlice);
    bob_ = site().packet_phone("103", kBob);
    at_alice_ = alice_->start_call("101");
    const CallName call = john_->wait_incoming();
    ASSERT_EQ(alice_->wait_invite_status(at_alice_), 200);
    ASSERT_EQ(john_->refer(call, "*68"), 202);
    ASSERT_TRUE(hears_music(*alice_));
    john_->hang_up(call);
    at_bob_ = bob_->start_call("*88101");
    ASSERT_EQ(bob_->wait_invite_status(at_bob_), 200);
    ASSERT_TRUE(hear_each_other(*alice_, *bob_));
  }
  void TearDown() override {
    alice_->hang_up(at_alice_);
    john_.reset();
    alice_.reset();
    bob_.reset();
    ParkTest::TearDown();
  }
  std::unique_ptr<PacketPhone> john_, alice_, bob_;
  CallName at_alice_, at_bob_;
};

TEST_F(ParkedColleague, S12_SheTransfersWhoRetrievedHer) {
  EXPECT_EQ(alice_->refer(at_alice_, "101"), 202);
  const CallName at_john = john_->wait_incoming();
  EXPECT_TRUE(hear_each_other(*john_, *bob_));
  john_->hang_up(at_john);
}

TEST_F(ParkedColleague, S12_N6_SheParksWhoRetrievedHerByTransfer) {
  EXPECT_EQ(alice_->refer(at_alice_, "*68"), 202);
  EXPECT_TRUE(parked_at("102"));
  EXPECT_TRUE(hears_music(*bob_));
  alice_->hang_up(at_alice_);
  const CallName at_john = john_->start_call("*88102");
  ASSERT_EQ(john_->wait_invite_status(at_john), 200);
  EXPECT_TRUE(hear_each_other(*john_, *bob_));
  const std::vector<SipText> received = john_->received(at_john);
  const auto answer =
      std::find_if(received.begin(), received.end(), [](const SipText& one) { return one.status() == 200; });
  ASSERT_NE(answer, received.end());
  EXPECT_EQ(answer->header("P-Asserted-Identity"), "\"Carol Clark\" <sip:103@demo.callpark>");
  // And back again: the last parked caller parks its retriever.
  EXPECT_EQ(bob_->refer(at_bob_, "*68"), 202);
  EXPECT_TRUE(parked_at("103"));
  EXPECT_TRUE(hears_music(*john_));
  john_->hang_up(at_john);
}

TEST_F(ParkedColleague, S12_S8_SheIsRefusedAndTheyTalkOnAndHeParksHer) {
  const auto carol = site().packet_phone("104", kCarol, true);
  const CallName at_carol = john_->start_call("104");
  ASSERT_EQ(john_->wait_invite_status(at_carol), 200);
  park(*john_, at_carol, "*68333", "333");
  john_->hang_up(at_carol);
  EXPECT_EQ(alice_->refer(at_alice_, "*68333"), 486);
  EXPECT_TRUE(hear_each_other(*alice_, *bob_));
  EXPECT_EQ(bob_->refer(at_bob_, "*68"), 202);
  EXPECT_TRUE(parked_at("103 333"));
  EXPECT_TRUE(hears_music(*alice_));
  const CallName back = john_->start_call("*88333");
  EXPECT_EQ(john_->wait_invite_status(back), 200);
  john_->hang_up(back);
}

TEST_F(ParkedColleague, S12_O4_WhoWasParkedByHerIsThereWhenParkdHasBeenKilled) {
  EXPECT_EQ(alice_->refer(at_alice_, "*68"), 202);
  ASSERT_TRUE(parked_at("102"));
  site().parkd().kill9();
  site().parkd().start();
  site().wait_parkd_ready();
  const CallName at_john = john_->start_call("*88102");
  ASSERT_EQ(john_->wait_invite_status(at_john), 200);
  EXPECT_TRUE(hear_each_other(*john_, *bob_));
  john_->hang_up(at_john);
}

TEST_F(ParkedColleague, S12_S1_SheHoldsWhoRetrievedHerAndParksHim) {
  hold(*alice_, at_alice_);
  const CallName feature = alice_->start_call("*70333");
  EXPECT_EQ(alice_->wait_invite_status(feature), 200);
  EXPECT_TRUE(parked_at("333"));
  EXPECT_TRUE(hears_music(*bob_));
  bob_->hang_up(at_bob_);
}

TEST_F(ParkedColleague, S12_S7_OfHerHeldCallsTheOneOfTheSameDeviceIsMeant) {
  hold(*alice_, at_alice_);
  const auto other_device = site().packet_phone("102", kCarol);
  const CallName held_last = other_device->call("101");
  hold(*other_device, held_last);
  const CallName feature = alice_->start_call("*70333");
  EXPECT_EQ(alice_->wait_invite_status(feature), 200);
  EXPECT_TRUE(parked_at("333"));
  EXPECT_TRUE(hears_music(*bob_));
  bob_->hang_up(at_bob_);
  other_device->hang_up(held_last);
}

TEST_F(Retrieve, S11_ATrunkWhoWasRetrievedNeitherTransfersNorParks) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto bob = site().packet_phone("103", kBob);
  const auto client = site().trunk_caller(kClient);
  const CallName at_client = client->start_call("+442030000101");
  const CallName call = john->wait_incoming();
  ASSERT_EQ(client->wait_invite_status(at_client), 200);
  park(*john, call, "*68", "101");
  john->hang_up(call);
  const CallName at_bob = bob->start_call("*88101");
  ASSERT_EQ(bob->wait_invite_status(at_bob), 200);
  ASSERT_TRUE(hear_each_other(*client, *bob));
  const std::string as_alice = "X-Callpark-Tenant: demo.callpark\r\nX-Callpark-User: 102\r\n";
  for (const std::string& headers : {std::string(), as_alice}) {
    for (const char* number : {"*68", "101"}) {
      const std::string refer_to = "Refer-To: <sip:" + std::string(number) + "@demo.callpark>\r\n";
      EXPECT_GE(client->request(at_client, "REFER", refer_to + headers), 400) << number;
    }
  }
  EXPECT_TRUE(hear_each_other(*client, *bob));
  EXPECT_TRUE(nothing_parked());
  bob->hang_up(at_bob);
}

TEST_F(Retrieve, S11_ASecondParkNeverJoinsTwoCallers) {
  const auto first = parked_client("*68");
  const auto second = site().trunk().call_in("+442030000101", tone_hz(kSecondClient));
  const CallName call = john_->answer_next();
  ASSERT_TRUE(second->is_established());
  john_->transfer(call, "*68");
  EXPECT_TRUE(john_->reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(never_hears(*first, *second, std::chrono::milliseconds(500)));
  EXPECT_TRUE(never_hears(*second, *first, std::chrono::milliseconds(100)));
  EXPECT_TRUE(parked_at("101"));
}

TEST_F(Retrieve, S4_ARandomOrbitBeginsWithAStarAndIsRetrievedByIt) {
  const auto client = parked_client("*70");
  const std::string orbit = orbits();
  EXPECT_TRUE(testing::internal::RE::FullMatch(orbit, "\\*[0-9][0-9][0-9][0-9]")) << orbit;
  const auto alice = site().baresip(site().phone("102", kAlice));
  retrieve(*alice, "*71" + orbit, *client);
}

}  // namespace
}  // namespace callpark::test
