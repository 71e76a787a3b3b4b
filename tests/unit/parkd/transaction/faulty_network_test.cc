// Two transaction layers with a network between them that loses, repeats and reorders, on a simulated clock.
#include <gtest/gtest.h>

#include <iterator>
#include <list>
#include <map>
#include <string>

#include "tests/support/transaction_party.h"

namespace callpark::sip {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What became of one request, as its sender sees it.
struct Outcome {
  std::string call_id;
  bool is_invite = false;
  int final_status = 0;
  int finals = 0;
  int failures = 0;
};

class FaultyNetwork : public testing::TestWithParam<std::uint64_t> {
 protected:
  static constexpr int kRequests = 200;
  static constexpr int kAnswers[] = {200, 486, 404, 503};

  FaultyNetwork() {
    network_.keeps_sent = false;
    network_.faults = {0.3, 0.2, milliseconds(1), milliseconds(400)};
    server_.answer = [this](const TransactionParty::Request& request) { answer(request); };
    server_.answer_cancel = [this](ServerTransactionKey key) { refuse_cancelled(key); };
  }

  // Answers after a while, some with a provisional response before.
  void answer(const TransactionParty::Request& request) {
    ++asked_[std::string(request.message.call_id())];
    const int status = kAnswers[random_() % std::size(kAnswers)];
    if (request.message.method() == "INVITE" && random_() % 2 == 0) server_.respond(request, 180);
    time_.at(time_.now() + milliseconds(random_() % 3000), [this, request, status] {
      if (!server_.layer.is_unanswered(request.key)) return;
      answered_[std::string(request.message.call_id())] = status;
      server_.respond(request, status);
      if (status == 200 && request.message.method() == "INVITE") send_200_again(request, milliseconds(500));
    });
  }

  // RFC 3261 13.3.1.4: the TU sends its 2xx again until the ACK comes. Here there is none, so for 64*T1.
  void send_200_again(const TransactionParty::Request& request, Duration interval) {
    time_.at(time_.now() + interval, [this, request, interval] {
      if (interval > seconds(16)) return;
      server_.respond(request, 200);
      send_200_again(request, 2 * interval);
    });
  }

  void refuse_cancelled(ServerTransactionKey key) {
    for (const auto& request : server_.requests) {
      if (request.key != key) continue;
      EXPECT_TRUE(server_.layer.is_unanswered(key));
      answered_[std::string(request.message.call_id())] = 487;
      server_.respond(request, 487);
    }
  }

  void send(int i) {
    const bool is_invite = i % 2 == 0;
    const auto outcome = outcomes_.emplace(outcomes_.end());
    outcome->call_id = "call-" + std::to_string(i);
    outcome->is_invite = is_invite;
    const auto key = client_.layer.send_request(
        simulated_request(is_invite ? "INVITE" : "MESSAGE", server_.endpoint, outcome->call_id), server_.endpoint,
        {[outcome](const SipMessage& response) {
           if (response.status() < 200) {
             EXPECT_EQ(outcome->finals, 0);
             return;
           }
           ++outcome->finals;
           outcome->final_status = response.status();
         },
         [outcome](ClientFailure) { ++outcome->failures; }});
    if (i % 6 == 0) {
      time_.at(time_.now() + milliseconds(random_() % 2500), [this, key] { client_.layer.cancel(key); });
    }
  }

  SimulatedTime time_;
  std::mt19937_64 random_{GetParam()};
  SimulatedNetwork network_{time_, GetParam()};
  TransactionParty client_{time_, network_, {TransportProtocol::kUdp, *IpAddress::parse("127.0.0.1"), 5061}};
  TransactionParty server_{time_, network_, {TransportProtocol::kUdp, *IpAddress::parse("127.0.0.2"), 5062}};
  std::list<Outcome> outcomes_;
  std::map<std::string, int> asked_;
  std::map<std::string, int> answered_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, FaultyNetwork, testing::Range<std::uint64_t>(1, 21));

TEST_P(FaultyNetwork, EveryRequestIsAskedOnceAndEndsOnce) {
  for (int i = 0; i < kRequests; ++i) {
    send(i);
    time_.pass(milliseconds(20));
  }
  time_.pass(seconds(200));

  int answered = 0;
  for (const Outcome& outcome : outcomes_) {
    SCOPED_TRACE(outcome.call_id);
    const bool accepted_invite = outcome.is_invite && outcome.final_status == 200;
    // Only the 2xx of an INVITE comes up more than once; a request that ended has ended one way.
    EXPECT_TRUE(accepted_invite ? outcome.finals >= 1 && outcome.failures == 0
                                : outcome.finals + outcome.failures == 1);
    EXPECT_LE(asked_[outcome.call_id], 1);
    if (outcome.finals > 0) {
      ++answered;
      EXPECT_EQ(outcome.final_status, answered_[outcome.call_id]);
    }
  }
  EXPECT_EQ(client_.live(), 0U);
  EXPECT_EQ(server_.live(), 0U);
  // With 30 % loss both ways retransmission still gets nearly all of them through.
  EXPECT_GE(answered, kRequests * 95 / 100);
}

}  // namespace
}  // namespace callpark::sip
