// Parking in a group, and at the numbers of a range that belong to no extension.
#include <set>

#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

class GroupPark : public ParkTest {
 protected:
  /// Client calls `phone`, which transfers the call to `target`.
  static std::unique_ptr<SippCall> transferred(PacketPhone& phone, const std::string& target, int party = kClient) {
    auto client = site().trunk().call_in("+442030000" + phone.options().user, tone_hz(party));
    const CallName call = phone.wait_incoming();
    EXPECT_TRUE(client->is_established());
    EXPECT_TRUE(hear_each_other(phone, *client));
    outcome_ = phone.refer(call, target);
    if (outcome_ == 202) {
      EXPECT_TRUE(wait_until(kSoon, [&] { return phone.transfer_reports(call).size() >= 2; }));
      outcome_ = std::stoi(phone.transfer_reports(call).back().substr(8, 3));
      if (outcome_ == 200) phone.hang_up(call);
    }
    call_ = call;
    return client;
  }
  static void retrieve(PacketPhone& phone, const std::string& dialled, SippCall& client) {
    const CallName call = phone.start_call(dialled);
    EXPECT_EQ(phone.wait_invite_status(call), 200) << dialled;
    EXPECT_TRUE(hear_each_other(phone, client));
    EXPECT_EQ(phone.hang_up(call), 200);
    EXPECT_TRUE(client.is_closed());
    EXPECT_TRUE(hears_nothing(phone));
  }
  static inline int outcome_ = 0;  // of the last transfer, as the parker was notified
  static inline CallName call_;
};

// The demo tenant's group is 101, 102, 103, in this order.
TEST_F(GroupPark, G1_TheFirstMemberWithoutAParkedCallThenTheParkerHimself) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto first = transferred(*john, "*58");
  EXPECT_TRUE(parked_at("102"));
  const auto second = transferred(*john, "*58", kSecondClient);
  EXPECT_TRUE(parked_at("102 103"));
  const auto third = transferred(*john, "*58", 7);
  EXPECT_TRUE(parked_at("101 102 103"));
  EXPECT_TRUE(hears_music(*third));
  const auto alice = site().packet_phone("102", kAlice, true);
  retrieve(*alice, "*88", *first);
  retrieve(*alice, "*88103", *second);
  retrieve(*alice, "*88101", *third);
}

TEST_F(GroupPark, P3_AMemberRetrievesFromTheOwnExtensionFirstAndThenTheOldestOfTheGroup) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto bob = site().packet_phone("103", kBob, true);
  const auto first = transferred(*john, "*58");                  // at 102
  const auto second = transferred(*john, "*58", kSecondClient);  // at 103
  EXPECT_TRUE(parked_at("102 103"));
  retrieve(*bob, "*88", *second);
  retrieve(*bob, "*88", *first);
  const auto stranger = site().packet_phone("106", kCarol, true);
  const auto third = transferred(*john, "*58", 7);
  const CallName call = stranger->start_call("*88");
  EXPECT_EQ(stranger->wait_invite_status(call, std::chrono::seconds(15)), 404);
  retrieve(*stranger, "*88102", *third);
}

TEST_F(GroupPark, G4_NoMemberAvailableAndNoGroup) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto first = transferred(*john, "*68101");
  const auto second = transferred(*john, "*68102", kSecondClient);
  const auto third = transferred(*john, "*68103", 7);
  const auto fourth = transferred(*john, "*58", 8);
  EXPECT_EQ(outcome_, 486);
  EXPECT_TRUE(hear_each_other(*john, *fourth));
  EXPECT_EQ(john->hang_up(call_), 200);
  const auto stranger = site().packet_phone("106", kCarol, true);
  const auto fifth = transferred(*stranger, "*58", 9);
  EXPECT_EQ(outcome_, 403);
  EXPECT_TRUE(hear_each_other(*stranger, *fifth));
  EXPECT_EQ(stranger->hang_up(call_), 200);
  EXPECT_TRUE(parked_at("101 102 103"));
}

