#include "parkd/service/dialled_code.h"

#include <algorithm>
#include <optional>

namespace callpark {
namespace {

// Of orbits with a leading star: random ones have 3 to 8, those of a range as many as a number may have.
constexpr std::size_t kStarredDigitsMin = 2;
constexpr std::size_t kStarredDigitsMax = 15;

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A random orbit begins with a star, so it never collides with an extension; an orbit of a range may.
bool is_starred_orbit(std::string_view text) {
  return text.size() > kStarredDigitsMin && text.size() <= kStarredDigitsMax + 1 && text.front() == '*' &&
         all_digits(text.substr(1));
}

OrbitRequest request_of(const DialledFacts& facts) {
  OrbitRequest request;
  request.random_digits = facts.random_orbit_digits;
  request.calls_per_orbit_max = facts.calls_per_orbit_max;
  request.parked_calls_max = facts.parked_calls_max;
  request.extension_parked_calls_max = facts.extension_parked_calls_max;
  return request;
}

// An extension that looks at its own orbit guesses nothing, and a trunk has only orbits that it may know.
int misses_allowed(const DialledFacts& facts, const std::string& orbit, const std::string& user) {
  return user.empty() || orbit == user ? 0 : facts.retrieve_misses_max;
}

// The tenant's switch counts before the permissions of the extension, and these before the rest of the number.
std::optional<park::RefusalReason> denial_of(const DialledFacts& facts, bool is_off, bool is_permitted) {
  if (is_off) return park::RefusalReason::kSwitchedOff;
  if (!is_permitted) return park::RefusalReason::kNotPermitted;
  if (!facts.may_use_range) return park::RefusalReason::kNotInThisRange;
  return std::nullopt;
}

std::optional<park::RefusalReason> park_denial(const DialledFacts& facts) {
  return denial_of(facts, facts.parks_are_off, facts.may_park);
}

std::optional<park::RefusalReason> group_park_denial(const DialledFacts& facts) {
  return denial_of(facts, facts.parks_are_off, facts.may_group_park && !facts.park_group.empty());
}

std::optional<park::RefusalReason> retrieve_denial(const DialledFacts& facts) {
  return denial_of(facts, facts.retrieves_are_off, facts.may_retrieve);
}

Result<Command, park::RefusalReason> interpret_park(const DialledFacts& facts, const std::string& user) {
  if (const auto denial = park_denial(facts)) return failure(*denial);
  OrbitRequest request = request_of(facts);
  if (facts.remainder_is_extension) {
    request.orbits = {facts.remainder};
  } else if (!facts.remainder.empty()) {
    return failure(park::RefusalReason::kInvalidCode);
  } else if (facts.code->bare == BareCode::kOwnExtension) {
    request.orbits = {user};
  }
  return Command(ParkCommand{std::move(request)});
}

// FEATURES G1: the first member of the group with nothing parked at it, the parker last.
Result<Command, park::RefusalReason> interpret_group_park(const DialledFacts& facts, const std::string& user) {
  if (const auto denial = group_park_denial(facts)) return failure(*denial);
  if (!facts.remainder.empty()) return failure(park::RefusalReason::kInvalidCode);
  OrbitRequest request = request_of(facts);
  request.calls_per_orbit_max = 1;
  request.park_group = facts.park_group;
  request.orbits = facts.park_group_members;
  std::stable_partition(request.orbits.begin(), request.orbits.end(),
                        [&](const std::string& member) { return member != user; });
  return Command(ParkCommand{std::move(request)});
}

Result<Command, park::RefusalReason> interpret_retrieve(const DialledFacts& facts, const std::string& user) {
  if (const auto denial = retrieve_denial(facts)) return failure(*denial);
  if (facts.remainder.empty()) return Command(RetrieveCommand{{{user}, facts.park_group}});
  // Digits are an orbit where nothing may be parked; any other text is a mistyped code.
  if (!all_digits(facts.remainder) && !is_starred_orbit(facts.remainder))
    return failure(park::RefusalReason::kInvalidCode);
  return Command(RetrieveCommand{{{facts.remainder}, "", misses_allowed(facts, facts.remainder, user)}});
}

Result<Command, park::RefusalReason> interpret_range(const DialledFacts& facts, const std::string& user,
                                                     Dialled dialled) {
  const bool is_park_number = facts.range_orbit.empty();
  if (!is_park_number && dialled == Dialled::kAsCall) {
    if (const auto denial = retrieve_denial(facts)) return failure(*denial);
    return Command(RetrieveCommand{{{facts.range_orbit}, "", misses_allowed(facts, facts.range_orbit, user)}});
  }
  if (const auto denial = park_denial(facts)) return failure(*denial);
  OrbitRequest request = request_of(facts);
  request.calls_per_orbit_max = 1;
  if (is_park_number) {
    request.range = facts.range;
  } else {
    request.orbits = {facts.range_orbit};
  }
  return Command(ParkCommand{std::move(request)});
}

// A transfer would join the other party of the call to the prompts, and a trunk has no PIN to enter.
Result<Command, park::RefusalReason> interpret_flow_code(const DialledFacts& facts, const std::string& user,
                                                         Dialled dialled) {
  if (dialled == Dialled::kAsTransfer) return failure(park::RefusalReason::kInvalidCode);
  if (user.empty()) return failure(park::RefusalReason::kNotPermitted);
  return Command(ToggleCommand{facts.flow_code});
}

// Each extension and trunk may call the tenant's menus. A transfer would join the other party of the call to the menu.
Result<Command, park::RefusalReason> interpret_menu(const DialledFacts& facts, Dialled dialled) {
  if (dialled == Dialled::kAsTransfer) return failure(park::RefusalReason::kInvalidCode);
  return Command(MenuCommand{facts.menu});
}

}  // namespace

Result<Command, park::RefusalReason> interpret(const DialledFacts& facts, const std::string& user, Dialled dialled) {
  if (!facts.menu.empty()) return interpret_menu(facts, dialled);
  if (!facts.flow_code.empty()) return interpret_flow_code(facts, user, dialled);
  if (facts.range) return interpret_range(facts, user, dialled);
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
