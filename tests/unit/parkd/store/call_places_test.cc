#include "parkd/store/call_places.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <set>

namespace callpark {
namespace {

using testing::Contains;
using testing::Not;

std::set<std::int64_t> free_places(const std::vector<std::uint64_t>& held, int max) {
  std::set<std::int64_t> all;
  for (std::uint64_t choice = 0; choice < 20; ++choice) {
    if (const auto place = free_place(held, max, choice)) all.insert(*place);
  }
  return all;
}

TEST(CallPlaces, L7_AnyFreePlaceUpToTheMaximum) {
  EXPECT_EQ(free_places({}, 3), (std::set<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(free_places({2}, 3), (std::set<std::int64_t>{1, 3}));
  EXPECT_EQ(free_places({1, 2, 3}, 3), (std::set<std::int64_t>{}));
}

TEST(CallPlaces, L7_CallBeyondALoweredMaximumClosesAPlace) {
  EXPECT_EQ(free_places({3, 7, 8}, 5), (std::set<std::int64_t>{1, 2}));
  EXPECT_EQ(free_places({6, 7, 8, 9, 10}, 5), (std::set<std::int64_t>{}));
  EXPECT_EQ(free_places({1'000'000'000'000}, 2), (std::set<std::int64_t>{1}));
}

TEST(CallPlaces, L7_OfEachSetOfHeldPlacesAsManyAreFreeAsThereIsRoom) {
  constexpr int kPlaces = 9;
  for (unsigned int set = 0; set < 1U << kPlaces; ++set) {
    std::vector<std::uint64_t> held;
    for (std::uint64_t place = 1; place <= kPlaces; ++place) {
      if ((set >> (place - 1) & 1U) != 0) held.push_back(place);
    }
    for (int max = 1; max <= kPlaces; ++max) {
      const auto found = free_places(held, max);
      EXPECT_EQ(static_cast<int>(found.size()), std::max(0, max - static_cast<int>(held.size())));
      for (const std::int64_t place : found) {
        EXPECT_THAT(held, Not(Contains(static_cast<std::uint64_t>(place))));
        const auto beyond =
            std::ranges::count_if(held, [&](auto one) { return one > static_cast<std::uint64_t>(place); });
        EXPECT_LE(place + beyond, max)
            << "calls at all places up to this one and beyond it are no more than the maximum";
      }
    }
  }
}

// A claim reads the places at one moment and enters one at any later one, if no call has it then. Calls that were
// parked before the maximum was lowered are beyond it.
TEST(CallPlaces, L7_ReadersOfOldStatesNeverExceedTheMaximum) {
  std::mt19937 random(7);
  const auto below = [&](std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
  };
  for (int round = 0; round < 2000; ++round) {
    const int max = static_cast<int>(1 + below(6));
    std::set<std::uint64_t> held;
    while (below(4) != 0) held.insert(1 + below(10));
    std::size_t calls_max = std::max(held.size(), static_cast<std::size_t>(max));
    std::vector<std::int64_t> read;
    for (int step = 0; step < 60; ++step) {
      if (const auto act = below(5); act < 2) {
        if (const auto place = free_place({held.begin(), held.end()}, max, below(100))) {
          read.push_back(*place);
        } else {
          ASSERT_GE(held.size(), static_cast<std::size_t>(max)) << "refused, though there was room";
        }
      } else if (act < 4 && !read.empty()) {
        const std::size_t one = below(read.size());
        held.insert(static_cast<std::uint64_t>(read[one]));
        read.erase(read.begin() + static_cast<std::ptrdiff_t>(one));
      } else if (!held.empty()) {
        held.erase(std::next(held.begin(), static_cast<std::ptrdiff_t>(below(held.size()))));
      }
      ASSERT_LE(held.size(), calls_max);
      calls_max = std::max(std::min(calls_max, held.size()), static_cast<std::size_t>(max));
    }
  }
}

}  // namespace
}  // namespace callpark
