// Two whole sites over one database: what the tables decide between them.
#include <algorithm>
#include <future>
#include <iostream>
#include <map>

#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

class TwoNodes : public ParkTest {
 protected:
  /// One of the sites, its parker, and the parker's callers.
  struct Node {
    TestSite& site;
    std::unique_ptr<PacketPhone> parker;
    std::vector<std::unique_ptr<PacketPhone>> clients;
    std::vector<CallName> at_parker;
    std::vector<CallName> at_client;

    Node(TestSite& where, const std::string& extension, int party)
        : site(where), parker(where.packet_phone(extension, party, true)), did("+442030000" + extension) {}

    /// One more talks to the parker.
    void connect() {
      clients.push_back(site.trunk_caller(kClient));
      at_client.push_back(clients.back()->start_call(did));
      at_parker.push_back(parker->wait_incoming());
      ASSERT_EQ(clients.back()->wait_invite_status(at_client.back()), 200);
    }
    /// The phone makes no more than a few attempts, which other workers of Kamailio may all overtake.
    int refer(std::size_t index, const std::string& target) {
      constexpr int kAttempts = 10;
      int status = 407;
      for (int attempt = 0; attempt < kAttempts && status == 407; ++attempt) {
        status = parker->refer(at_parker[index], target);
      }
      return status;
    }
    /// How the transfer of a call ended, as the parker was notified: by the last NOTIFY, or by the answer to the REFER.
    /// 0: the parker does not know yet.
    int outcome(std::size_t index) const {
      const auto reports = parker->transfer_reports(at_parker[index]);
      if (reports.size() >= 2) return std::stoi(reports.back().substr(8, 3));
      const auto received = parker->received(at_parker[index]);
      const auto refusal = std::find_if(received.rbegin(), received.rend(), [](const SipText& message) {
        return message.is_response() && message.method() == "REFER" && message.status() != 407;
      });
      const bool is_old = refusal == received.rend() || refusal->status() == 202 || refusal->status() == 403;
      return is_old ? 0 : refusal->status();
    }
    std::map<int, int> outcomes() const {
      std::map<int, int> count;
      for (std::size_t index = 0; index < at_parker.size(); ++index) ++count[outcome(index)];
      return count;
    }
    bool is_refused(std::size_t index) const { return outcome(index) != 200; }
    const std::string did;
  };
};

TEST_F(TwoNodes, L2_FiftyParksAtOnceFillARangeOfTenAndTheOthersStayWithTheirParkers) {
  constexpr int kCallsEach = 25;
  TestSite::Options second;
  second.node_name = "parkd2";
  second.database = &site().database();
  TestSite other_site(second);
  Node here{site(), "101", kJohn};
  Node there{other_site, "104", kAlice};
  // A REFER each that is challenged, so that most of the many need no second attempt.
  for (Node* node : {&here, &there}) {
    node->connect();
    ASSERT_EQ(node->parker->refer(node->at_parker[0], "999"), 403);
    for (int call = 1; call < kCallsEach; ++call) node->connect();
  }
  ASSERT_FALSE(HasFailure());
  std::vector<std::future<int>> answers;
  for (std::size_t call = 0; call < kCallsEach; ++call) {
    for (Node* node : {&here, &there}) {
      answers.push_back(std::async(std::launch::async, [node, call] { return node->refer(call, "7000"); }));
    }
  }
  for (std::future<int>& answer : answers) answer.wait();
  std::map<int, int> outcomes;
  EXPECT_TRUE(wait_until(std::chrono::seconds(30), [&] {
    outcomes = here.outcomes();
    for (const auto& [status, count] : there.outcomes()) outcomes[status] += count;
    return outcomes[0] == 0;
  }));
  for (const auto& [status, count] : outcomes) std::cout << count << " parks: " << status << "\n";
  EXPECT_EQ(outcomes[200], 10);
  EXPECT_EQ(orbits(), "7001 7002 7003 7004 7005 7006 7007 7008 7009 7010");

  for (Node* node : {&here, &there}) {
    const Endpoint parkers = node->parker->sound().own();
    for (std::size_t call = 0; call < kCallsEach; ++call) {
      PacketPhone& client = *node->clients[call];
      EXPECT_FALSE(client.is_closed(node->at_client[call])) << "a lost caller";
      if (node->is_refused(call)) {
        EXPECT_EQ(client.audio_remote(node->at_client[call]).text(), parkers.text())
            << "the caller talks to the parker still";
      } else {
        EXPECT_TRUE(hears_music(client));
      }
    }
  }
  for (Node* node : {&here, &there}) {
    for (std::size_t call = 0; call < kCallsEach; ++call) {
      EXPECT_EQ(node->clients[call]->hang_up(node->at_client[call]), 200);
    }
  }
  EXPECT_TRUE(nothing_parked());
}

