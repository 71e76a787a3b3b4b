#include "parkd/call/ids.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_set>

namespace callpark {
namespace {

TEST(Ids, X51_AParkIdIs26CharactersOfBase32) {
  for (int turn = 0; turn < 1000; ++turn) {
    const std::string text = make_park_id().text();
    ASSERT_EQ(text.size(), 26U);
    ASSERT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567"), std::string::npos) << text;
  }
}

TEST(Ids, X51_AllCharactersOfAParkIdAreRandom) {
  std::array<std::set<char>, ParkId::kLength> seen;
  for (int turn = 0; turn < 1000; ++turn) {
    const ParkId id = make_park_id();
    for (std::size_t place = 0; place < ParkId::kLength; ++place) seen.at(place).insert(id.text().at(place));
  }
  for (const std::set<char>& characters : seen) EXPECT_GT(characters.size(), 24U) << "of 32";
}

TEST(Ids, NoParkIdIsMadeTwice) {
  std::unordered_set<ParkId> made;
  for (int turn = 0; turn < 10000; ++turn) ASSERT_TRUE(made.insert(make_park_id()).second);
}

TEST(Ids, AnEmptyIdIsNone) {
  EXPECT_TRUE(ParkId().empty());
  EXPECT_FALSE(make_park_id().empty());
  EXPECT_EQ(ParkId(), ParkId(""));
  EXPECT_FALSE(CallId());
  EXPECT_TRUE(CallId{1});
}

TEST(Ids, IdsOfDifferentKindsAreDifferentTypes) {
  EXPECT_FALSE((std::is_convertible_v<CallId, ConversationId>));
  EXPECT_FALSE((std::is_convertible_v<ConversationId, ReferralId>));
  EXPECT_FALSE((std::is_convertible_v<std::string, ParkId>));
  EXPECT_FALSE((std::is_convertible_v<ParkId, std::string>));
}

TEST(Ids, IdsAreOrderedAndHashedByTheirValue) {
  EXPECT_LT(ParkId("a"), ParkId("b"));
  EXPECT_LT(CallId{1}, CallId{2});
  EXPECT_EQ(std::hash<ParkId>()(ParkId("a")), std::hash<ParkId>()(ParkId("a")));
  EXPECT_EQ(std::hash<CallId>()(CallId{7}), std::hash<CallId>()(CallId{7}));
}

}  // namespace
}  // namespace callpark
