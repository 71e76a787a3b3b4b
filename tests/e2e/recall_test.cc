// No caller waits for ever: what becomes of a parked call that is not retrieved.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Recall : public ParkTest {
 protected:
  /// For the demo tenant, with times that no operator is allowed but that a test can wait for.
  static void set(const std::string& assignments) {
    site().database().execute("SET SESSION check_constraint_checks = 0; UPDATE tenants SET " + assignments +
                              " WHERE tenant = 'demo.callpark'");
  }
  void SetUp() override {
    ParkTest::SetUp();
    set("recall_mode = 'parker_only', recall_after_seconds = 1, ring_seconds = 5, recall_retry_seconds = 1, "
        "recall_attempts_max = 3, alert_ring_group_wait_seconds = 2, ring_group = NULL, fallback_destination = NULL");
    john_ = site().packet_phone("101", kJohn);
  }
  void TearDown() override {
    john_.reset();
    set("recall_mode = DEFAULT, recall_after_seconds = DEFAULT, ring_seconds = DEFAULT, "
        "recall_retry_seconds = DEFAULT, recall_attempts_max = DEFAULT, alert_ring_group_wait_seconds = DEFAULT, "
        "ring_group = DEFAULT, fallback_destination = DEFAULT, music_on = DEFAULT, music_class = DEFAULT");
    ParkTest::TearDown();
  }

  /// Client calls 101, and John parks the call at 101. `other` rings too, in vain.
  std::unique_ptr<SippCall> parked_client(PacketPhone* other = nullptr) {
    auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
    if (other != nullptr) other->wait_incoming();
    const CallName call = john_->wait_incoming();
    john_->answer(call);
    EXPECT_TRUE(client->is_established());
    EXPECT_TRUE(hear_each_other(*john_, *client));
    EXPECT_EQ(john_->refer(call, "*68"), 202);
    EXPECT_TRUE(wait_until(kSoon, [&] {
      const auto reports = john_->transfer_reports(call);
      return !reports.empty() && reports.back().starts_with("SIP/2.0 200");
    }));
    john_->hang_up(call);
    parked_ = std::chrono::steady_clock::now();
    return client;
  }
  /// Since the call was parked.
  double seconds_passed() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - parked_).count();
  }
  /// When the next step of the one parked call's recall is due.
  static std::string recall_deadline() { return site().database().value("SELECT recall_deadline FROM parked_calls"); }
  static void restart_parkd() {
    site().parkd().start();
    site().wait_parkd_ready();
  }
  void talk_and_hang_up(PacketPhone& phone, const CallName& call, SippCall& client) {
    EXPECT_TRUE(hear_each_other(phone, client));
    EXPECT_EQ(phone.hang_up(call), 200);
    EXPECT_TRUE(client.is_closed());
  }
  // Both. tm does not cancel a branch if its 180 comes in the same moment as the 200 of the other.
  static bool ring_on(const PacketPhone& one, const CallName& at_one, const PacketPhone& other,
                      const CallName& at_other) {
    return holds_for(std::chrono::milliseconds(200),
                     [&] { return !one.is_closed(at_one) && !other.is_closed(at_other); });
  }
  static SipText first_invite(const PacketPhone& phone, const CallName& call) {
    for (const auto& message : phone.received(call)) {
      if (message.method() == "INVITE") return message;
    }
    throw std::runtime_error("no INVITE in " + call);
  }

  std::unique_ptr<PacketPhone> john_;
  std::chrono::steady_clock::time_point parked_;
};

