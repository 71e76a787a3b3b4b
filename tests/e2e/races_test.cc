// What happens at the same moment, made to happen many times.
#include <algorithm>
#include <iostream>
#include <map>
#include <sstream>

#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

/// How often, unless CALLPARK_RACES is set.
int times(int usual) {
  const char* wanted = getenv("CALLPARK_RACES");
  return wanted == nullptr ? usual : std::atoi(wanted);
}

class Races : public ParkTest {
 protected:
  void SetUp() override {
    ParkTest::SetUp();
    john_ = site().packet_phone("101", kJohn, true);
    client_ = site().trunk_caller(kClient);
  }
  void TearDown() override {
    john_.reset();
    client_.reset();
    ParkTest::TearDown();
  }

  /// A new call of Client to John; the name of it at each.
  struct Talk {
    CallName at_john;
    CallName at_client;
  };
  Talk talk() {
    Talk result;
    result.at_client = client_->start_call("+442030000101");
    result.at_john = john_->wait_incoming();
    EXPECT_EQ(client_->wait_invite_status(result.at_client), 200);
    return result;
  }

  bool client_hears_music() {
    return wait_until(kSoon, [&] {
      const Sound sound = client_->heard(std::chrono::milliseconds(60));
      return sound.has_music();
    });
  }

  std::unique_ptr<PacketPhone> john_;
  std::unique_ptr<PacketPhone> client_;
};

class RefersThenHangsUp : public Races, public testing::WithParamInterface<int> {};

// A caller that is parked, or still the parker's until the BYE arrives, is not lost.
TEST_P(RefersThenHangsUp, P1_NoCallerIsLostWhenTheParkerHangsUpSoSoonAfterHisRefer) {
  const auto gap = std::chrono::milliseconds(GetParam());
  {
    // The challenge of the first REFER is kept, so that later ones need no second attempt.
    const Talk first = talk();
    ASSERT_EQ(john_->refer(first.at_john, "*68"), 202);
    ASSERT_TRUE(client_hears_music());
    client_->hang_up(first.at_client);
    ASSERT_TRUE(nothing_parked());
  }
  int lost = 0;
  for (int round = 0; round < times(50); ++round) {
    const Talk now = talk();
    john_->fire(now.at_john, "REFER", john_->refer_to("*68"));
    holds_for(gap, [] { return true; });
    john_->fire(now.at_john, "BYE");
    const bool parked = wait_until(std::chrono::seconds(4), [&] { return orbits() == "101"; });
    if (!parked || client_->is_closed(now.at_client) || !client_hears_music()) ++lost;
    if (!client_->is_closed(now.at_client)) client_->hang_up(now.at_client);
    ASSERT_TRUE(nothing_parked()) << "round " << round;
  }
  EXPECT_EQ(lost, 0);
}
INSTANTIATE_TEST_SUITE_P(AfterMs, RefersThenHangsUp, testing::Values(1, 2, 50));

TEST_F(Races, P1_NoCallerIsLostWhenTheParkerHangsUpStraightAfterHis202) {
  int lost = 0;
  for (int round = 0; round < times(50); ++round) {
    const Talk now = talk();
    ASSERT_EQ(john_->refer(now.at_john, "*68"), 202);
    john_->fire(now.at_john, "BYE");
    const bool parked = wait_until(std::chrono::seconds(4), [&] { return orbits() == "101"; });
    if (!parked || client_->is_closed(now.at_client) || !client_hears_music()) ++lost;
    if (!client_->is_closed(now.at_client)) client_->hang_up(now.at_client);
    ASSERT_TRUE(nothing_parked()) << "round " << round;
  }
  EXPECT_EQ(lost, 0);
}

class RetrievesReferAndHangsUp : public Races, public testing::WithParamInterface<int> {};

// The caller is parkd's by now.
TEST_P(RetrievesReferAndHangsUp, S12_NoCallerIsLostWhenWhoRetrievedHimParksAgainAndHangsUpSoSoon) {
  const auto alice = site().packet_phone("102", kAlice);
  const Talk now = talk();
  park(*john_, now.at_john, "*68", "101");
  john_->hang_up(now.at_john);
  std::string orbit = "101";
  for (int round = 0; round < times(50); ++round) {
    const std::string next = round % 2 == 0 ? "104" : "101";
    const CallName call = alice->call("*88" + orbit);
    alice->fire(call, "REFER", alice->refer_to("*68" + next));
    holds_for(std::chrono::milliseconds(GetParam()), [] { return true; });
    alice->fire(call, "BYE");
    ASSERT_TRUE(wait_until(std::chrono::seconds(4), [&] { return orbits() == next; })) << "round " << round;
    ASSERT_FALSE(client_->is_closed(now.at_client)) << "round " << round;
    orbit = next;
  }
  EXPECT_TRUE(client_hears_music());
  client_->hang_up(now.at_client);
  EXPECT_TRUE(nothing_parked());
}
INSTANTIATE_TEST_SUITE_P(AfterMs, RetrievesReferAndHangsUp, testing::Values(0, 1, 2, 50));

