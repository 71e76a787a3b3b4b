// What parkd offers, and what it keeps of what two others have agreed to.

#include <vector>

#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

class Offers : public ParkTest {
 protected:
  void SetUp() override {
    ParkTest::SetUp();
    john_ = site().packet_phone("101", kJohn, true);
    alice_ = site().packet_phone("102", kAlice);
    client_ = site().trunk_caller(kClient);
  }
  void TearDown() override {
    john_.reset();
    alice_.reset();
    client_.reset();
    ParkTest::TearDown();
  }

  static std::vector<SipText> requests(const PacketPhone& phone, const CallName& call, const std::string& method) {
    std::vector<SipText> found;
    for (const SipText& message : phone.received(call)) {
      if (message.is_request() && message.method() == method) found.push_back(message);
    }
    return found;
  }

  std::unique_ptr<PacketPhone> john_;
  std::unique_ptr<PacketPhone> alice_;
  std::unique_ptr<PacketPhone> client_;
};

// ---- INVITEs without a description ----

TEST_F(Offers, X7_ARetrieverWithoutAnOfferTalksToTheCaller) {
  const Ends ends = talk(*client_, *john_, "+442030000101");
  park(*john_, ends.callee, "*68", "101");
  john_->hang_up(ends.callee);
  alice_->begin_without_offer(true);
  retrieve(*alice_, "*88101", *client_);
  EXPECT_TRUE(nothing_parked());
}

TEST_F(Offers, X7_AParkerWithoutAnOfferParksAndHearsTheOrbit) {
  const Ends ends = talk(*client_, *john_, "+442030000101");
  hold(*john_, ends.callee);
  john_->begin_without_offer(true);
  const CallName feature = john_->start_call("*70");
  EXPECT_EQ(john_->wait_invite_status(feature), 200);
  EXPECT_TRUE(hears_music(*client_));
  EXPECT_TRUE(hears_music(*john_)) << "the orbit is spoken";
}

TEST_F(Offers, X7_ARetrieverWithoutAnOfferFindsNoCall) {
  alice_->begin_without_offer(true);
  const CallName call = alice_->start_call("*88105");
  EXPECT_EQ(alice_->wait_invite_status(call), 404);
}

// ---- session timers ----

TEST_F(Offers, X12_TheSessionTimerOfAParkedCallIsParkds) {
  john_->answer_with_headers("Session-Expires: 90;refresher=uas\r\nRequire: timer\r\n");
  const CallName at_client =
      client_->start_call("+442030000101", "Session-Expires: 90;refresher=uas\r\nSupported: timer\r\n");
  ASSERT_EQ(client_->wait_invite_status(at_client), 200);
  const CallName at_john = john_->wait_incoming();
  john_->answer_with_headers("");
  client_->answer_with_headers("Session-Expires: 90;refresher=uac\r\nRequire: timer\r\n");
  park(*john_, at_john, "*68", "101");
  const auto invites = requests(*client_, at_client, "INVITE");
  ASSERT_FALSE(invites.empty());
  EXPECT_EQ(invites.front().header("Session-Expires"), "90;refresher=uac");
  EXPECT_EQ(site().database().value("SELECT JSON_VALUE(caller_dialog, '$.session_seconds') FROM parked_calls"), "90");
}

// ---- what a party allows ----

TEST_F(Offers, X13_ATrunkThatDoesNotAllowUpdateGetsNone) {
  client_->answer_with_headers("Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n");
  const Ends ends = talk(*client_, *john_, "+442030000101");
  park(*john_, ends.callee, "*68", "101");
  john_->hang_up(ends.callee);
  site().parkd().kill9();
  site().parkd().start();
  site().wait_parkd_ready();
  EXPECT_TRUE(wait_until(kSoon, [&] { return !requests(*client_, ends.caller, "OPTIONS").empty(); }));
  EXPECT_TRUE(requests(*client_, ends.caller, "UPDATE").empty());
}

// ---- holds ----

TEST_F(Offers, X19_APhoneThatHoldsByRecvonlyParks) {
  const Ends ends = talk(*client_, *john_, "+442030000101");
  ASSERT_EQ(john_->offer(ends.callee, "recvonly"), 200);
  const CallName feature = john_->start_call("*70");
  EXPECT_EQ(john_->wait_invite_status(feature), 200);
  EXPECT_TRUE(hears_music(*client_));
}

}  // namespace
}  // namespace callpark::test
