// Every recall that there can be: the targets of each mode, how each call of the recall steps ends, and what then
// becomes of the caller. The cases are made from a table; each is played by phones of its own tenant, many at once.
#include <deque>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>

#include "tests/e2e/recall_offices.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

enum class Outcome { kAnswered, kBusy, kNoAnswer, kUnregistered, kRejected, kNotFound };
enum class Attempt { kFirst, kSecond, kLast };
enum class Fallback { kNone, kSet, kFails };

constexpr const char* kOutcomes[] = {"answered", "busy", "no answer", "unregistered", "rejected", "not found"};
constexpr const char* kAttempts[] = {"first", "second", "last"};
constexpr const char* kFallbacks[] = {"no fallback", "a fallback", "a fallback that fails"};

struct Case {
  std::string mode;
  std::vector<std::string> steps;  // the targets without an answer: extensions
  std::size_t step;                // the one with this outcome; those before it are busy, the next one answers
  Outcome outcome;
  Attempt attempt;
  Fallback fallback;
  int office = 0;

  [[nodiscard]] std::string name() const {
    return mode + ", " + kAttempts[static_cast<int>(attempt)] + " call " + kOutcomes[static_cast<int>(outcome)] + ", " +
           kFallbacks[static_cast<int>(fallback)];
  }
};

// Attempts that the recall steps do not have are left out.
std::vector<Case> cases_of(const std::string& mode, const std::vector<std::string>& steps) {
  std::vector<Case> cases;
  for (const Attempt attempt : {Attempt::kFirst, Attempt::kSecond, Attempt::kLast}) {
    const std::size_t step = attempt == Attempt::kLast ? steps.size() - 1 : static_cast<std::size_t>(attempt);
    if (attempt != Attempt::kLast && step >= steps.size() - 1) continue;
    for (int outcome = 0; outcome < 6; ++outcome) {
      for (const Fallback fallback : {Fallback::kNone, Fallback::kSet, Fallback::kFails}) {
        cases.push_back({mode, steps, step, static_cast<Outcome>(outcome), attempt, fallback});
      }
    }
  }
  return cases;
}

class RecallMatrix : public RecallOffices {
 protected:
  struct Players {
    std::unique_ptr<PacketPhone> caller;
    std::map<std::string, std::unique_ptr<PacketPhone>> phones;  // by extension
    CallName call;
  };