TEST_F(Races, S10_OfTwoRetrieversAtOnceExactlyOneWins) {
  const auto alice = site().packet_phone("102", kAlice);
  const auto bob = site().packet_phone("103", kBob);
  int loser_ms_max = 0;
  for (int round = 0; round < times(300); ++round) {
    const Talk now = talk();
    ASSERT_EQ(john_->refer(now.at_john, "*68"), 202);
    ASSERT_TRUE(parked_at("101")) << "round " << round;
    const CallName one = alice->start_call("*88101");
    const CallName other = bob->start_call("*88101");
    const auto begin = std::chrono::steady_clock::now();
    std::vector<int> statuses;
    int loser_ms = 0;
    wait_until(kSoon, [&] {
      statuses = {alice->invite_status(one), bob->invite_status(other)};
      if (loser_ms == 0 && (statuses[0] == 404 || statuses[1] == 404)) {
        loser_ms = static_cast<int>((std::chrono::steady_clock::now() - begin) / std::chrono::milliseconds(1));
      }
      return statuses[0] != 0 && statuses[1] != 0;
    });
    std::ranges::sort(statuses);
    ASSERT_EQ(statuses, (std::vector<int>{200, 404})) << "round " << round;
    loser_ms_max = std::max(loser_ms_max, loser_ms);
    auto& winner = alice->invite_status(one) == 200 ? *alice : *bob;
    EXPECT_EQ(winner.hang_up(alice->invite_status(one) == 200 ? one : other), 200);
    ASSERT_TRUE(wait_until(kSoon, [&] { return client_->is_closed(now.at_client); })) << "round " << round;
  }
  std::cout << "the loser is refused after at most " << loser_ms_max << " ms\n";
}

TEST_F(Races, S10_ARetrieverAndTheCallersOwnHangUp) {
  const auto alice = site().packet_phone("102", kAlice);
  for (int round = 0; round < times(10); ++round) {
    const Talk now = talk();
    park(*john_, now.at_john, "*68", "101");
    const CallName call = alice->start_call("*88101");
    client_->fire(now.at_client, "BYE");
    const int status = alice->wait_invite_status(call, std::chrono::seconds(15));
    EXPECT_NE(status, 0);
    if (status == 200) {
      // Won before the BYE came: it is handed on.
      EXPECT_TRUE(wait_until(kSoon, [&] { return alice->is_closed(call); })) << "round " << round;
    }
    ASSERT_TRUE(nothing_parked());
  }
}

TEST_F(Races, S9_ARetrieverWhoNeverAcknowledgesLosesNoCaller) {
  const Talk now = talk();
  park(*john_, now.at_john, "*68", "101");
  const auto alice = site().packet_phone("102", kAlice);
  alice->never_acknowledge(true);
  const CallName call = alice->start_call("*88101");
  ASSERT_EQ(alice->wait_invite_status(call), 200);
  // RFC 3261 13.3.1.4: after 64*T1 without an ACK the call is ended. The caller then waits again, or ends with it.
  EXPECT_TRUE(wait_until(std::chrono::seconds(45), [&] { return alice->is_closed(call); }));
  EXPECT_TRUE(client_->is_closed(now.at_client) || client_hears_music());
}

class CancelsTooLate : public Races {
 protected:
  static std::string deadline() { return site().database().value("SELECT deadline FROM parked_calls"); }

  /// parkd's 200 is at Alice's phone, which has not acknowledged it.
  CallName answered_and_unacknowledged(PacketPhone& alice) {
    alice.never_acknowledge(true);
    const CallName call = alice.start_call("*88101");
    EXPECT_EQ(alice.wait_invite_status(call), 200);
    return call;
  }
  /// The next copy of the 200 is acknowledged.
  static void acknowledge(PacketPhone& alice, const CallName& call) {
    const auto copies = [&] {
      const auto received = alice.received(call);
      return std::ranges::count_if(
          received, [](const SipText& message) { return message.status() == 200 && message.method() == "INVITE"; });
    };
    const auto before = copies();
    alice.never_acknowledge(false);
    EXPECT_TRUE(wait_until(kSoon, [&] { return copies() > before; }));
  }
  void expect_parked_as_before(const Talk& now, const std::string& deadline_before) {
    EXPECT_TRUE(parked_at("101"));
    EXPECT_TRUE(client_hears_music());
    EXPECT_FALSE(client_->is_closed(now.at_client));
    EXPECT_EQ(deadline(), deadline_before);
  }
};

