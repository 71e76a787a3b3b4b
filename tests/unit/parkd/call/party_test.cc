#include "parkd/call/party.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace callpark {
namespace {

/// All texts of up to `length` characters of this alphabet.
std::vector<std::string> texts(const std::string& alphabet, std::size_t length) {
  std::vector<std::string> all{""};
  for (std::size_t first = 0, added = 1; length > 0; --length) {
    const std::size_t end = first + added;
    for (; first < end; ++first) {
      for (const char c : alphabet) all.push_back(all[first] + c);
    }
    added = all.size() - end;
  }
  return all;
}

TEST(Party, AnAorIsTheSameAfterItsExtension) {
  std::size_t extensions = 0;
  for (const std::string& aor : texts("1a@. +*#%;\xff", 4)) {
    const auto extension = extension_of_aor(aor);
    const std::size_t at = aor.find('@');
    const bool has_both_parts = at != std::string::npos && at > 0 && at + 1 < aor.size();
    ASSERT_EQ(extension.has_value(), has_both_parts) << aor;
    if (!extension) continue;
    ++extensions;
    ASSERT_EQ(aor_of(*extension), aor);
    ASSERT_EQ(extension->number.find('@'), std::string::npos) << aor;
  }
  EXPECT_GT(extensions, 1000U);
}

TEST(Party, AnExtensionIsTheSameAfterItsAor) {
  for (const std::string& number : texts("17*#+", 3)) {
    for (const std::string& tenant : texts("a.-", 3)) {
      const Extension extension{tenant, number};
      const auto parsed = extension_of_aor(aor_of(extension));
      if (number.empty() || tenant.empty()) {
        ASSERT_FALSE(parsed) << aor_of(extension);
      } else {
        ASSERT_EQ(parsed, extension);
      }
    }
  }
}

TEST(Party, OnlyDigitsAreAnExtension) {
  for (const std::string& number : texts("09+*# a\xff", 4)) {
    const Party party = party_of_number("demo", number);
    const bool is_digits = !number.empty() && number.find_first_not_of("09") == std::string::npos;
    ASSERT_EQ(extension_in(party) != nullptr, is_digits) << number;
    ASSERT_EQ(text_of(party), number);
    if (is_digits) {
      ASSERT_EQ(*extension_in(party), (Extension{"demo", number}));
    }
  }
}

TEST(Party, ATextShowsWhatKindThePartyIs) {
  EXPECT_EQ(text_of(Extension{"demo", "102"}), "102");
  EXPECT_EQ(text_of(Outside{"+4930123"}), "+4930123");
  EXPECT_EQ(text_of(Outside{}), "");
  EXPECT_EQ(text_of(Trunk{"north"}), "trunk north");
}

TEST(Party, PartiesOfTheSameTextAreDifferentIfTheirKindIs) {
  EXPECT_NE(Party(Extension{"demo", "102"}), Party(Outside{"102"}));
  EXPECT_NE(Party(Extension{"demo", "102"}), Party(Extension{"other", "102"}));
  EXPECT_NE(Party(Trunk{"a"}), Party(Outside{"trunk a"}));
  EXPECT_EQ(extension_in(Party(Trunk{"102"})), nullptr);
  EXPECT_EQ(Party(), Party(Outside{}));
}

TEST(Party, TheOtherEndOfTheOtherEndIsTheSame) {
  EXPECT_EQ(other_end(PartyEnd::kCaller), PartyEnd::kPeer);
  EXPECT_EQ(other_end(other_end(PartyEnd::kCaller)), PartyEnd::kCaller);
}

}  // namespace
}  // namespace callpark