  void play(std::vector<Case> cases) {
    const auto began = std::chrono::steady_clock::now();
    for (std::size_t first = 0; first < cases.size(); first += kAtOnce) {
      std::vector<Case> some(cases.begin() + static_cast<std::ptrdiff_t>(first),
                             cases.begin() + static_cast<std::ptrdiff_t>(std::min(cases.size(), first + kAtOnce)));
      play_at_once(some);
    }
    std::cout << cases.size() << " recalls in "
              << std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began).count() << " ms\n";
  }

 private:
  static constexpr std::size_t kAtOnce = 36;

  void play_at_once(std::vector<Case>& cases) {
    std::deque<Players> players;
    std::string settings = "SET SESSION check_constraint_checks = 0;";
    for (std::size_t index = 0; index < cases.size(); ++index) {
      Case& played = cases[index];
      played.office = static_cast<int>(index) + 1;
      settings += "UPDATE tenants SET recall_mode = '" + played.mode +
                  "', recall_after_seconds = 1, ring_seconds = 4, recall_retry_seconds = " +
                  (played.outcome == Outcome::kUnregistered ? "3" : "1") +
                  ", recall_attempts_max = 3, alert_ring_group_wait_seconds = 4, ring_group = '600', "
                  "fallback_destination = " +
                  (played.fallback == Fallback::kNone ? "NULL" : "'103'") + " WHERE tenant = '" +
                  tenant(played.office) + "';";
      Players& own = players.emplace_back();
      own.caller = caller(played.office);
      own.phones["101"] = phone(played.office, "101", kJohn);
      if (played.steps.back() == "102") own.phones["102"] = phone(played.office, "102", kAlice);
      if (played.fallback == Fallback::kSet) own.phones["103"] = phone(played.office, "103", kBob);
    }
    site().database().execute(settings);
    std::vector<std::thread> threads;
    for (std::size_t index = 0; index < cases.size(); ++index) {
      threads.emplace_back([this, &played = cases[index], &own = players[index]] {
        SCOPED_TRACE(played.name());
        try {
          play_one(played, own);
        } catch (const std::exception& error) {
          ADD_FAILURE() << played.name() << ": " << error.what();
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }

  void play_one(const Case& played, Players& own) {
    ASSERT_TRUE(park(*own.caller, did(played.office), *own.phones.at("101"), own.call)) << played.name();
    ASSERT_TRUE(hears_music(*own.caller)) << played.name();
    const auto parked = RtpParty::Clock::now();
    std::map<std::string, int> rung;
    for (std::size_t step = 0; step <= played.step; ++step) {
      PacketPhone& called = *own.phones.at(played.steps[step]);
      const Outcome outcome = step < played.step ? Outcome::kBusy : played.outcome;
      if (outcome == Outcome::kUnregistered) {
        own.phones.erase(played.steps[step]);
        break;
      }
      ++rung[played.steps[step]];
      const CallName ringing = rings(played, own, called);
      end_as(outcome, called, ringing);
      if (outcome == Outcome::kAnswered) return talk_and_end(played, own, called, ringing, parked, rung);
    }
    // A recall that goes on ends with the next target.
    const bool is_last = played.step + 1 == played.steps.size();
    const std::string next = !is_last ? played.steps[played.step + 1] : played.fallback == Fallback::kSet ? "103" : "";
    if (next.empty()) {
      EXPECT_TRUE(wait_until(seconds(15), [&] { return own.caller->is_closed(own.call); }))
          << played.name() << ": the call should have ended";
      return expect_rung(played, own, rung);
    }
    if (own.phones.count(next) == 0) {
      wait_for_attempt(played, own);
      own.phones[next] = phone_again(played.office, next);
    }
    ++rung[next];
    const CallName ringing = rings(played, own, *own.phones.at(next));
    own.phones.at(next)->answer(ringing);
    talk_and_end(played, own, *own.phones.at(next), ringing, parked, rung);
  }

  // The next call there; the caller hears music meanwhile, and the phone shows the caller's number.
  static CallName rings(const Case& played, const Players& own, PacketPhone& called) {
    const CallName ringing = called.wait_incoming();
    EXPECT_TRUE(hears_music(*own.caller)) << played.name();
    for (const auto& message : called.received(ringing)) {
      if (message.method() != "INVITE") continue;
      EXPECT_EQ(message.header("From").find("\"Recall 101: " + own.caller->options().user + "\""), 0U)
          << played.name() << ": " << message.header("From");
      EXPECT_NE(message.header("Alert-Info").find("recall"), std::string::npos) << played.name();
    }
    return ringing;
  }
  static void end_as(Outcome outcome, PacketPhone& called, const CallName& ringing) {
    switch (outcome) {
      case Outcome::kAnswered:
        return called.answer(ringing);
      case Outcome::kBusy:
        return called.refuse(ringing, 486);
      case Outcome::kRejected:
        return called.refuse(ringing, 603);
      case Outcome::kNotFound:
        return called.refuse(ringing, 404);
      case Outcome::kNoAnswer:
        EXPECT_TRUE(wait_until(kSoon, [&] { return called.is_closed(ringing); })) << "it rings without end";
        return;
      case Outcome::kUnregistered:
        return;
    }
  }
  void talk_and_end(const Case& played, Players& own, PacketPhone& answered, const CallName& call,
                    RtpParty::Clock::time_point parked, const std::map<std::string, int>& rung) {
    const RtpReport music = own.caller->sound().report(parked);
    EXPECT_TRUE(hear_each_other(answered, *own.caller)) << played.name();
    EXPECT_EQ(music.lost + music.pauses, 0) << played.name() << ": the music was interrupted: " << music.describe();
    expect_rung(played, own, rung);
    EXPECT_EQ(answered.hang_up(call), 200) << played.name();
    EXPECT_TRUE(wait_until(kSoon, [&] { return own.caller->is_closed(own.call); })) << played.name();
    for (const auto& [extension, phone] : own.phones) EXPECT_EQ(phone->calls(), 0) << played.name() << extension;
  }
  // No phone rang but the expected ones.
  static void expect_rung(const Case& played, const Players& own, const std::map<std::string, int>& rung) {
    for (const auto& [extension, phone] : own.phones) {
      std::set<std::string> calls;
      for (const auto& message : phone->received("")) {
        if (message.is_request() && message.method() == "INVITE" && !message.header("Alert-Info").empty()) {
          calls.insert(message.call_id());
        }
      }
      const auto wanted = rung.find(extension);
      // One that came back after its absence has rung once.
      const bool came_back = played.outcome == Outcome::kUnregistered && extension == played.steps[played.step];
      const int times = wanted == rung.end() ? 0 : came_back ? 1 : wanted->second;
      EXPECT_EQ(static_cast<int>(calls.size()), times) << played.name() << ": calls of " << extension;
    }
  }
  /// Until the target that is not there has been called.
  static void wait_for_attempt(const Case& played, const Players& own) {
    const std::string line =
        "[" + own.call + "] parked at 101 of " + tenant(played.office) + " and not retrieved: calling ";
    EXPECT_TRUE(wait_until(kSoon, [&] {
      const std::string log = site().parkd().log();
      std::size_t times = 0;
      for (std::size_t at = log.find(line); at != std::string::npos; at = log.find(line, at + 1)) ++times;
      return times > played.step;
    })) << played.name();
  }
  std::unique_ptr<PacketPhone> phone_again(int office, const std::string& extension) {
    const std::lock_guard lock(mutex_);
    return phone(office, extension, kJohn);
  }

  std::mutex mutex_;
};

TEST_F(RecallMatrix, R1_R4_R5_TheParkerOnly) {
  play(cases_of("parker_only", {"101", "101", "101"}));
}
TEST_F(RecallMatrix, R2_R4_R5_TheParkerAndThenTheRingGroup) {
  play(cases_of("parker_then_ring_group", {"101", "102"}));
}
TEST_F(RecallMatrix, R3_R4_R5_TheRingGroupOnly) {
  play(cases_of("ring_group_only", {"102"}));
}

}  // namespace
}  // namespace callpark::test