// RFC 3261 15: a phone that has cancelled, and gets a 200, sends ACK and BYE at once.
TEST_F(CancelsTooLate, X6_TheCallerIsParkedAgainAtHisOrbitWithHisDeadline) {
  const auto alice = site().packet_phone("102", kAlice);
  const Talk now = talk();
  park(*john_, now.at_john, "*68", "101");
  const std::string before = deadline();
  for (int round = 0; round < times(3); ++round) {
    const CallName call = answered_and_unacknowledged(*alice);
    alice->cancel(call);
    acknowledge(*alice, call);
    if (!alice->is_closed(call)) alice->fire(call, "BYE");
    expect_parked_as_before(now, before);
  }
  const CallName call = retrieve(*alice, "*88101", *client_);
  EXPECT_TRUE(nothing_parked());
  alice->hang_up(call);
  EXPECT_TRUE(wait_until(kSoon, [&] { return client_->is_closed(now.at_client); }));
}

TEST_F(CancelsTooLate, X6_AByeBeforeTheAckLeavesTheCallerParked) {
  const auto alice = site().packet_phone("102", kAlice);
  const Talk now = talk();
  park(*john_, now.at_john, "*68", "101");
  const std::string before = deadline();
  const CallName call = answered_and_unacknowledged(*alice);
  EXPECT_EQ(alice->hang_up(call), 200);
  expect_parked_as_before(now, before);
  client_->hang_up(now.at_client);
}

TEST_F(CancelsTooLate, X6_WhoHangsUpAtOnceWithoutACancelEndsTheCall) {
  const auto alice = site().packet_phone("102", kAlice);
  const Talk now = talk();
  park(*john_, now.at_john, "*68", "101");
  const CallName call = alice->call("*88101");
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return client_->is_closed(now.at_client); }));
  EXPECT_TRUE(nothing_parked());
}

// Its ACK brings the answer to parkd's offer, or the phone has lost interest and it brings none.
TEST_F(CancelsTooLate, X6_ARetrieverWithoutAnOfferLeavesTheCallerParked) {
  const auto alice = site().packet_phone("102", kAlice);
  const Talk now = talk();
  park(*john_, now.at_john, "*68", "101");
  ASSERT_TRUE(client_hears_music());
  const std::string before = deadline();
  const auto is_offered_alice = [&] {
    const auto received = client_->received(now.at_client);
    return std::ranges::any_of(received, [&](const SipText& message) {
      return message.is_request() && message.audio() == alice->sound().own();
    });
  };
  for (const bool answers_in_ack : {true, false}) {
    alice->begin_without_offer(true);
    const CallName call = answered_and_unacknowledged(*alice);
    alice->cancel(call);
    if (!answers_in_ack) alice->leave_ack_without_answer(call);
    acknowledge(*alice, call);
    EXPECT_TRUE(wait_until(kSoon, [&] { return alice->is_closed(call); })) << "parkd hangs up too";
    alice->fire(call, "BYE");
    expect_parked_as_before(now, before);
  }
  EXPECT_FALSE(is_offered_alice());
  const CallName call = retrieve(*alice, "*88101", *client_);
  EXPECT_TRUE(is_offered_alice());
  alice->hang_up(call);
  EXPECT_TRUE(wait_until(kSoon, [&] { return client_->is_closed(now.at_client); }));
}

class StrictCaller : public Races {
 protected:
  /// The descriptions that the caller was offered, each once, by the CSeq of their re-INVITE.
  [[nodiscard]] std::map<int, std::string> offers(const CallName& call) const {
    std::map<int, std::string> bodies;
    for (const SipText& message : client_->received(call)) {
      if (message.is_request() && message.method() == "INVITE") bodies[message.cseq()] = message.body();
    }
    return bodies;
  }
  static std::uint64_t version(const std::string& sdp) {
    std::istringstream origin(sdp.substr(sdp.find("o=") + 2));
    std::string user;
    std::string session;
    std::uint64_t number = 0;
    origin >> user >> session >> number;
    return number;
  }
};

