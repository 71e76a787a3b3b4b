// Phones that guess the PIN of a call flow: parkd's service with the tables of call flows in MariaDB, and the rest of
// its outside as in the unit tests. Time passes in the tables only: all that they keep moves into the past.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/log.h"
#include "parkd/flow/lock_out.h"
#include "parkd/service/switchboard.h"
#include "parkd/store/sql_flow_store.h"
#include "tests/component/store_fixture.h"
#include "tests/unit/parkd/service/fake_billing.h"
#include "tests/unit/parkd/service/fake_media.h"
#include "tests/unit/parkd/service/fake_menus.h"
#include "tests/unit/parkd/service/fake_phones.h"
#include "tests/unit/parkd/service/fake_store.h"
#include "tests/unit/parkd/service/fake_texts.h"

namespace callpark::test {

/// One parkd.
class GuessedNode {
 public:
  /// With one worker, statements are executed in their sequence.
  GuessedNode(EventLoop& loop, const DatabaseAddress& address, std::size_t workers)
      : flows_(loop, {.address = address, .workers = workers}),
        service_({loop, store_, flows_, menus_, events_, messages_, media_, phones_, phones_, phones_, billing_,
                  metrics_},
                 ParkSettings{.node_name = "node-1"}) {
    phones_.set_listener(&service_);
  }

  CallId dial(const std::string& extension, const std::string& code) {
    FeatureCall call = phones_.feature_call(extension, code);
    const CallId id = call.call;
    service_.on_feature_call(std::move(call));
    return id;
  }
  void hang_up(CallId call) {
    phones_.end_call(call);
    steps_.settle();
  }
  /// In each call.
  void enter(const std::string& keys) {
    std::vector<std::string> sessions;
    for (const auto& [name, session] : media_.sessions) sessions.push_back(name);
    for (const char key : keys) {
      for (const std::string& session : sessions) service_.on_media_key(session, key);
    }
  }
  /// What is played in each call; "" for one in which nothing is.
  std::vector<std::string> prompts() {
    steps_.settle();
    std::vector<std::string> names;
    for (const auto& [name, session] : media_.sessions) {
      const auto* announcement = std::get_if<Announcement>(&session.play);
      names.push_back(announcement ? std::get<Announcement::Prompt>(announcement->list.at(0)).name : "");
    }
    return names;
  }
  SqlFlowStore& flows() { return flows_; }

 private:
  Steps steps_;
  FakeStore store_{steps_};
  FakeMenus menus_{steps_, store_};
  FakeEvents events_;
  FakeMessages messages_;
  FakeBilling billing_{steps_};
  FakeMedia media_{steps_};
  FakePhones phones_{steps_};
  Metrics metrics_;
  SqlFlowStore flows_;
  Switchboard service_;
};

class PinGuessers : public StoreTest {
 protected:
  static constexpr const char* kPin = "7391";
  static constexpr const char* kOwner = "104";
  /// 2,000 tries of an extension in a day.
  static constexpr std::chrono::milliseconds kBetweenTries{43200};

  void SetUp() override {
    set_log_level(LogLevel::kOff);
    StoreTest::SetUp();
    server().execute("DELETE FROM call_flow_guesses; UPDATE call_flows SET status = 'on', pin = '" + std::string(kPin) +
                     "', enabled = TRUE WHERE name = 'day-night'; DELETE FROM call_flow_events");
    node_ = std::make_unique<GuessedNode>(loop_, address(), 1);
    connection_ = std::make_unique<DatabaseConnection>(address());
  }
  void TearDown() override {
    node_.reset();
    set_log_level(LogLevel::kInfo);
  }
  static DatabaseAddress address() {
    return {server().socket().string(), server().user(), server().password(), "callpark"};
  }
  std::string value(const std::string& sql) { return connection_->query(sql).at(0).at(0).value_or(""); }

  // ---- time ----

  using Time = std::chrono::milliseconds;
  /// Since the beginning of the test, with the time that has passed in the tables.
  Time now() const { return passed_ + std::chrono::duration_cast<Time>(std::chrono::steady_clock::now() - begun_); }
  void pass_time(Time time) {
    const std::int64_t microseconds = std::chrono::microseconds(time).count();
    connection_->execute(
        "UPDATE call_flow_guesses SET last_at = last_at - INTERVAL ? MICROSECOND, "
        "locked_until = locked_until - INTERVAL ? MICROSECOND",
        {microseconds, microseconds});
    // Of older ones nothing depends.
    connection_->execute(
        "UPDATE call_flow_events SET at = at - INTERVAL ? MICROSECOND WHERE at > UTC_TIMESTAMP(3) - INTERVAL 2 MINUTE",
        {microseconds});
    passed_ += time;
  }

