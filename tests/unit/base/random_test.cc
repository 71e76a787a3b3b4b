#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace callpark {
namespace {

TEST(Random, ATokenHasTheLengthAndTheCharactersPromised) {
  const std::string token = random_token(1000);
  EXPECT_EQ(token.size(), 1000U);
  EXPECT_EQ(token.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567"), std::string::npos);
  EXPECT_EQ(std::set<char>(token.begin(), token.end()).size(), 32U) << "each of the 32 appears among 1000";
}

TEST(Random, TokensDoNotRepeat) {
  std::set<std::string> tokens;
  for (int i = 0; i < 10'000; ++i) tokens.insert(random_token(16));
  EXPECT_EQ(tokens.size(), 10'000U);
}

TEST(Random, DigitsAreDigitsAndMayBeginWithZero) {
  bool began_with_zero = false;
  for (int i = 0; i < 1000; ++i) {
    const std::string digits = random_digits(4);
    ASSERT_EQ(digits.size(), 4U);
    ASSERT_EQ(digits.find_first_not_of("0123456789"), std::string::npos);
    began_with_zero = began_with_zero || digits[0] == '0';
  }
  EXPECT_TRUE(began_with_zero);
}

TEST(Random, EveryNumberBelowTheBoundComesAboutAsOften) {
  std::array<int, 7> times{};
  for (int i = 0; i < 70'000; ++i) ++times.at(random_below(7));
  // Ten standard deviations of a binomial with p = 1/7 are 926.
  for (const int n : times) EXPECT_NEAR(n, 10'000, 930);
}

TEST(Random, OneIsTheSmallestBoundAndTheGreatestWorks) {
  EXPECT_EQ(random_below(1), 0U);
  EXPECT_LT(random_below(UINT64_MAX), UINT64_MAX);
}

TEST(Random, NothingIsAskedForNothing) {
  EXPECT_EQ(random_token(0), "");
  EXPECT_EQ(random_digits(0), "");
}

}  // namespace
}  // namespace callpark
