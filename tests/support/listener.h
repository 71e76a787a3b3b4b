// A party that hears something in a test, and the question of end-to-end tests: which party hears which.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/support/tone.h"
#include "tests/support/wait.h"

namespace callpark::test {

class Listener {
 public:
  virtual ~Listener() = default;
  /// The name in failures.
  [[nodiscard]] virtual std::string name() const = 0;
  /// The tone that this party sends, in Hz.
  [[nodiscard]] virtual int tone() const = 0;
  /// What reached this party in the last `window`; empty when nothing did.
  [[nodiscard]] virtual Sound heard(std::chrono::milliseconds window) const = 0;
};

/// Long enough to separate tones, short enough to notice a change.
constexpr std::chrono::milliseconds kEarshot{240};

/// Waits until `listener` hears `speaker`.
testing::AssertionResult hears(const Listener& listener, const Listener& speaker,
                               std::chrono::milliseconds timeout = kSoon);
/// Waits until each hears the other.
testing::AssertionResult hear_each_other(const Listener& one, const Listener& other,
                                         std::chrono::milliseconds timeout = kSoon);
/// Waits until `listener` hears music or speech and no party's tone.
testing::AssertionResult hears_music(const Listener& listener, std::chrono::milliseconds timeout = kSoon);
/// Waits until nothing, or only silence, reaches `listener`.
testing::AssertionResult hears_nothing(const Listener& listener, std::chrono::milliseconds timeout = kSoon);
/// Listens for the whole `duration`: `speaker` is not heard.
testing::AssertionResult never_hears(const Listener& listener, const Listener& speaker,
                                     std::chrono::milliseconds duration);

}  // namespace callpark::test