TEST_F(Recall, R1_R5_TheParkerIsCalledBackAndTalksToHisCaller) {
  const auto client = parked_client();
  EXPECT_TRUE(hears_music(*client));
  const CallName recall = john_->wait_incoming();
  EXPECT_TRUE(hears_music(*client));
  const SipText invite = first_invite(*john_, recall);
  EXPECT_THAT(invite.header("From"), testing::HasSubstr("Recall 101: Client"));
  EXPECT_THAT(invite.header("Alert-Info"), testing::HasSubstr("recall"));
  john_->answer(recall);
  EXPECT_TRUE(hear_each_other(*john_, *client));
  EXPECT_TRUE(nothing_parked());
  EXPECT_EQ(john_->offer(recall, "sendonly"), 200);
  EXPECT_TRUE(hears_nothing(*john_));
  EXPECT_EQ(john_->offer(recall, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*john_, *client));
  EXPECT_EQ(john_->hang_up(recall), 200);
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(Recall, R5_AllDevicesOfTheParkerRingAndOneHasTheCall) {
  const auto desk = site().packet_phone("101", kAlice);
  const auto client = parked_client(desk.get());
  const CallName at_john = john_->wait_incoming();
  const CallName at_desk = desk->wait_incoming();
  EXPECT_TRUE(ring_on(*john_, at_john, *desk, at_desk));
  desk->answer(at_desk);
  EXPECT_TRUE(hear_each_other(*desk, *client));
  EXPECT_TRUE(wait_until(kSoon, [&] { return john_->is_closed(at_john); })) << "the other one rings on";
  talk_and_hang_up(*desk, at_desk, *client);
}

// A mailbox that speaks before it answers, and never answers.
TEST_F(Recall, R5_AnEarlyAnswerThatNeverBecomesOneIsGivenUp) {
  const auto client = parked_client();
  const CallName recall = john_->wait_incoming();
  const SipText invite = first_invite(*john_, recall);
  std::string progress = "SIP/2.0 183 Session Progress\r\n";
  for (const auto& via : invite.headers("Via")) progress += "Via: " + via + "\r\n";
  for (const auto& route : invite.headers("Record-Route")) progress += "Record-Route: " + route + "\r\n";
  const std::string sdp = john_->sound().sdp();
  progress +=
      "From: " + invite.header("From") + "\r\nTo: " + invite.header("To") + ";tag=mailbox\r\nCall-ID: " + recall +
      "\r\nCSeq: " + invite.header("CSeq") + "\r\nContact: <sip:101@" + john_->options().address +
      ":5060>\r\nContent-Type: application/sdp\r\nContent-Length: " + std::to_string(sdp.size()) + "\r\n\r\n" + sdp;
  john_->send_raw(progress);
  EXPECT_TRUE(wait_until(kSoon, [&] { return john_->is_closed(recall); }));
  EXPECT_TRUE(hears_music(*client));
  const CallName again = john_->wait_incoming();
  john_->answer(again);
  talk_and_hang_up(*john_, again, *client);
}

TEST_F(Recall, R2_EveryMemberOfTheRingGroupRingsAndOneHasTheCall) {
  set("recall_mode = 'parker_then_ring_group', ring_group = '601'");
  const auto alice = site().packet_phone("104", kAlice);
  const auto bob = site().packet_phone("105", kBob);
  const auto client = parked_client();
  john_->refuse(john_->wait_incoming(), 486);
  const CallName at_alice = alice->wait_incoming();
  const CallName at_bob = bob->wait_incoming();
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(ring_on(*alice, at_alice, *bob, at_bob));
  bob->answer(at_bob);
  EXPECT_TRUE(hear_each_other(*bob, *client));
  EXPECT_TRUE(wait_until(kSoon, [&] { return alice->is_closed(at_alice); }));
  EXPECT_TRUE(nothing_parked());
  // Bob has a call like any other.
  EXPECT_EQ(bob->refer(at_bob, "*68"), 202);
  EXPECT_TRUE(parked_at("105"));
  client->hang_up();
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Recall, R8_AMemberWhoIsTheParkedCallerDoesNotRingForHimself) {
  set("recall_mode = 'ring_group_only', ring_group = '601'");
  const auto alice = site().packet_phone("104", kAlice);
  const auto bob = site().packet_phone("105", kBob);
  const CallName out = alice->start_call("101");
  const CallName call = john_->wait_incoming();
  john_->answer(call);
  ASSERT_EQ(alice->wait_invite_status(out), 200);
  ASSERT_EQ(john_->refer(call, "*68"), 202);
  john_->hang_up(call);
  const CallName at_bob = bob->wait_incoming();
  EXPECT_TRUE(holds_for(milliseconds(500), [&] { return alice->calls() == 1; }))
      << "Alice is parked, and Alice's phone rings: the answer would join the phone to itself";
  bob->answer(at_bob);
  EXPECT_TRUE(hear_each_other(*bob, *alice));
  alice->hang_up(out);
}

TEST_F(Recall, R7_ATrustedPhoneSaysWhenTheRecallOfItsCallIsDue) {
  set("recall_after_seconds = 3600");
  site().database().execute("UPDATE extensions SET may_set_recall = TRUE WHERE extension = '101'");
  auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = john_->wait_incoming();
  john_->answer(call);
  EXPECT_TRUE(client->is_established());
  EXPECT_EQ(john_->request(call, "REFER", john_->refer_to("*68") + "X-Recall-After: 5\r\n"), 400);
  EXPECT_TRUE(hear_each_other(*john_, *client)) << "John keeps the call";
  EXPECT_EQ(john_->request(call, "REFER", john_->refer_to("*68") + "X-Recall-After: 10\r\n"), 202);
  EXPECT_TRUE(hears_music(*client));
  john_->hang_up(call);
  EXPECT_EQ(site().database().value("SELECT TIMESTAMPDIFF(SECOND, parked_at, recall_deadline) FROM parked_calls"),
            "10");
  const CallName recall = john_->wait_incoming(std::chrono::seconds(15));
  john_->answer(recall);
  talk_and_hang_up(*john_, recall, *client);
  site().database().execute("UPDATE extensions SET may_set_recall = FALSE");
}

TEST_F(Recall, R4_TheFallbackMayBeOutside) {
  set("recall_mode = 'parker_only', recall_attempts_max = 1, fallback_destination = '+442079460099'");
  const auto client = parked_client();
  const auto outside = site().trunk().expect_call(tone_hz(kSecondClient));
  john_->refuse(john_->wait_incoming(), 486);
  EXPECT_TRUE(outside->is_established());
  EXPECT_TRUE(hear_each_other(*outside, *client));
  EXPECT_TRUE(outside->saw_only_ordinary_calls());
  outside->hang_up();
  EXPECT_TRUE(client->is_closed());
}

// ---- parkd is killed ----

TEST_F(Recall, O4_KilledWhileTheRingGroupRingsItRingsOnceAfterwards) {
  set("recall_mode = 'ring_group_only', ring_group = '601', recall_attempts_max = 1");
  const auto alice = site().packet_phone("104", kAlice);
  const auto bob = site().packet_phone("105", kBob);
  const auto client = parked_client();
  const CallName first = alice->wait_incoming();
  bob->wait_incoming();
  site().parkd().kill9();
  EXPECT_TRUE(hears_music(*client));
  restart_parkd();
  const CallName again = alice->wait_incoming();
  EXPECT_TRUE(wait_until(kSoon, [&] { return alice->is_closed(first) && alice->calls() == 1 && bob->calls() == 1; }));
  alice->answer(again);
  EXPECT_TRUE(hear_each_other(*alice, *client));
  EXPECT_TRUE(wait_until(kSoon, [&] { return bob->calls() == 0; }));
  EXPECT_EQ(alice->hang_up(again), 200);
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Recall, O4_KilledWhileTheFallbackRingsItRingsOnceAfterwards) {
  set("recall_mode = 'parker_only', recall_attempts_max = 1, fallback_destination = '102'");
  const auto alice = site().packet_phone("102", kAlice);
  const auto client = parked_client();
  john_->refuse(john_->wait_incoming(), 486);
  const CallName first = alice->wait_incoming();
  site().parkd().kill9();
  restart_parkd();
  const CallName again = alice->wait_incoming();
  EXPECT_TRUE(wait_until(kSoon, [&] { return alice->is_closed(first) && alice->calls() == 1; }));
  alice->answer(again);
  EXPECT_TRUE(hear_each_other(*alice, *client));
  EXPECT_EQ(alice->hang_up(again), 200);
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Recall, O4_KilledWhileTheCallWaitsTheRecallComesAtItsTime) {
  set("recall_after_seconds = 4");
  const auto client = parked_client();
  const std::string due = recall_deadline();
  site().parkd().kill9();
  EXPECT_TRUE(hears_music(*client));
  restart_parkd();
  EXPECT_EQ(recall_deadline(), due) << "the time begins anew";
  const CallName recall = john_->wait_incoming();
  EXPECT_GT(seconds_passed(), 3.5);
  john_->answer(recall);
  talk_and_hang_up(*john_, recall, *client);
}

TEST_F(Recall, O4_KilledForLongerThanTheCallWaitsTheRecallComesAtOnce) {
  const auto client = parked_client();
  site().parkd().kill9();
  EXPECT_TRUE(wait_until(kSoon, [&] { return seconds_passed() > 2; }));
  restart_parkd();
  const CallName recall = john_->wait_incoming(seconds(3));
  john_->answer(recall);
  talk_and_hang_up(*john_, recall, *client);
}

TEST_F(Recall, O4_KilledWhileTheParkerRingsOneCallRingsForWhatIsLeftOfItsTime) {
  set("ring_seconds = 5");
  const auto client = parked_client();
  const CallName first = john_->wait_incoming();
  const double rang_at = seconds_passed();
  const std::string due = recall_deadline();
  site().parkd().kill9();
  restart_parkd();
  EXPECT_EQ(recall_deadline(), due) << "the time begins anew";
  const CallName second = john_->wait_incoming();
  EXPECT_TRUE(hears_music(*client));
  bool first_has_ended = false;
  for (const auto& message : john_->received("")) {
    if (message.method() == "CANCEL" && message.call_id() == first) first_has_ended = true;
    if (message.method() == "INVITE" && message.call_id() == second) break;
  }
  EXPECT_TRUE(first_has_ended) << "both rang at once";
  EXPECT_TRUE(wait_until(kSoon, [&] { return john_->is_closed(second); }));
  EXPECT_GT(seconds_passed() - rang_at, 3.5);
  EXPECT_EQ(site().database().value("SELECT recall_attempts FROM parked_calls"), "1")
      << "one attempt, though two calls";
  const CallName third = john_->wait_incoming();
  EXPECT_GT(seconds_passed() - rang_at, 4.5);
  john_->answer(third);
  talk_and_hang_up(*john_, third, *client);
}

class KilledAfterAnswer : public Recall, public testing::WithParamInterface<int> {
 protected:
  bool was_acknowledged(const CallName& call) const {
    const auto messages = john_->received(call);
    return std::ranges::any_of(messages, [](const auto& message) { return message.method() == "ACK"; });
  }
};

TEST_P(KilledAfterAnswer, O4_TheCallerIsNotLost) {
  // Not sipp: it answers nothing as long as it waits for an ACK, and that of a re-INVITE may have died with parkd.
  const auto client = site().trunk_caller(kClient);
  const CallName at_client = client->start_call("+442030000101");
  const CallName parked = john_->wait_incoming();
  john_->answer(parked);
  ASSERT_EQ(client->wait_invite_status(at_client), 200);
  park(*john_, parked, "*68", "101");
  john_->hang_up(parked);
  const CallName first = john_->wait_incoming();
  john_->answer(first);
  pass(milliseconds(GetParam()));
  site().parkd().kill9();
  restart_parkd();
  CallName talking = first;
  if (site().database().value("SELECT state FROM parked_calls") != "retrieved") {
    talking = john_->wait_incoming();
    EXPECT_TRUE(hears_music(*client));
    john_->answer(talking);
  }
  EXPECT_TRUE(hear_each_other(*john_, *client));
  EXPECT_EQ(john_->hang_up(talking), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return client->is_closed(at_client); }));
  // RFC 3261 13.3.1.4: without an ACK the phone ends it by itself.
  if (!was_acknowledged(first)) return;
  EXPECT_TRUE(wait_until(kSoon, [&] { return john_->is_closed(first); })) << "a call without a peer";
}
INSTANTIATE_TEST_SUITE_P(Ms, KilledAfterAnswer, testing::Values(0, 1, 2, 3, 4, 8, 20, 200));