TEST_F(GroupPark, G1_O3_AMemberAddedInSqlCountsAtTheNextPark) {
  site().database().execute(
      "INSERT INTO park_group_members (tenant, park_group, position, extension) VALUES "
      "('demo.callpark', 'sales', 0, '106')");
  const auto john = site().packet_phone("101", kJohn, true);
  const auto client = transferred(*john, "*58");
  EXPECT_TRUE(parked_at("106"));
  site().database().execute("DELETE FROM park_group_members WHERE tenant = 'demo.callpark' AND extension = '106'");
}

TEST_F(GroupPark, R7_G1_TheGroupsRecallCountsForWhatIsParkedInIt) {
  site().database().execute(
      "SET check_constraint_checks = 0; UPDATE tenants SET recall_mode = 'parker_only', recall_after_seconds = 3600;"
      "UPDATE park_groups SET recall_mode = 'ring_group_only', ring_group = '602', recall_after_seconds = 1 "
      "WHERE park_group = 'sales'");
  const auto john = site().packet_phone("101", kJohn, true);
  const auto erin = site().packet_phone("105", kAlice);
  const auto client = transferred(*john, "*58");
  const CallName recall = erin->wait_incoming();
  erin->answer(recall);
  EXPECT_TRUE(hear_each_other(*erin, *client));
  EXPECT_EQ(erin->hang_up(recall), 200);
  EXPECT_TRUE(client->is_closed());
  site().database().execute(
      "UPDATE park_groups SET recall_mode = 'parker_only', ring_group = NULL, recall_after_seconds = NULL "
      "WHERE park_group = 'sales'");
}

// The demo tenant's range is 7001 to 7010, its park number 7000.
TEST_F(GroupPark, L2_TheParkNumberTakesTheOrbitThatIsFreeForTheLongestTime) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto alice = site().packet_phone("102", kAlice, true);
  const auto first = transferred(*john, "7000");
  EXPECT_TRUE(parked_at("7001"));
  const auto second = transferred(*john, "7000", kSecondClient);
  EXPECT_TRUE(parked_at("7001 7002"));
  retrieve(*alice, "7001", *first);
  const auto third = transferred(*john, "7000", 7);
  EXPECT_TRUE(parked_at("7002 7003"));
  retrieve(*alice, "7002", *second);
  retrieve(*alice, "7003", *third);
}

TEST_F(GroupPark, L3_TheSameNumberParksWhenItIsTransferredToAndRetrievesWhenItIsDialled) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto alice = site().packet_phone("102", kAlice, true);
  const auto client = transferred(*john, "7005");
  EXPECT_TRUE(parked_at("7005"));
  const auto second = transferred(*john, "7005", kSecondClient);
  EXPECT_EQ(outcome_, 486);
  EXPECT_TRUE(hear_each_other(*john, *second));
  EXPECT_EQ(john->hang_up(call_), 200);
  retrieve(*alice, "7005", *client);
  const CallName empty = alice->start_call("7005");
  EXPECT_EQ(alice->wait_invite_status(empty, std::chrono::seconds(15)), 404);
  const auto third = transferred(*john, "7005", 7);
  EXPECT_TRUE(parked_at("7005"));
  retrieve(*alice, "*717005", *third);
}

TEST_F(GroupPark, L5_TheOrbitIsFreeAgainWhenTheCallerHangsUp) {
  const auto john = site().packet_phone("101", kJohn, true);
  {
    const auto client = transferred(*john, "7007");
    EXPECT_TRUE(parked_at("7007"));
  }
  EXPECT_TRUE(nothing_parked());
  const auto again = transferred(*john, "7007", kSecondClient);
  EXPECT_TRUE(parked_at("7007"));
}

TEST_F(GroupPark, L2_AHeldCallIsParkedByDiallingTheParkNumberWhichSpeaksTheOrbit) {
  const auto john = site().packet_phone("101", kJohn, true);
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = john->wait_incoming();
  EXPECT_TRUE(client->is_established());
  EXPECT_TRUE(hear_each_other(*john, *client));
  hold(*john, call);
  ASSERT_TRUE(hears_nothing(*john));
  const CallName feature = john->start_call("7000");
  EXPECT_EQ(john->wait_invite_status(feature), 200);
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(wait_until(std::chrono::seconds(20), [&] { return john->is_closed(feature); }));
  const auto alice = site().packet_phone("102", kAlice, true);
  retrieve(*alice, orbits(), *client);
}

}  // namespace
}  // namespace callpark::test