  // ---- one try ----

  enum class Heard { kWrong, kLocked, kToggled, kTurnedAway, kNothing };
  /// A call to the code in which `keys` are entered, whether the phone is asked for them or not.
  Heard guess(const std::string& extension, const std::string& keys) {
    const auto is_played = [&] {
      const auto prompts = node_->prompts();
      return !prompts.empty() && !prompts.front().empty();
    };
    const CallId call = node_->dial(extension, "*30");
    run_until(is_played);
    const bool is_asked = node_->prompts() == std::vector<std::string>{"enter_pin"};
    node_->enter(keys);
    run_until(is_played);
    const auto prompts = node_->prompts();
    node_->hang_up(call);
    // What the service has recorded is in the tables when a later question is answered.
    using Found = Result<std::optional<CallFlow>, StoreUnavailable>;
    await<Found>([&](auto answer) { node_->flows().find_flow(callpark::test::extension(extension), "*30", answer); });
    const std::string prompt = prompts.empty() ? "" : prompts.front();
    if (prompt == "call_flow_locked") return is_asked ? Heard::kLocked : Heard::kTurnedAway;
    if (prompt == "day_mode" || prompt == "night_mode") return Heard::kToggled;
    return is_asked && prompt == "wrong_pin" ? Heard::kWrong : Heard::kNothing;
  }

  // ---- an extension that guesses, and what the rules allow it ----

  struct Guesser {
    std::string extension;
    int next = 0;  // PIN to be guessed
    int tries = 0;
    int compared = 0;
    int locks = 0;
    int refusals_recorded = 0;
    Time locked_until{-1000000};
    Time refusal_recorded{-1000000};
  };
  static std::string digits(int pin) {
    char text[16];
    snprintf(text, sizeof text, "%04d", pin);
    return text;
  }
  /// While locked the right PIN is entered, which shows best that none is compared; else the next guess.
  void try_once(Guesser& guesser) {
    // The tables' milliseconds and the test's are not the same.
    const auto is_near = [&](Time moment) { return std::chrono::abs(now() - moment) < std::chrono::seconds(1); };
    while (is_near(guesser.locked_until) || is_near(guesser.refusal_recorded + std::chrono::minutes(1)))
      pass_time(std::chrono::seconds(2));
    ++guesser.tries;
    if (now() < guesser.locked_until) {
      ASSERT_EQ(guess(guesser.extension, kPin), Heard::kTurnedAway) << guesser.extension << " is locked";
      if (now() - guesser.refusal_recorded < std::chrono::minutes(1)) return;
      ++guesser.refusals_recorded;
      guesser.refusal_recorded = now();
      return;
    }
    if (digits(guesser.next) == kPin) ++guesser.next;
    const auto lock = flow::lock_out(++guesser.compared);
    const bool locks = lock.count() != 0;
    ASSERT_EQ(guess(guesser.extension, digits(guesser.next++)), locks ? Heard::kLocked : Heard::kWrong)
        << guesser.extension << ", failure " << guesser.compared;
    if (!locks) return;
    ++guesser.locks;
    guesser.locked_until = now() + lock;
    EXPECT_LE(lock, std::chrono::hours(1));
    EXPECT_EQ(lock_seconds(guesser.extension), std::to_string(lock.count()));
  }
  std::string lock_seconds(const std::string& extension) {
    return value("SELECT TIMESTAMPDIFF(SECOND, last_at, locked_until) FROM call_flow_guesses WHERE extension = '" +
                 extension + "'");
  }
  /// The most PINs of one extension that are compared within `time`: three at once as soon as each lock ends.
  static int compared_max(Time time) {
    int compared = 0;
    for (Time lock_ends{0}; lock_ends <= time;) {
      compared += flow::kFailuresPerLock;
      lock_ends += flow::lock_out(compared);
    }
    return compared;
  }

  // ---- the test ----

