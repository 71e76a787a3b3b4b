// What happens when two things happen at once: two retrievers, a parker who hangs up before he knows.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "tests/support/house.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;

constexpr int kRaces = 300;
constexpr int kByesEach = 50;

class Races : public HouseTest {
 protected:
  /// Waits for what the transfer came to: "200", "486"; empty when nothing was said in time.
  static std::string transfer_result(PacketPhone& phone, const CallName& call) {
    std::string last;
    wait_until(kSoon, [&] {
      const auto reports = phone.transfer_reports(call);
      last = reports.empty() ? "" : reports.back();
      return !last.empty() && last.find(" 100 ") == std::string::npos;
    });
    return last;
  }
  static bool is_parked_at(const std::string& orbit) {
    return house().database().value("SELECT COUNT(*) FROM parked_calls WHERE state = 'parked' AND orbit = '" + orbit +
                                    "'") == "1";
  }
};

TEST_F(Races, S10_OfTwoRetrieversAtOnceExactlyOneWins) {
  const auto john = house().packet_phone("101", 1);
  const auto client = house().packet_phone("102", 2, true);
  const auto alice = house().packet_phone("103", 3);
  const auto bob = house().packet_phone("104", 4);
  for (int race = 0; race < kRaces; ++race) {
    SCOPED_TRACE("race " + std::to_string(race));
    const CallName parked = john->call("102");
    const CallName at_client = client->wait_incoming();
    ASSERT_EQ(john->refer(parked, "*68"), 202);
    ASSERT_NE(transfer_result(*john, parked).find(" 200 "), std::string::npos);
    john->hang_up(parked);
    const CallName first = alice->start_call("*88101");
    const CallName second = bob->start_call("*71101");
    const int alice_got = alice->wait_invite_status(first);
    const int bob_got = bob->wait_invite_status(second);
    ASSERT_EQ(std::min(alice_got, bob_got), 200);
    ASSERT_EQ(std::max(alice_got, bob_got), 404);
    if (alice_got == 200) {
      EXPECT_EQ(alice->hang_up(first), 200);
    } else {
      EXPECT_EQ(bob->hang_up(second), 200);
    }
    ASSERT_TRUE(wait_until(kSoon, [&] { return client->is_closed(at_client); }));
  }
}

class EarlyBye : public Races, public testing::WithParamInterface<int> {};

// FEATURES P1: his call ends, whenever he says so. -1 stands for straight after the 202.
TEST_P(EarlyBye, P1_AParkerWhoHangsUpBeforeHeKnowsLosesNobody) {
  const auto john = house().packet_phone("101", 1);
  const auto client = house().packet_phone("102", 2, true);
  const auto alice = house().packet_phone("103", 3);
  for (int round = 0; round < kByesEach; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const CallName call = john->call("102");
    const CallName at_client = client->wait_incoming();
    if (GetParam() < 0) {
      ASSERT_EQ(john->refer(call, "*68"), 202);
    } else {
      john->fire(call, "REFER", john->refer_to("*68"));
      wait_until(milliseconds(GetParam()), [] { return false; });
    }
    john->fire(call, "BYE");
    ASSERT_TRUE(wait_until(kSoon, [] { return is_parked_at("101"); }));
    ASSERT_FALSE(client->is_closed(at_client));
    const CallName retrieve = alice->start_call("*88101");
    ASSERT_EQ(alice->wait_invite_status(retrieve), 200);
    EXPECT_EQ(alice->hang_up(retrieve), 200);
    ASSERT_TRUE(wait_until(kSoon, [&] { return client->is_closed(at_client); }));
  }
}

INSTANTIATE_TEST_SUITE_P(Milliseconds, EarlyBye, testing::Values(-1, 1, 2, 50));

}  // namespace
}  // namespace callpark::test
