// S5, L2: a parker that transfers to an unknown orbit is called back and hears it.
#include <gmock/gmock.h>

#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

class CallBack : public ParkTest {
 protected:
  void SetUp() override {
    ParkTest::SetUp();
    site().database().execute("UPDATE tenants SET call_back = TRUE");
  }
  void TearDown() override {
    john_.reset();
    client_.reset();
    ParkTest::TearDown();
  }

  /// John transfers Client to `number`, and Client is parked there before John hangs up. Returns the orbit.
  std::string transfer(const std::string& number) {
    john_ = site().packet_phone("101", kJohn);
    client_ = site().trunk_caller(kClient);
    const CallName in = client_->start_call("+442030000101");
    const CallName call = john_->wait_incoming();
    john_->answer(call);
    EXPECT_EQ(client_->wait_invite_status(in), 200);
    EXPECT_EQ(john_->refer(call, number), 202);
    const std::string orbit = wait_parked();
    john_->hang_up(call);
    return orbit;
  }
  static std::string wait_parked() {
    std::string orbit;
    EXPECT_TRUE(wait_until(kSoon, [&] { return !(orbit = orbits()).empty(); }));
    return orbit;
  }
  /// From of the call that rings at John.
  std::string from_of(const CallName& call) const {
    for (const SipText& message : john_->received(call)) {
      if (message.method() == "INVITE") return message.header("From");
    }
    return "";
  }

  std::unique_ptr<PacketPhone> john_;
  std::unique_ptr<PacketPhone> client_;
};

TEST_F(CallBack, S5_TheParkerHearsAndSeesTheRandomOrbitAndPicksUpWithIt) {
  const std::string orbit = transfer("*70");
  ASSERT_TRUE(testing::internal::RE::FullMatch(orbit, "\\*[0-9][0-9][0-9][0-9]")) << orbit;
  const CallName back = john_->wait_incoming();
  EXPECT_THAT(from_of(back), testing::StartsWith("\"Parked at " + orbit + "\" <sip:"));
  EXPECT_THAT(from_of(back), testing::HasSubstr("*71" + orbit + "@demo.callpark"));
  john_->answer(back);
  EXPECT_TRUE(hears_music(*john_)) << "the orbit is spoken";
  EXPECT_TRUE(hears_music(*client_)) << "meanwhile the caller waits as before";
  EXPECT_TRUE(wait_until(std::chrono::seconds(40), [&] { return john_->is_closed(back); })) << "it ends by itself";
  EXPECT_TRUE(parked_at(orbit));
  const CallName retrieved = retrieve(*john_, "*71" + orbit, *client_);
  john_->hang_up(retrieved);
}

TEST_F(CallBack, S5_OnARealPhone) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = john->answer_next();
  ASSERT_TRUE(client->is_established());
  john->transfer(call, "*70");
  wait_parked();
  const CallName back = john->answer_next();
  EXPECT_TRUE(hears_music(*john)) << "the orbit is spoken";
  john->hang_up(back);
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(CallBack, S5_TurnedOffNobodyIsCalled) {
  site().database().execute("UPDATE tenants SET call_back = FALSE");
  transfer("*70");
  EXPECT_TRUE(holds_for(std::chrono::seconds(1), [&] { return john_->calls() == 0; }));
}

TEST_F(CallBack, L2_TheParkerHearsWhichNumberOfTheRangeItIs) {
  const std::string orbit = transfer("7000");
  const CallName back = john_->wait_incoming();
  EXPECT_THAT(from_of(back), testing::StartsWith("\"Parked at " + orbit + "\" <sip:" + orbit + "@"));
  john_->answer(back);
  EXPECT_TRUE(hears_music(*john_)) << "the orbit is spoken";
  const auto alice = site().packet_phone("102", kAlice);
  const CallName retrieve = alice->call(orbit);
  EXPECT_TRUE(hear_each_other(*alice, *client_));
  EXPECT_TRUE(wait_until(kSoon, [&] { return john_->is_closed(back); })) << "there is nothing to announce any more";
  alice->hang_up(retrieve);
}

}  // namespace
}  // namespace callpark::test