// RFC 3264 8: an end that has read an offer, though its answer is lost, ignores another one of the same version.
TEST_F(StrictCaller, X4_HearsMusicAndItsRetrieverAfterParkdDiedInTheMiddleOfAnAdoption) {
  const Talk now = talk();
  client_->be_strict_about_versions();
  client_->answer_reinvites_with(std::deque<int>(1000, 0));
  ASSERT_EQ(john_->refer(now.at_john, "*68"), 202);
  ASSERT_TRUE(wait_until(kSoon, [&] { return offers(now.at_client).size() == 1; }));
  ASSERT_EQ(site().database().value("SELECT state FROM parked_calls"), "adopting");
  site().parkd().kill9();
  // Other sessions than the first offer names: mediad has forgotten it.
  site().mediad().kill9();
  site().mediad().start();
  site().wait_mediad_ready();
  site().parkd().start();
  site().wait_parkd_ready();
  ASSERT_TRUE(wait_until(kSoon, [&] { return offers(now.at_client).size() >= 2; }));
  client_->answer_reinvites_with({});
  EXPECT_TRUE(client_hears_music());
  EXPECT_TRUE(parked_at("101"));
  const auto alice = site().packet_phone("102", kAlice);
  const CallName call = retrieve(*alice, "*88101", *client_);
  std::uint64_t last = 0;
  for (const auto& [cseq, offer] : offers(now.at_client)) {
    EXPECT_GT(version(offer), last) << offer;
    last = version(offer);
  }
  alice->hang_up(call);
  EXPECT_TRUE(wait_until(kSoon, [&] { return client_->is_closed(now.at_client); }));
}

class ReinviteRefused : public Races, public testing::WithParamInterface<int> {};

TEST_P(ReinviteRefused, S13_AClientWhoRefusesTheFirstReinviteIsNotLost) {
  const Talk now = talk();
  ASSERT_TRUE(hear_each_other(*john_, *client_));
  client_->answer_reinvites_with({GetParam()});
  ASSERT_EQ(john_->refer(now.at_john, "*68"), 202);
  // Either it is offered again and the caller is parked, or the parker is notified of the failure and keeps the call.
  const bool settled = wait_until(std::chrono::seconds(45), [&] {
    const auto reports = john_->transfer_reports(now.at_john);
    return !reports.empty() && !reports.back().starts_with("SIP/2.0 1");
  });
  ASSERT_TRUE(settled);
  if (john_->transfer_reports(now.at_john).back().starts_with("SIP/2.0 200")) {
    EXPECT_TRUE(client_hears_music());
    EXPECT_TRUE(parked_at("101"));
  } else {
    EXPECT_FALSE(client_->is_closed(now.at_client));
    EXPECT_EQ(john_->offer(now.at_john, "sendonly"), 200);
    EXPECT_EQ(john_->offer(now.at_john, "sendrecv"), 200);
    EXPECT_TRUE(hear_each_other(*john_, *client_));
    EXPECT_TRUE(nothing_parked());
    EXPECT_EQ(john_->hang_up(now.at_john), 200);
    EXPECT_TRUE(wait_until(kSoon, [&] { return client_->is_closed(now.at_client); }));
  }
}
// parkd has sent the parker NOTIFYs in the other party's name: that party's BYE has a lower CSeq than those, and the
// parker's phone would refuse it with 500.
TEST_P(ReinviteRefused, X3_TheOtherPartyThenHangsUpAndTheParkersCallEnds) {
  const Talk now = talk();
  client_->answer_reinvites_with({GetParam()});
  ASSERT_EQ(john_->refer(now.at_john, "*68"), 202);
  ASSERT_TRUE(wait_until(std::chrono::seconds(45), [&] {
    const auto reports = john_->transfer_reports(now.at_john);
    return !reports.empty() && !reports.back().starts_with("SIP/2.0 1");
  }));
  // 481 if the phone refuses parkd's re-INVITE back to the parker, because it has hung up, before its BYE arrives.
  EXPECT_THAT(client_->hang_up(now.at_client), testing::AnyOf(200, 481));
  EXPECT_TRUE(wait_until(kSoon, [&] { return john_->is_closed(now.at_john); }));
  EXPECT_TRUE(nothing_parked());
}
// 202 has no description: accepted, and it is not defined what.
INSTANTIATE_TEST_SUITE_P(With, ReinviteRefused, testing::Values(491, 500, 408, 488, 0, 202));

TEST_F(Races, P1_TheTrunkHangsUpWhileItIsBeingParked) {
  for (int round = 0; round < times(30); ++round) {
    const Talk now = talk();
    john_->fire(now.at_john, "REFER", john_->refer_to("*68"));
    client_->fire(now.at_client, "BYE");
    EXPECT_TRUE(wait_until(kSoon, [&] { return client_->is_closed(now.at_client); })) << "round " << round;
    EXPECT_TRUE(nothing_parked()) << "round " << round;
    if (!john_->is_closed(now.at_john)) john_->fire(now.at_john, "BYE");
  }
}

}  // namespace
}  // namespace callpark::test
