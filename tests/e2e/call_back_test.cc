// S5, L2: who transfers to a place that he does not know is called back and hears it.
#include <gmock/gmock.h>

#include "tests/e2e/park_house.h"

namespace callpark::test {
namespace {

class CallBack : public ParkTest {
 protected:
  void SetUp() override {
    ParkTest::SetUp();
    house().database().execute("UPDATE tenants SET call_back = TRUE");
  }
  /// Where the one call is parked, once it is.
  static std::string wait_parked() {
    std::string orbit;
    wait_until(kSoon, [&] { return !(orbit = orbits()).empty(); });
    return orbit;
  }
  static std::string display_of(const PacketPhone& phone, const CallName& call) {
    for (const SipText& message : phone.received(call)) {
      if (message.method() == "INVITE") return message.header("From");
    }
    return "";
  }
};

TEST_F(CallBack, S5_TheParkerHearsAndSeesTheRandomOrbitAndPicksUpWithIt) {
  const auto john = house().packet_phone("101", kJohn);
  const auto client = house().trunk_caller(kClient);
  const CallName in = client->start_call("+442030000101");
  const CallName call = john->wait_incoming();
  john->answer(call);
  ASSERT_EQ(client->wait_invite_status(in), 200);
  ASSERT_EQ(john->refer(call, "*70"), 202);
  const std::string orbit = wait_parked();
  ASSERT_TRUE(testing::internal::RE::FullMatch(orbit, "\\*[0-9][0-9][0-9][0-9]")) << orbit;
  john->hang_up(call);
  const CallName back = john->wait_incoming();
  EXPECT_THAT(display_of(*john, back), testing::StartsWith("\"Parked at " + orbit + "\" <sip:"));
  EXPECT_THAT(display_of(*john, back), testing::HasSubstr("*71" + orbit + "@demo.callpark"));
  john->answer(back);
  EXPECT_TRUE(hears_music(*john)) << "the orbit is spoken";
  EXPECT_TRUE(hears_music(*client)) << "meanwhile the caller waits as before";
  EXPECT_TRUE(wait_until(std::chrono::seconds(40), [&] { return john->is_closed(back); })) << "it ends by itself";
  EXPECT_TRUE(parked_at(orbit));
  const CallName retrieve = john->start_call("*71" + orbit);
  ASSERT_EQ(john->wait_invite_status(retrieve), 200);
  EXPECT_TRUE(hear_each_other(*john, *client));
  john->hang_up(retrieve);
}

TEST_F(CallBack, S5_OnARealPhone) {
  const auto john = house().baresip(house().phone("101", kJohn));
  const auto client = house().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = john->answer_next();
  ASSERT_TRUE(client->is_established());
  john->transfer(call, "*70");
  EXPECT_FALSE(wait_parked().empty());
  const CallName back = john->answer_next();
  EXPECT_TRUE(hears_music(*john)) << "the orbit is spoken";
  john->hang_up(back);
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(client->saw_only_ordinary_calls());
}

TEST_F(CallBack, S5_TurnedOffNobodyIsCalled) {
  house().database().execute("UPDATE tenants SET call_back = FALSE");
  const auto john = house().packet_phone("101", kJohn);
  const auto client = house().trunk_caller(kClient);
  const CallName in = client->start_call("+442030000101");
  const CallName call = john->wait_incoming();
  john->answer(call);
  ASSERT_EQ(client->wait_invite_status(in), 200);
  ASSERT_EQ(john->refer(call, "*70"), 202);
  EXPECT_FALSE(wait_parked().empty());
  john->hang_up(call);
  EXPECT_TRUE(holds_for(std::chrono::seconds(1), [&] { return john->calls() == 0; }));
}

TEST_F(CallBack, L2_TheParkerHearsWhichNumberOfTheRangeItIs) {
  const auto john = house().packet_phone("101", kJohn);
  const auto client = house().trunk_caller(kClient);
  const CallName in = client->start_call("+442030000101");
  const CallName call = john->wait_incoming();
  john->answer(call);
  ASSERT_EQ(client->wait_invite_status(in), 200);
  ASSERT_EQ(john->refer(call, "7000"), 202);
  const std::string orbit = wait_parked();
  john->hang_up(call);
  const CallName back = john->wait_incoming();
  EXPECT_THAT(display_of(*john, back), testing::StartsWith("\"Parked at " + orbit + "\" <sip:" + orbit + "@"));
  john->answer(back);
  EXPECT_TRUE(hears_music(*john)) << "the orbit is spoken";
  const auto alice = house().packet_phone("102", kAlice);
  const CallName retrieve = alice->start_call(orbit);
  ASSERT_EQ(alice->wait_invite_status(retrieve), 200);
  EXPECT_TRUE(hear_each_other(*alice, *client));
  EXPECT_TRUE(wait_until(kSoon, [&] { return john->is_closed(back); })) << "there is nothing to tell any more";
  alice->hang_up(retrieve);
}

}  // namespace
}  // namespace callpark::test
