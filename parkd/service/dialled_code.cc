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

Result<Command, park::RefusalReason> interpret_park(const DialledFacts& facts, const std::string& user) {
  if (!facts.may_park) return failure(park::RefusalReason::kNotPermitted);
  OrbitWish wish;
  wish.random_digits = facts.random_orbit_digits;
  wish.calls_per_orbit_max = facts.calls_per_orbit_max;
  wish.parked_calls_max = facts.parked_calls_max;
  if (facts.remainder_is_extension) {
    wish.orbit = facts.remainder;
  } else if (!facts.remainder.empty()) {
    return failure(park::RefusalReason::kInvalidCode);
  } else if (facts.code->bare == BareCode::kOwnExtension) {
    wish.orbit = user;
  }
  return Command(ParkCommand{std::move(wish)});
}

Result<Command, park::RefusalReason> interpret_retrieve(const DialledFacts& facts, const std::string& user) {
  if (!facts.may_retrieve) return failure(park::RefusalReason::kNotPermitted);
  if (facts.remainder.empty()) return Command(RetrieveCommand{{user}});
  if (facts.remainder_is_extension || is_random_orbit(facts.remainder))
    return Command(RetrieveCommand{{facts.remainder}});
  // A number that is nobody's is an orbit where nothing is parked; anything else is a slip of the finger.
  return failure(all_digits(facts.remainder) ? park::RefusalReason::kNoCallParked : park::RefusalReason::kInvalidCode);
}

}  // namespace

Result<Command, park::RefusalReason> interpret(const DialledFacts& facts, const std::string& user) {
  if (!facts.code) return failure(park::RefusalReason::kInvalidCode);
  return facts.code->action == CodeAction::kPark ? interpret_park(facts, user) : interpret_retrieve(facts, user);
}

std::string dialled_to_retrieve(const DialledFacts& facts, const std::string& orbit) {
  return facts.code ? facts.code->retrieve_code + orbit : orbit;
}

}  // namespace callpark