// ---- what the parked caller hears ----

TEST_F(Recall, L6_WithTheMusicOffTheCallerHearsRingback) {
  set("recall_mode = 'off', music_on = FALSE");
  const auto client = parked_client();
  // A second of tone in five.
  EXPECT_TRUE(wait_until(kSoon, [&] { return client->heard(kEarshot).share(425) > 0.8; }));
  EXPECT_TRUE(wait_until(kSoon, [&] { return client->heard(kEarshot).level() <= kSilenceLevel; }));
  client->hang_up();
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Recall, L6_AnotherClassAndAReplacedFileAreHeardFromTheNextCallOn) {
  const auto file = site().directory() / "music" / "hum" / "hum.wav";
  const auto hum = [&](int hz) {
    std::filesystem::create_directories(file.parent_path());
    write_tone_wav(file.string() + ".new", hz, 8000, 3);
    std::filesystem::rename(file.string() + ".new", file);
  };
  const auto hears_hum = [&](const SippCall& client, int hz) {
    return wait_until(kSoon, [&] { return client.heard(kEarshot).share(hz) > 0.8; });
  };
  set("recall_mode = 'off', music_class = 'hum'");
  hum(2600);
  auto client = parked_client();
  EXPECT_TRUE(hears_hum(*client, 2600));
  client->hang_up();
  EXPECT_TRUE(client->is_closed());
  ASSERT_TRUE(nothing_parked());

  hum(2900);
  client = parked_client();
  EXPECT_TRUE(hears_hum(*client, 2900));
  client->hang_up();
  EXPECT_TRUE(client->is_closed());
  ASSERT_TRUE(nothing_parked());

  write_file(file, "no sound");
  client = parked_client();
  EXPECT_TRUE(hears_music(*client)) << "the default";
  EXPECT_LT(client->heard(kEarshot).share(2900), 0.5);
  EXPECT_NE(site().mediad().log().find("music class hum"), std::string::npos) << "and a warning";
  client->hang_up();
  EXPECT_TRUE(client->is_closed());
}

}  // namespace
}  // namespace callpark::test
