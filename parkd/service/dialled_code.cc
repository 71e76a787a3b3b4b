#include "parkd/service/dialled_code.h"

#include <algorithm>

namespace callpark {
namespace {

constexpr std::size_t kRandomDigitsMin = 3;
constexpr std::size_t kRandomDigitsMax = 8;

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A random orbit begins with a star, so it never collides with an extension.
bool is_random_orbit(std::string_view text) {
  return text.size() > kRandomDigitsMin && text.size() <= kRandomDigitsMax + 1 && text.front() == '*' &&
         all_digits(text.substr(1));
}

OrbitWish wish_of(const DialledFacts& facts) {
  OrbitWish wish;
  wish.random_digits = facts.random_orbit_digits;
  wish.calls_per_orbit_max = facts.calls_per_orbit_max;
  wish.parked_calls_max = facts.parked_calls_max;
  return wish;
}

Result<Command, park::RefusalReason> interpret_park(const DialledFacts& facts, const std::string& user) {
  if (!facts.may_park) return failure(park::RefusalReason::kNotPermitted);
  OrbitWish wish = wish_of(facts);
  if (facts.remainder_is_extension) {
    wish.orbits = {facts.remainder};
  } else if (!facts.remainder.empty()) {
    return failure(park::RefusalReason::kInvalidCode);
  } else if (facts.code->bare == BareCode::kOwnExtension) {
    wish.orbits = {user};
  }
  return Command(ParkCommand{std::move(wish)});
}

// FEATURES G1: the first member at whom nothing is parked, the parker himself last.
Result<Command, park::RefusalReason> interpret_group_park(const DialledFacts& facts, const std::string& user) {
  if (!facts.may_group_park || facts.park_group.empty()) return failure(park::RefusalReason::kNotPermitted);
  if (!facts.remainder.empty()) return failure(park::RefusalReason::kInvalidCode);
  OrbitWish wish = wish_of(facts);
  wish.calls_per_orbit_max = 1;
  wish.park_group = facts.park_group;
  wish.orbits = facts.park_group_members;
  std::stable_partition(wish.orbits.begin(), wish.orbits.end(),
                        [&](const std::string& member) { return member != user; });
  return Command(ParkCommand{std::move(wish)});
}

Result<Command, park::RefusalReason> interpret_retrieve(const DialledFacts& facts, const std::string& user) {
  if (!facts.may_retrieve) return failure(park::RefusalReason::kNotPermitted);
  if (facts.remainder.empty()) return Command(RetrieveCommand{{{user}, facts.park_group}});
  // A number that is nobody's is an orbit where nothing is parked; anything else is a slip of the finger.
  if (!all_digits(facts.remainder) && !is_random_orbit(facts.remainder))
    return failure(park::RefusalReason::kInvalidCode);
  return Command(RetrieveCommand{{{facts.remainder}, ""}});
}

Result<Command, park::RefusalReason> interpret_range(const DialledFacts& facts, Dialled dialled) {
  const bool is_park_number = facts.range_orbit.empty();
  if (!is_park_number && dialled == Dialled::kAsCall) {
    if (!facts.may_retrieve) return failure(park::RefusalReason::kNotPermitted);
    return Command(RetrieveCommand{{{facts.range_orbit}, ""}});
  }
  if (!facts.may_park) return failure(park::RefusalReason::kNotPermitted);
  OrbitWish wish = wish_of(facts);
  wish.calls_per_orbit_max = 1;
  if (is_park_number) {
    wish.range = facts.range;
  } else {
    wish.orbits = {facts.range_orbit};
  }
  return Command(ParkCommand{std::move(wish)});
}

}  // namespace

Result<Command, park::RefusalReason> interpret(const DialledFacts& facts, const std::string& user, Dialled dialled) {
  if (facts.range) return interpret_range(facts, dialled);
  if (!facts.code) return failure(park::RefusalReason::kInvalidCode);
  switch (facts.code->action) {
    case CodeAction::kPark:
      return interpret_park(facts, user);
    case CodeAction::kGroupPark:
      return interpret_group_park(facts, user);
    case CodeAction::kRetrieve:
      break;
  }
  return interpret_retrieve(facts, user);
}

std::string dialled_to_retrieve(const DialledFacts& facts, const std::string& orbit) {
  return facts.code ? facts.code->retrieve_code + orbit : orbit;
}

}  // namespace callpark
