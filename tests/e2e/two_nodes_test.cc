// Two whole houses over one database: what the tables decide between them.
#include <map>
#include <set>

#include "tests/e2e/park_house.h"

namespace callpark::test {
namespace {

class TwoNodes : public ParkTest {
 protected:
  /// One of the houses, its parker, and those who call him.
  struct Site {
    House& house;
    std::unique_ptr<PacketPhone> parker;
    std::vector<std::unique_ptr<PacketPhone>> clients;
    std::vector<CallName> at_parker;
    std::vector<CallName> at_client;

    Site(House& where, const std::string& extension, int party)
        : house(where), parker(where.packet_phone(extension, party, true)), did("+442030000" + extension) {}

    /// One more talks to the parker.
    void connect() {
      clients.push_back(house.trunk_caller(kClient));
      at_client.push_back(clients.back()->start_call(did));
      at_parker.push_back(parker->wait_incoming());
      ASSERT_EQ(clients.back()->wait_invite_status(at_client.back()), 200);
    }
    /// How the transfer of each call ended, as the parker was told: "SIP/2.0 200".
    std::map<std::string, int> outcomes() const {
      std::map<std::string, int> count;
      for (const CallName& call : at_parker) {
        const auto reports = parker->transfer_reports(call);
        if (reports.size() >= 2) ++count[reports.back().substr(0, 11)];
      }
      return count;
    }
    bool is_refused(std::size_t index) const {
      return !parker->transfer_reports(at_parker[index]).back().starts_with("SIP/2.0 200");
    }
    const std::string did;
  };
};

TEST_F(TwoNodes, L2_FiftyParksAtOnceFillARangeOfTenAndTheOthersStayWithTheirParkers) {
  constexpr int kCallsEach = 25;
  House::Options second;
  second.node_name = "parkd2";
  second.database = &house().database();
  House other_house(second);
  Site here{house(), "101", kJohn};
  Site there{other_house, "104", kAlice};
  // A REFER each that is challenged, so that the many need no second attempt.
  for (Site* site : {&here, &there}) {
    site->connect();
    ASSERT_EQ(site->parker->refer(site->at_parker[0], "999"), 403);
    for (int call = 1; call < kCallsEach; ++call) site->connect();
  }
  ASSERT_FALSE(HasFailure());
  for (std::size_t call = 0; call < kCallsEach; ++call) {
    for (Site* site : {&here, &there}) {
      site->parker->fire(site->at_parker[call], "REFER", site->parker->refer_to("7000"));
    }
  }
  std::map<std::string, int> outcomes;
  EXPECT_TRUE(wait_until(std::chrono::seconds(30), [&] {
    outcomes = here.outcomes();
    for (const auto& [status, count] : there.outcomes()) outcomes[status] += count;
    return outcomes["SIP/2.0 200"] + outcomes["SIP/2.0 486"] == 2 * kCallsEach;
  }));
  EXPECT_EQ(outcomes["SIP/2.0 200"], 10);
  EXPECT_EQ(outcomes["SIP/2.0 486"], 40);
  EXPECT_EQ(orbits(), "7001 7002 7003 7004 7005 7006 7007 7008 7009 7010");
  EXPECT_EQ(house().database().value("SELECT COUNT(DISTINCT owner) FROM parked_calls"), "2") << "both have some";

  for (Site* site : {&here, &there}) {
    const Endpoint parkers = site->parker->sound().own();
    for (std::size_t call = 0; call < kCallsEach; ++call) {
      PacketPhone& client = *site->clients[call];
      EXPECT_FALSE(client.is_closed(site->at_client[call])) << "a lost caller";
      if (site->is_refused(call)) {
        EXPECT_EQ(client.audio_remote(site->at_client[call]).text(), parkers.text()) << "he talks to the parker still";
      } else {
        EXPECT_TRUE(hears_music(client));
      }
    }
  }
  for (Site* site : {&here, &there}) {
    for (std::size_t call = 0; call < kCallsEach; ++call) {
      EXPECT_EQ(site->clients[call]->hang_up(site->at_client[call]), 200);
    }
  }
  EXPECT_TRUE(nothing_parked());
}

}  // namespace
}  // namespace callpark::test