// Each node has a parker with more calls than its own maximum, and both have more than their tenant's.
TEST_F(TwoNodes, L7_MaximaHoldForParksAtOnceAndTheOthersStayWithTheirParkers) {
  constexpr int kCallsEach = 20;
  constexpr int kOfTenant = 10;
  constexpr int kOfExtension = 7;
  TestSite::Options second;
  second.node_name = "parkd4";
  second.database = &site().database();
  TestSite other_site(second);
  Node here{site(), "101", kJohn};
  Node there{other_site, "104", kAlice};
  for (Node* node : {&here, &there}) {
    node->connect();
    ASSERT_EQ(node->parker->refer(node->at_parker[0], "999"), 403);
    for (int call = 1; call < kCallsEach; ++call) node->connect();
  }
  ASSERT_FALSE(HasFailure());
  site().database().execute("UPDATE tenants SET parked_calls_max = " + std::to_string(kOfTenant) +
                            ", extension_parked_calls_max = " + std::to_string(kOfExtension));
  std::vector<std::future<int>> answers;
  for (std::size_t call = 0; call < kCallsEach; ++call) {
    for (Node* node : {&here, &there}) {
      answers.push_back(std::async(std::launch::async, [node, call] { return node->refer(call, "*70"); }));
    }
  }
  for (std::future<int>& answer : answers) answer.wait();
  std::map<int, int> outcomes;
  EXPECT_TRUE(wait_until(std::chrono::seconds(30), [&] {
    outcomes = here.outcomes();
    for (const auto& [status, count] : there.outcomes()) outcomes[status] += count;
    return outcomes[0] == 0;
  }));
  for (const auto& [status, count] : outcomes) std::cout << count << " parks: " << status << "\n";
  EXPECT_EQ(outcomes[200], kOfTenant);
  EXPECT_LE(here.outcomes()[200], kOfExtension);
  EXPECT_LE(there.outcomes()[200], kOfExtension);
  for (Node* node : {&here, &there}) {
    const Endpoint parkers = node->parker->sound().own();
    for (std::size_t call = 0; call < kCallsEach; ++call) {
      PacketPhone& client = *node->clients[call];
      EXPECT_FALSE(client.is_closed(node->at_client[call])) << "a lost caller";
      if (node->is_refused(call)) {
        EXPECT_EQ(client.audio_remote(node->at_client[call]).text(), parkers.text());
      }
      EXPECT_EQ(client.hang_up(node->at_client[call]), 200);
    }
  }
  EXPECT_TRUE(nothing_parked());
  site().database().execute("UPDATE tenants SET parked_calls_max = 1000, extension_parked_calls_max = NULL");
}

TEST_F(TwoNodes, S10_WhoDialsAtTheOtherNodeLosesNobody) {
  TestSite::Options second;
  second.node_name = "parkd3";
  second.database = &site().database();
  TestSite other_site(second);
  Node here{site(), "101", kJohn};
  here.connect();
  PacketPhone& client = *here.clients[0];
  ASSERT_EQ(here.parker->refer(here.at_parker[0], "*68"), 202);
  ASSERT_TRUE(hears_music(client));
  here.parker->hang_up(here.at_parker[0]);
  const auto alice = other_site.packet_phone("104", kAlice, true);
  const CallName elsewhere = alice->start_call("*88101");
  EXPECT_EQ(alice->wait_invite_status(elsewhere), 404);
  EXPECT_TRUE(hears_music(client));
  EXPECT_EQ(orbits(), "101");
  const CallName retrieved = here.parker->call("*88101");
  EXPECT_TRUE(hear_each_other(*here.parker, client));
  EXPECT_EQ(here.parker->hang_up(retrieved), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return client.is_closed(here.at_client[0]); }));
}

}  // namespace
}  // namespace callpark::test