  /// Five extensions guess, each whenever it can and otherwise in vain, while the owner toggles from another one.
  void expect_guesses_get_nowhere(int tries) {
    std::vector<Guesser> guessers;
    for (const char* number : {"101", "102", "103", "105", "106"}) {
      guessers.push_back({number, static_cast<int>(guessers.size()) * 2000});
    }
    const int tries_each = tries / static_cast<int>(guessers.size());
    int toggles = 0;
    const Time begun = now();
    const auto goes_on = [&](const Guesser& guesser) { return guesser.tries < tries_each; };
    for (int round = 0; std::ranges::any_of(guessers, goes_on); ++round) {
      for (Guesser& guesser : guessers) {
        const int compared = guesser.compared;
        do {
          try_once(guesser);
          if (HasFatalFailure()) return;
        } while (guesser.compared > compared && guesser.compared % flow::kFailuresPerLock != 0);
      }
      // The owner, in the midst of it: about each hour.
      if (round % 83 == 7) {
        EXPECT_EQ(guess(kOwner, kPin), Heard::kToggled) << "round " << round;
        ++toggles;
      }
      pass_time(kBetweenTries);
    }
    const Time took = now() - begun;
    expect_recorded(guessers, toggles, took);
    expect_owner_gets_in_after_the_lock(guessers.front());
  }

  void expect_recorded(const std::vector<Guesser>& guessers, int toggles, Time took) {
    std::map<std::string, int> expected{{std::string("toggled ") + kOwner, toggles}};
    int tries = 0;
    int compared = 0;
    for (const Guesser& guesser : guessers) {
      tries += guesser.tries;
      compared += guesser.compared;
      expected["wrong_pin " + guesser.extension] = guesser.compared;
      expected["locked " + guesser.extension] = guesser.locks;
      expected["refused_locked " + guesser.extension] = guesser.refusals_recorded;
      EXPECT_LE(guesser.compared, compared_max(took)) << guesser.extension;
      EXPECT_EQ(value("SELECT failures FROM call_flow_guesses WHERE extension = '" + guesser.extension + "'"),
                std::to_string(guesser.compared));
    }
    std::map<std::string, int> recorded;
    for (const auto& row :
         connection_->query("SELECT event, party, COUNT(*) FROM call_flow_events GROUP BY event, party")) {
      recorded[row.at(0).value_or("") + " " + row.at(1).value_or("")] = std::stoi(row.at(2).value_or("0"));
    }
    EXPECT_EQ(recorded, expected);
    EXPECT_EQ(value("SELECT status FROM call_flows WHERE name = 'day-night'"), toggles % 2 == 0 ? "on" : "off");
    std::cout << tries << " tries of " << guessers.size() << " extensions in "
              << static_cast<double>(took.count()) / 3.6e6 << " hours: " << compared << " compared, "
              << tries - compared << " turned away though the PIN was right; the owner has toggled " << toggles
              << " times. Of one extension at most " << compared_max(std::chrono::hours(24))
              << " are compared in the first day, and "
              << compared_max(std::chrono::hours(48)) - compared_max(std::chrono::hours(24)) << " in each later one\n";
  }

  /// The owner, at the extension of a guesser: turned away until the end of the lock, then let in, and everything is
  /// forgotten.
  void expect_owner_gets_in_after_the_lock(Guesser& guesser) {
    while (now() >= guesser.locked_until) {
      try_once(guesser);
      if (HasFatalFailure()) return;
    }
    EXPECT_LE(guesser.locked_until - now(), flow::kLockMax);
    pass_time(guesser.locked_until - now() - std::chrono::seconds(5));
    EXPECT_EQ(guess(guesser.extension, kPin), Heard::kTurnedAway);
    pass_time(std::chrono::seconds(6));
    EXPECT_EQ(guess(guesser.extension, kPin), Heard::kToggled);
    EXPECT_EQ(value("SELECT COUNT(*) FROM call_flow_guesses WHERE extension = '" + guesser.extension + "'"), "0");
    for (const Heard heard : {Heard::kWrong, Heard::kWrong, Heard::kLocked}) {
      EXPECT_EQ(guess(guesser.extension, "0000"), heard);
    }
    EXPECT_EQ(lock_seconds(guesser.extension), std::to_string(flow::kFirstLock.count()));
  }

  std::unique_ptr<GuessedNode> node_;
  std::unique_ptr<DatabaseConnection> connection_;

 private:
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  Time passed_{0};
};

}  // namespace callpark::test
