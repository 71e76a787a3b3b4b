// Ten thousand tries to guess the PIN of a call flow, in a day that passes in the tables only.
#include <algorithm>
#include <cstdlib>

#include "tests/component/pin_guessers.h"

namespace callpark::test {
namespace {

/// CALLPARK_GUESSES, or 10,000.
int tries_wanted() {
  const char* text = std::getenv("CALLPARK_GUESSES");
  return text == nullptr ? 10000 : std::max(100, std::atoi(text));
}

class DayOfGuesses : public PinGuessers {};

TEST_F(DayOfGuesses, F3_TenThousandTriesOfFiveExtensionsGetNowhere) {
  expect_guesses_get_nowhere(tries_wanted());
}

}  // namespace
}  // namespace callpark::test
