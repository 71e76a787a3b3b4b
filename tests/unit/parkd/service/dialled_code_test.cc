#include "parkd/service/dialled_code.h"

#include <gtest/gtest.h>

namespace callpark {
namespace {

using park::RefusalReason;

DialledFacts facts_of(const std::string& code, CodeAction action, BareCode bare, const std::string& remainder,
                      bool is_extension = false) {
  DialledFacts facts;
  facts.code = DialledFacts::Code{code, action, bare, action == CodeAction::kPark ? "*71" : ""};
  facts.remainder = remainder;
  facts.remainder_is_extension = is_extension;
  facts.may_park = true;
  facts.may_retrieve = true;
  facts.random_orbit_digits = 5;
  facts.calls_per_orbit_max = 3;
  facts.parked_calls_max = 7;
  return facts;
}

/// "park 101", "park at random", "retrieve 101", or the refusal's number.
std::string meaning(const DialledFacts& facts, const std::string& user = "101") {
  const auto command = interpret(facts, user, Dialled::kAsCall);
  if (!command) return "refused " + std::to_string(static_cast<int>(command.error()));
  if (const auto* park = std::get_if<ParkCommand>(&*command)) {
    return park->wish.orbits.empty() ? "park at random" : "park " + park->wish.orbits.front();
  }
  std::string text = "retrieve";
  for (const std::string& orbit : std::get<RetrieveCommand>(*command).wish.orbits) text += " " + orbit;
  return text;
}
std::string refused(RefusalReason reason) {
  return "refused " + std::to_string(static_cast<int>(reason));
}

TEST(DialledCode, P1_TheBareParkCodeOfOwnExtensionsMeansTheOwnExtension) {
  EXPECT_EQ(meaning(facts_of("*68", CodeAction::kPark, BareCode::kOwnExtension, "")), "park 101");
}

TEST(DialledCode, S4_TheBareParkCodeOfRandomOrbitsMeansARandomOne) {
  const DialledFacts facts = facts_of("*70", CodeAction::kPark, BareCode::kRandomOrbit, "");
  EXPECT_EQ(meaning(facts), "park at random");
  const OrbitWish wish = std::get<ParkCommand>(*interpret(facts, "101", Dialled::kAsCall)).wish;
  EXPECT_EQ(wish.random_digits, 5);
  EXPECT_EQ(wish.calls_per_orbit_max, 3);
  EXPECT_EQ(wish.parked_calls_max, 7);
}

TEST(DialledCode, P2_AnExtensionBehindAParkCodeIsTheOrbit) {
  for (const BareCode bare : {BareCode::kOwnExtension, BareCode::kRandomOrbit}) {
    EXPECT_EQ(meaning(facts_of("*70", CodeAction::kPark, bare, "333", true)), "park 333");
  }
}

TEST(DialledCode, S6_AnythingElseBehindAParkCodeIsInvalid) {
  for (const char* junk : {"9", "999", "*7250", "*", "1a", "#", "12#"}) {
    EXPECT_EQ(meaning(facts_of("*70", CodeAction::kPark, BareCode::kRandomOrbit, junk)),
              refused(RefusalReason::kInvalidCode))
        << junk;
  }
}

TEST(DialledCode, S3_TheBareRetrieveCodeMeansTheOwnExtension) {
  for (const BareCode bare : {BareCode::kOwnExtension, BareCode::kRandomOrbit}) {
    EXPECT_EQ(meaning(facts_of("*71", CodeAction::kRetrieve, bare, "")), "retrieve 101");
  }
}

TEST(DialledCode, S3_AnExtensionBehindARetrieveCodeIsRetrievedFromAnyPhone) {
  EXPECT_EQ(meaning(facts_of("*71", CodeAction::kRetrieve, BareCode::kRandomOrbit, "333", true)), "retrieve 333");
}

TEST(DialledCode, S4_ARandomOrbitHasAStarAndThreeToEightDigits) {
  const auto behind = [](const std::string& remainder) {
    return meaning(facts_of("*71", CodeAction::kRetrieve, BareCode::kRandomOrbit, remainder));
  };
  EXPECT_EQ(behind("*72"), refused(RefusalReason::kInvalidCode));
  for (const char* orbit : {"*725", "*7250", "*72501", "*725012", "*7250123", "*72501234"}) {
    EXPECT_EQ(behind(orbit), std::string("retrieve ") + orbit);
  }
  EXPECT_EQ(behind("*725012345"), refused(RefusalReason::kInvalidCode));
  EXPECT_EQ(behind("*72a0"), refused(RefusalReason::kInvalidCode));
  EXPECT_EQ(behind("**725"), refused(RefusalReason::kInvalidCode));
  EXPECT_EQ(behind("*"), refused(RefusalReason::kInvalidCode));
}

TEST(DialledCode, S9_ANumberThatIsNobodysIsAnEmptyOrbit) {
  EXPECT_EQ(meaning(facts_of("*71", CodeAction::kRetrieve, BareCode::kRandomOrbit, "999")),
            refused(RefusalReason::kNoCallParked));
}

TEST(DialledCode, S6_CodesNeedNotBeginWithAStar) {
  EXPECT_EQ(meaning(facts_of("644", CodeAction::kPark, BareCode::kOwnExtension, "105", true)), "park 105");
  EXPECT_EQ(meaning(facts_of("645", CodeAction::kRetrieve, BareCode::kOwnExtension, "105", true)), "retrieve 105");
}

TEST(DialledCode, S6_WhatIsNoCodeIsInvalid) {
  DialledFacts facts;
  facts.may_park = facts.may_retrieve = true;
  EXPECT_EQ(meaning(facts), refused(RefusalReason::kInvalidCode));
}

TEST(DialledCode, S13_PermissionIsAskedBeforeAnythingElseOfTheCode) {
  for (const char* remainder : {"", "105", "junk", "*7250"}) {
    DialledFacts park = facts_of("*70", CodeAction::kPark, BareCode::kRandomOrbit, remainder);
    park.may_park = false;
    EXPECT_EQ(meaning(park), refused(RefusalReason::kNotPermitted)) << remainder;
    DialledFacts retrieve = facts_of("*71", CodeAction::kRetrieve, BareCode::kRandomOrbit, remainder);
    retrieve.may_retrieve = false;
    EXPECT_EQ(meaning(retrieve), refused(RefusalReason::kNotPermitted)) << remainder;
  }
}

TEST(DialledCode, OnePermissionSaysNothingAboutTheOther) {
  DialledFacts park = facts_of("*68", CodeAction::kPark, BareCode::kOwnExtension, "");
  park.may_retrieve = false;
  EXPECT_EQ(meaning(park), "park 101");
  DialledFacts retrieve = facts_of("*88", CodeAction::kRetrieve, BareCode::kOwnExtension, "");
  retrieve.may_park = false;
  EXPECT_EQ(meaning(retrieve), "retrieve 101");
}

// Of every combination of the few things that count: parking never becomes retrieving, and nothing is parked at or
// fetched from a place that was not named, owned or left to chance.
TEST(DialledCode, S11_NoCombinationTurnsOneActionIntoTheOther) {
  for (const CodeAction action : {CodeAction::kPark, CodeAction::kRetrieve}) {
    for (const BareCode bare : {BareCode::kOwnExtension, BareCode::kRandomOrbit}) {
      for (const char* remainder : {"", "1", "105", "999", "*", "*12", "*123", "*12345678", "*123456789", "x", "10x"}) {
        for (const int flags : {0, 1, 2, 3, 4, 5, 6, 7}) {
          DialledFacts facts = facts_of("*70", action, bare, remainder, (flags & 1) != 0);
          facts.may_park = (flags & 2) != 0;
          facts.may_retrieve = (flags & 4) != 0;
          const auto command = interpret(facts, "101", Dialled::kAsCall);
          if (!command) continue;
          if (const auto* park = std::get_if<ParkCommand>(&*command)) {
            EXPECT_EQ(action, CodeAction::kPark);
            EXPECT_TRUE(facts.may_park);
            EXPECT_TRUE(park->wish.orbits == std::vector<std::string>{*remainder == 0 ? "101" : remainder});
          } else {
            const auto& orbits = std::get<RetrieveCommand>(*command).wish.orbits;
            EXPECT_EQ(action, CodeAction::kRetrieve);
            EXPECT_TRUE(facts.may_retrieve);
            ASSERT_EQ(orbits.size(), 1U);
            EXPECT_EQ(orbits[0], *remainder == 0 ? "101" : remainder);
          }
        }
      }
    }
  }
}

TEST(DialledCode, S2_WhatIsAnnouncedIsTheRetrieveCodeAndTheOrbit) {
  const DialledFacts facts = facts_of("*70", CodeAction::kPark, BareCode::kRandomOrbit, "");
  EXPECT_EQ(dialled_to_retrieve(facts, "333"), "*71333");
  EXPECT_EQ(dialled_to_retrieve(facts, "*7250"), "*71*7250");
  EXPECT_EQ(dialled_to_retrieve(DialledFacts{}, "333"), "333");
}

}  // namespace
}  // namespace callpark
