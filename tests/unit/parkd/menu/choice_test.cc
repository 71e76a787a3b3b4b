#include "parkd/menu/choice.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace callpark::menu {
namespace {

constexpr std::string_view kKeys = "012*";

/// Every entry of `digits` keys or fewer, the shorter ones first.
std::vector<std::string> entries(std::size_t digits) {
  std::vector<std::string> all{""};
  std::size_t from = 0;
  for (std::size_t size = 1; size <= digits; ++size) {
    const std::size_t until = all.size();
    for (; from < until; ++from) {
      for (const char key : kKeys) all.push_back(all[from] + key);
    }
  }
  all.erase(all.begin());
  return all;
}

/// What each entry of up to five keys means in a menu that has no longer ones: all of it, written down.
class Meanings {
 public:
  explicit Meanings(const Place& place) {
    static const std::vector<std::string> all = entries(5);
    for (const std::string& entry : all) {
      for (const Option& option : place.options) {
        if (option.digits == entry) meanings_.emplace(entry, ChosenOption{option.destination});
      }
      if (place.direct_dial && entry.find('*') == std::string::npos &&
          (place.extensions.at(static_cast<std::size_t>(entry[0] - '0')) & (1U << entry.size())) != 0) {
        meanings_.emplace(entry, ChosenExtension{});
      }
    }
  }

  Choice of(const std::string& entry, bool is_complete) const {
    const auto next = meanings_.upper_bound(entry);
    if (!is_complete && next != meanings_.end() && next->first.starts_with(entry)) return MoreKeys{};
    const auto meaning = meanings_.find(entry);
    return meaning == meanings_.end() ? Choice(NoChoice{}) : meaning->second;
  }

 private:
  std::map<std::string, Choice> meanings_;
};

std::vector<ExtensionLengths> extension_lengths() {
  std::vector<ExtensionLengths> all(5);
  all[1][1] = 1U << 3;
  all[2][0] = 1U << 1;
  all[2][1] = 1U << 2 | 1U << 4;
  all[3][2] = 1U << 1 | 1U << 2 | 1U << 3 | 1U << 4 | 1U << 5;
  all[4][0] = all[4][1] = 1U << 4;
  return all;
}

TEST(MenuChoice, F6_EveryEntryMeansInEveryMenuWhatTheMenuHas) {
  const std::vector<std::string> digits{"0", "1", "2", "12", "120", "*", "1*", "*12"};
  const std::vector<std::string> all = entries(4);
  std::size_t compared = 0;
  for (unsigned chosen = 0; chosen < 1U << digits.size(); ++chosen) {
    Place place;
    for (std::size_t i = 0; i < digits.size(); ++i) {
      if ((chosen >> i & 1U) != 0) place.options.push_back({digits[i], "to " + digits[i]});
    }
    for (const ExtensionLengths& lengths : extension_lengths()) {
      for (const bool direct_dial : {false, true}) {
        place.direct_dial = direct_dial;
        place.extensions = lengths;
        const Meanings meanings(place);
        for (const std::string& entry : all) {
          for (const bool is_complete : {false, true}) {
            ASSERT_EQ(choice_of(place, entry, is_complete), meanings.of(entry, is_complete))
                << entry << (is_complete ? ", complete," : "") << " among the options " << chosen
                << (direct_dial ? " with" : " without") << " direct dial";
            ++compared;
          }
        }
      }
    }
  }
  EXPECT_EQ(compared, 256U * 5 * 2 * 340 * 2);
}

TEST(MenuChoice, F6_AnOptionGoesBeforeAnExtensionOfTheSameDigits) {
  Place place{.options = {{"10", "200"}}, .direct_dial = true};
  place.extensions[1] = 1U << 2;
  EXPECT_EQ(choice_of(place, "10", false), Choice(ChosenOption{"200"}));
  EXPECT_EQ(choice_of(place, "11", false), Choice(ChosenExtension{}));
}

TEST(MenuChoice, F6_AnOptionWaitsForALongerExtension) {
  Place place{.options = {{"1", "200"}}, .direct_dial = true};
  place.extensions[1] = 1U << 3;
  EXPECT_EQ(choice_of(place, "1", false), Choice(MoreKeys{}));
  EXPECT_EQ(choice_of(place, "1", true), Choice(ChosenOption{"200"}));
  EXPECT_EQ(choice_of(place, "10", true), Choice(NoChoice{}));
  EXPECT_EQ(choice_of(place, "101", false), Choice(ChosenExtension{}));
}

TEST(MenuChoice, F6_NoEntryIsLongerThanTheLongestNumber) {
  Place place{.direct_dial = true};
  place.extensions[1] = 1U << kEntryDigitsMax | 1U << 31;
  const std::string longest(kEntryDigitsMax, '1');
  EXPECT_EQ(choice_of(place, longest.substr(1), false), Choice(MoreKeys{}));
  EXPECT_EQ(choice_of(place, longest, false), Choice(ChosenExtension{}));
  EXPECT_EQ(choice_of(place, longest + "1", false), Choice(NoChoice{}));
  EXPECT_EQ(choice_of(place, std::string(40, '1'), true), Choice(NoChoice{}));
}

TEST(MenuChoice, F6_AnEntryThatNothingBeginsWithIsNoChoiceAtOnce) {
  const Place place{.options = {{"12", "200"}}};
  EXPECT_EQ(choice_of(place, "1", false), Choice(MoreKeys{}));
  EXPECT_EQ(choice_of(place, "3", false), Choice(NoChoice{}));
  EXPECT_EQ(choice_of({}, "1", false), Choice(NoChoice{}));
}

}  // namespace
}  // namespace callpark::menu
