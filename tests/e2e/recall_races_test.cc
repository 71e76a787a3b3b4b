// A retrieve at any moment of a recall: one of the two has the caller, the other is refused, and nothing rings on.
#include <algorithm>
#include <atomic>
#include <deque>
#include <iostream>
#include <random>
#include <thread>

#include "tests/e2e/recall_offices.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// How often in all, unless CALLPARK_RACES is set.
int rounds_wanted() {
  const char* wanted = getenv("CALLPARK_RACES");
  return wanted == nullptr ? 500 : std::atoi(wanted);
}

class RecallRaces : public RecallOffices {
 protected:
  static constexpr int kAtOnce = 25;

  // Where in the recall the retriever comes.
  enum class Moment { kBefore, kRinging, kAnswer, kTooLate };

  struct Office {
    std::unique_ptr<PacketPhone> caller;
    std::unique_ptr<PacketPhone> parker;
    std::unique_ptr<PacketPhone> retriever;
    std::mt19937 random;

    milliseconds up_to(int most) { return milliseconds(random() % static_cast<unsigned>(most + 1)); }
  };
  struct Counts {
    std::atomic<int> retrieved = 0;
    std::atomic<int> recalled = 0;
    std::atomic<int> crossed = 0;
  };

  // False when something was wrong.
  bool play_round(Office& office, int number, Counts& counts) {
    const std::string where = "office " + std::to_string(number);
    PacketPhone& parker = *office.parker;
    PacketPhone& caller = *office.caller;
    PacketPhone& retriever = *office.retriever;
    const auto moment = static_cast<Moment>(office.random() % 4);
    parker.answer_what_is_cancelled(moment == Moment::kTooLate);
    CallName call;
    const auto parked = park(caller, did(number), parker, call);
    EXPECT_TRUE(parked) << where;
    if (!parked) return false;

    CallName recall;
    CallName retrieve;
    if (moment == Moment::kBefore) {
      pass(office.up_to(1100));
      retrieve = retriever.start_call("*88101");
    } else {
      recall = parker.wait_incoming();
      const milliseconds between = office.up_to(40);
      const bool retriever_is_first = office.random() % 2 == 0;
      if (moment != Moment::kAnswer) {
        pass(office.up_to(300));
        retrieve = retriever.start_call("*88101");
      } else if (retriever_is_first) {
        retrieve = retriever.start_call("*88101");
        pass(between);
        parker.answer(recall);
      } else {
        parker.answer(recall);
        pass(between);
        retrieve = retriever.start_call("*88101");
      }
    }
    const int status = retriever.wait_invite_status(retrieve, seconds(15));
    PacketPhone& winner = status == 200 ? retriever : parker;
    if (status == 200) {
      ++counts.retrieved;
    } else {
      ++counts.recalled;
      EXPECT_EQ(status, 404) << where;
      EXPECT_EQ(moment, Moment::kAnswer) << where << ": no other phone has answered";
    }
    EXPECT_TRUE(hear_each_other(winner, caller)) << where;
    EXPECT_TRUE(wait_until(kSoon, [&] { return winner.calls() == 1; })) << where;
    PacketPhone& other = status == 200 ? parker : retriever;
    EXPECT_TRUE(wait_until(kSoon, [&] { return other.calls() == 0; }))
        << where << ": " << other.name() << " rings or talks on";
    if (status == 200 && moment == Moment::kTooLate) ++counts.crossed;
    // Either ends it.
    const CallName won = status == 200 ? retrieve : recall;
    if (office.random() % 2 == 0) {
      EXPECT_EQ(winner.hang_up(won), 200) << where;
    } else {
      EXPECT_EQ(caller.hang_up(call), 200) << where;
    }
    const bool over =
        wait_until(kSoon, [&] { return caller.calls() == 0 && parker.calls() == 0 && retriever.calls() == 0; });
    EXPECT_TRUE(over) << where << ": " << caller.calls() << parker.calls() << retriever.calls() << " calls are left";
    return over && !HasFailure();
  }
};

TEST_F(RecallRaces, R6_ARetrieveAtAnyMomentOfARecallHasOneOutcome) {
  const char* wanted = getenv("CALLPARK_SEED");
  const unsigned seed = wanted != nullptr ? static_cast<unsigned>(std::atoi(wanted)) : std::random_device{}();
  std::cout << "CALLPARK_SEED=" << seed << "\n";
  set_all("recall_mode = 'parker_only', recall_after_seconds = 1, ring_seconds = 10");
  std::deque<Office> offices;
  for (int number = 1; number <= kAtOnce; ++number) {
    offices.push_back({caller(number), phone(number, "101", kJohn), phone(number, "102", kAlice),
                       std::mt19937(seed + static_cast<unsigned>(number))});
  }
  Counts counts;
  std::vector<std::thread> threads;
  for (int number = 1; number <= kAtOnce; ++number) {
    threads.emplace_back([&, number] {
      Office& office = offices[static_cast<std::size_t>(number - 1)];
      try {
        for (int round = number; round <= rounds_wanted(); round += kAtOnce) {
          if (!play_round(office, number, counts)) return;
        }
      } catch (const std::exception& error) {
        ADD_FAILURE() << "office " << number << ": " << error.what();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::cout << counts.retrieved << " retrieved, " << counts.recalled << " won by the parker, " << counts.crossed
            << " retrieved while the parker's answer crossed the CANCEL\n";
  EXPECT_GT(counts.retrieved, 0);
  EXPECT_GT(counts.crossed, 0);
}

TEST_F(RecallRaces, R6_TheParkerAnswersAndHangsUpAtOnceAndTheCallEnds) {
  set_all("recall_mode = 'parker_only', recall_after_seconds = 1, ring_seconds = 10");
  std::deque<Office> offices;
  std::vector<std::thread> threads;
  for (int number = 1; number <= kAtOnce; ++number) {
    offices.push_back({caller(number), phone(number, "101", kJohn), nullptr, std::mt19937(std::random_device{}())});
  }
  for (int number = 1; number <= kAtOnce; ++number) {
    threads.emplace_back([&, number] {
      Office& office = offices[static_cast<std::size_t>(number - 1)];
      try {
        CallName call;
        ASSERT_TRUE(park(*office.caller, did(number), *office.parker, call));
        const CallName recall = office.parker->wait_incoming();
        office.parker->answer(recall);
        // RFC 3261 15: not before the phone has the ACK.
        EXPECT_TRUE(wait_until(kSoon, [&] {
          const auto messages = office.parker->received(recall);
          return std::ranges::any_of(messages, [](const SipText& message) { return message.method() == "ACK"; });
        }));
        pass(milliseconds(number * 2));
        EXPECT_EQ(office.parker->hang_up(recall), 200) << "office " << number;
        EXPECT_TRUE(wait_until(kSoon, [&] { return office.caller->is_closed(call); })) << "office " << number;
      } catch (const std::exception& error) {
        ADD_FAILURE() << "office " << number << ": " << error.what();
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace callpark::test
