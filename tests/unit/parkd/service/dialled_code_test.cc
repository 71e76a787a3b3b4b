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

/// "park 101", "park 102 or 101 for sales", "park at random", "park in 7001 to 7010", "retrieve 101 or of sales", or
/// the refusal's number.
std::string meaning(const DialledFacts& facts, const std::string& user = "101", Dialled dialled = Dialled::kAsCall) {
  const auto command = interpret(facts, user, dialled);
  if (!command) return "refused " + std::to_string(static_cast<int>(command.error()));
  const auto list = [](const std::vector<std::string>& orbits) {
    std::string text;
    for (const std::string& orbit : orbits) text += (text.empty() ? " " : " or ") + orbit;
    return text;
  };
  if (const auto* park = std::get_if<ParkCommand>(&*command)) {
    const OrbitRequest& request = park->request;
    if (request.range) return "park in " + request.range->first + " to " + request.range->last;
    if (request.orbits.empty()) return "park at random";
    return "park" + list(request.orbits) + (request.park_group.empty() ? "" : " for " + request.park_group);
  }
  const RetrieveRequest& request = std::get<RetrieveCommand>(*command).request;
  return "retrieve" + list(request.orbits) + (request.park_group.empty() ? "" : " or of " + request.park_group);
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
  const OrbitRequest request = std::get<ParkCommand>(*interpret(facts, "101", Dialled::kAsCall)).request;
  EXPECT_EQ(request.random_digits, 5);
  EXPECT_EQ(request.calls_per_orbit_max, 3);
  EXPECT_EQ(request.parked_calls_max, 7);
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

TEST(DialledCode, S4_L1_StarredOrbitHasTwoToFifteenDigits) {
  const auto behind = [](const std::string& remainder) {
    return meaning(facts_of("*71", CodeAction::kRetrieve, BareCode::kRandomOrbit, remainder));
  };
  std::string orbit = "*7";
  EXPECT_EQ(behind(orbit), refused(RefusalReason::kInvalidCode));
  while (orbit.size() <= 15) {
    orbit += "2";
    EXPECT_EQ(behind(orbit), "retrieve " + orbit);
  }
  EXPECT_EQ(behind(orbit + "2"), refused(RefusalReason::kInvalidCode));
  EXPECT_EQ(behind("*72a0"), refused(RefusalReason::kInvalidCode));
  EXPECT_EQ(behind("**725"), refused(RefusalReason::kInvalidCode));
  EXPECT_EQ(behind("*"), refused(RefusalReason::kInvalidCode));
}

TEST(DialledCode, S9_ANumberThatIsNobodysMayBeAnOrbitOfARangeOrAnEmptyOne) {
  EXPECT_EQ(meaning(facts_of("*71", CodeAction::kRetrieve, BareCode::kRandomOrbit, "7001")), "retrieve 7001");
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
            const bool is_random = *remainder == 0 && bare == BareCode::kRandomOrbit && (flags & 1) == 0;
            const std::string orbit = *remainder == 0 && (flags & 1) == 0 ? "101" : remainder;
            EXPECT_EQ(park->request.orbits, is_random ? std::vector<std::string>{} : std::vector<std::string>{orbit});
          } else {
            const auto& orbits = std::get<RetrieveCommand>(*command).request.orbits;
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

DialledFacts group_facts(const std::string& remainder = "") {
  DialledFacts facts = facts_of("*58", CodeAction::kGroupPark, BareCode::kOwnExtension, remainder);
  facts.may_group_park = true;
  facts.park_group = "sales";
  facts.park_group_members = {"101", "102", "103"};
  return facts;
}

TEST(DialledCode, G1_TheGroupIsSearchedInItsOrderTheParkerLast) {
  EXPECT_EQ(meaning(group_facts(), "101"), "park 102 or 103 or 101 for sales");
  EXPECT_EQ(meaning(group_facts(), "102"), "park 101 or 103 or 102 for sales");
  EXPECT_EQ(meaning(group_facts(), "103"), "park 101 or 102 or 103 for sales");
  // A member is available if it has no parked call, whatever the tenant permits otherwise.
  EXPECT_EQ(std::get<ParkCommand>(*interpret(group_facts(), "101", Dialled::kAsTransfer)).request.calls_per_orbit_max,
            1);
}

TEST(DialledCode, G4_WithoutAGroupOrPermissionNobodyParksInIt) {
  DialledFacts without_group = group_facts();
  without_group.park_group.clear();
  EXPECT_EQ(meaning(without_group), refused(RefusalReason::kNotPermitted));
  DialledFacts without_permission = group_facts();
  without_permission.may_group_park = false;
  EXPECT_EQ(meaning(without_permission), refused(RefusalReason::kNotPermitted));
  EXPECT_EQ(meaning(group_facts("102")), refused(RefusalReason::kInvalidCode));
}

TEST(DialledCode, P3_TheBareRetrieveCodeLooksAtTheOwnExtensionAndThenIntoTheGroup) {
  DialledFacts facts = facts_of("*88", CodeAction::kRetrieve, BareCode::kOwnExtension, "");
  facts.park_group = "sales";
  EXPECT_EQ(meaning(facts), "retrieve 101 or of sales");
  facts.remainder = "102";
  facts.remainder_is_extension = true;
  EXPECT_EQ(meaning(facts), "retrieve 102");
}

DialledFacts range_facts(const std::string& orbit = "") {
  DialledFacts facts;
  facts.range = OrbitRange{"7001", "7010"};
  facts.range_orbit = orbit;
  facts.may_park = true;
  facts.may_retrieve = true;
  facts.calls_per_orbit_max = 3;
  return facts;
}

TEST(DialledCode, L2_TheParkNumberParksInTheRangeHoweverItIsReached) {
  EXPECT_EQ(meaning(range_facts(), "101", Dialled::kAsCall), "park in 7001 to 7010");
  EXPECT_EQ(meaning(range_facts(), "101", Dialled::kAsTransfer), "park in 7001 to 7010");
}

TEST(DialledCode, L3_AnOrbitRetrievesWhenItIsDialledAndParksWhenItIsTransferredTo) {
  EXPECT_EQ(meaning(range_facts("7005"), "101", Dialled::kAsCall), "retrieve 7005");
  EXPECT_EQ(meaning(range_facts("7005"), "101", Dialled::kAsTransfer), "park 7005");
  EXPECT_EQ(
      std::get<ParkCommand>(*interpret(range_facts("7005"), "101", Dialled::kAsTransfer)).request.calls_per_orbit_max,
      1);
}

TEST(DialledCode, L3_PermissionsCountInRangesToo) {
  DialledFacts facts = range_facts("7005");
  facts.may_park = false;
  EXPECT_EQ(meaning(facts, "101", Dialled::kAsTransfer), refused(RefusalReason::kNotPermitted));
  EXPECT_EQ(meaning(facts, "101", Dialled::kAsCall), "retrieve 7005");
  facts.may_park = true;
  facts.may_retrieve = false;
  EXPECT_EQ(meaning(facts, "101", Dialled::kAsCall), refused(RefusalReason::kNotPermitted));
}

TEST(DialledCode, S2_WhatIsAnnouncedIsTheRetrieveCodeAndTheOrbit) {
  const DialledFacts facts = facts_of("*70", CodeAction::kPark, BareCode::kRandomOrbit, "");
  EXPECT_EQ(dialled_to_retrieve(facts, "333"), "*71333");
  EXPECT_EQ(dialled_to_retrieve(facts, "*7250"), "*71*7250");
  EXPECT_EQ(dialled_to_retrieve(DialledFacts{}, "333"), "333");
}

TEST(DialledCode, X43_OnlyOrbitsOfOthersCanBeMissed) {
  const auto misses_max = [](const std::string& remainder, const std::string& user) {
    DialledFacts facts = facts_of("*88", CodeAction::kRetrieve, BareCode::kOwnExtension, remainder);
    facts.retrieve_misses_max = 10;
    return std::get<RetrieveCommand>(*interpret(facts, user, Dialled::kAsCall)).request.misses_max;
  };
  EXPECT_EQ(misses_max("*7250", "101"), 10);
  EXPECT_EQ(misses_max("102", "101"), 10);
  EXPECT_EQ(misses_max("101", "101"), 0);
  EXPECT_EQ(misses_max("", "101"), 0);
  EXPECT_EQ(misses_max("*7250", ""), 0) << "a trunk";
}

// Each combination of the tenant's switch and the extension's permissions, with each kind of number.
TEST(DialledCode, L7_EachPermissionDeniesWhatItIsForAndNothingElse) {
  struct Kind {
    std::string name;
    DialledFacts facts;
    Dialled dialled;
    bool DialledFacts::*permission;
    bool DialledFacts::*off;
  };
  const auto park = facts_of("*68", CodeAction::kPark, BareCode::kOwnExtension, "");
  const auto park_at_random = facts_of("*70", CodeAction::kPark, BareCode::kRandomOrbit, "");
  const auto park_elsewhere = facts_of("*68", CodeAction::kPark, BareCode::kOwnExtension, "105", true);
  const auto retrieve = facts_of("*88", CodeAction::kRetrieve, BareCode::kOwnExtension, "");
  const auto retrieve_elsewhere = facts_of("*88", CodeAction::kRetrieve, BareCode::kOwnExtension, "7001");
  const auto& may_park = &DialledFacts::may_park;
  const auto& may_retrieve = &DialledFacts::may_retrieve;
  const auto& parks_off = &DialledFacts::parks_are_off;
  const auto& retrieves_off = &DialledFacts::retrieves_are_off;
  const Kind kinds[] = {
      {"park", park, Dialled::kAsTransfer, may_park, parks_off},
      {"park by a call", park, Dialled::kAsCall, may_park, parks_off},
      {"park at random", park_at_random, Dialled::kAsCall, may_park, parks_off},
      {"park elsewhere", park_elsewhere, Dialled::kAsTransfer, may_park, parks_off},
      {"group park", group_facts(), Dialled::kAsTransfer, &DialledFacts::may_group_park, parks_off},
      {"retrieve", retrieve, Dialled::kAsCall, may_retrieve, retrieves_off},
      {"retrieve elsewhere", retrieve_elsewhere, Dialled::kAsCall, may_retrieve, retrieves_off},
      {"park in a range", range_facts(), Dialled::kAsTransfer, may_park, parks_off},
      {"park in a range by a call", range_facts(), Dialled::kAsCall, may_park, parks_off},
      {"park at an orbit of a range", range_facts("7005"), Dialled::kAsTransfer, may_park, parks_off},
      {"retrieve from a range", range_facts("7005"), Dialled::kAsCall, may_retrieve, retrieves_off},
  };
  for (const Kind& kind : kinds) {
    const std::string granted = meaning(kind.facts, "101", kind.dialled);
    ASSERT_FALSE(granted.starts_with("refused")) << kind.name;
    for (unsigned int flags = 0; flags < 64; ++flags) {
      const auto is_set = [&](unsigned int flag) { return (flags >> flag & 1U) != 0; };
      DialledFacts facts = kind.facts;
      facts.may_park = is_set(0);
      facts.may_retrieve = is_set(1);
      facts.may_group_park = is_set(2);
      facts.may_use_range = is_set(3);
      facts.parks_are_off = is_set(4);
      facts.retrieves_are_off = is_set(5);
      const std::string expected = facts.*kind.off             ? refused(RefusalReason::kSwitchedOff)
                                   : !(facts.*kind.permission) ? refused(RefusalReason::kNotPermitted)
                                   : !facts.may_use_range      ? refused(RefusalReason::kNotInThisRange)
                                                               : granted;
      EXPECT_EQ(meaning(facts, "101", kind.dialled), expected) << kind.name << " with flags " << flags;
    }
  }
}

TEST(DialledCode, X44_AParkHasTheCapOfItsExtension) {
  DialledFacts facts = facts_of("*68", CodeAction::kPark, BareCode::kOwnExtension, "");
  facts.extension_parked_calls_max = 4;
  EXPECT_EQ(std::get<ParkCommand>(*interpret(facts, "101", Dialled::kAsCall)).request.extension_parked_calls_max, 4);
}

TEST(DialledCode, F3_OnlyACallOfAnExtensionTogglesACallFlow) {
  DialledFacts facts;
  facts.flow_code = "*30";
  EXPECT_EQ(std::get<ToggleCommand>(*interpret(facts, "101", Dialled::kAsCall)).code, "*30");
  EXPECT_EQ(interpret(facts, "101", Dialled::kAsTransfer).error(), RefusalReason::kInvalidCode);
  EXPECT_EQ(interpret(facts, "", Dialled::kAsCall).error(), RefusalReason::kNotPermitted);
}

TEST(DialledCode, F6_AnyCallGoesToAMenuAndNoTransferDoes) {
  DialledFacts facts = facts_of("7", CodeAction::kPark, BareCode::kOwnExtension, "00");
  facts.menu = "700";
  for (const char* user : {"101", ""}) {
    EXPECT_EQ(std::get<MenuCommand>(*interpret(facts, user, Dialled::kAsCall)).number, "700") << user;
    EXPECT_EQ(interpret(facts, user, Dialled::kAsTransfer).error(), RefusalReason::kInvalidCode) << user;
  }
}

}  // namespace
}  // namespace callpark
