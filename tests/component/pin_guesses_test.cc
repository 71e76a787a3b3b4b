// What phones get that guess the PIN of a call flow; tests/long/pin_guesses_test.cc lets them guess for a day.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/component/pin_guessers.h"

namespace callpark::test {
namespace {

class PinGuesses : public PinGuessers {};

TEST_F(PinGuesses, F3_FiveExtensionsThatGuessAreHeldUpAndTheOwnerIsNot) {
  expect_guesses_get_nowhere(400);
}

TEST_F(PinGuesses, F3_TheRightPinAtTheThirdTryLeavesNoLock) {
  for (int turn = 0; turn < 2; ++turn) {
    EXPECT_EQ(guess("105", "0000"), Heard::kWrong);
    EXPECT_EQ(guess("105", "0001"), Heard::kWrong);
    EXPECT_EQ(guess("105", kPin), Heard::kToggled);
    EXPECT_EQ(value("SELECT COUNT(*) FROM call_flow_guesses"), "0");
  }
  EXPECT_EQ(value("SELECT GROUP_CONCAT(event ORDER BY id) FROM call_flow_events"),
            "wrong_pin,wrong_pin,toggled,wrong_pin,wrong_pin,toggled");
}

// As many calls as an extension may have, at two nodes, and each enters three PINs as soon as it is asked.
TEST_F(PinGuesses, F3_CallsAtOnceAtTwoNodesCompareThreePinsALock) {
  constexpr int kBursts = 12;
  std::array<GuessedNode, 2> nodes{GuessedNode(loop_, address(), 2), GuessedNode(loop_, address(), 2)};
  const auto all_hear_something = [&] {
    return std::ranges::all_of(nodes, [](GuessedNode& node) {
      const auto prompts = node.prompts();
      return prompts.size() == 2 && std::ranges::count(prompts, "") == 0;
    });
  };
  const auto count = [&](const std::string& event) {
    return value("SELECT COUNT(*) FROM call_flow_events WHERE event = '" + event + "'");
  };
  for (int burst = 1; burst <= kBursts; ++burst) {
    std::array<std::vector<CallId>, 2> calls;
    for (std::size_t node = 0; node < nodes.size(); ++node) {
      for (int call = 0; call < 2; ++call) calls[node].push_back(nodes[node].dial("105", "*30"));
    }
    ASSERT_TRUE(run_until(all_hear_something));
    for (int entry = 0; entry < 3; ++entry) {
      for (GuessedNode& node : nodes) node.enter("0000");
      ASSERT_TRUE(run_until(all_hear_something));
    }
    EXPECT_TRUE(run_until([&] { return count("wrong_pin") == std::to_string(3 * burst); })) << count("wrong_pin");
    EXPECT_TRUE(run_until([&] { return count("locked") == std::to_string(burst); })) << count("locked");
    EXPECT_EQ(value("SELECT failures FROM call_flow_guesses"), std::to_string(3 * burst));
    for (std::size_t node = 0; node < nodes.size(); ++node) {
      for (const CallId call : calls[node]) nodes[node].hang_up(call);
    }
    pass_time(flow::lock_out(3 * burst) + std::chrono::seconds(1));
  }
  EXPECT_EQ(value("SELECT status FROM call_flows WHERE name = 'day-night'"), "on");
}

}  // namespace
}  // namespace callpark::test
