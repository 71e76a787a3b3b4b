#include "parkd/service/refusal.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace callpark {
namespace {

using park::RefusalReason;

struct Expected {
  RefusalReason reason;
  int status;
  std::string_view prompt;
};

constexpr Expected kExpected[] = {
    {RefusalReason::kNotPermitted, 403, "not_permitted"},
    {RefusalReason::kNoHeldCall, 404, "no_held_call"},
    {RefusalReason::kOrbitTaken, 486, "orbit_taken"},
    {RefusalReason::kTooManyParked, 486, "too_many_parked"},
    {RefusalReason::kTooManyOfParker, 486, "too_many_of_parker"},
    {RefusalReason::kInvalidCode, 404, "invalid_code"},
    {RefusalReason::kNotInThisRange, 403, "range_not_permitted"},
    {RefusalReason::kSwitchedOff, 403, "switched_off"},
    {RefusalReason::kNoCallParked, 404, "no_call_parked"},
    {RefusalReason::kAlreadyPickedUp, 404, "already_picked_up"},
    {RefusalReason::kNotAcceptable, 488, "not_available"},
    {RefusalReason::kNotReached, 480, "not_available"},
    {RefusalReason::kOfferRefused, 502, "not_available"},
    {RefusalReason::kCallerGone, 480, "not_available"},
    {RefusalReason::kUnavailable, 503, "not_available"},
    {RefusalReason::kOverloaded, 503, "overloaded"},
};

TEST(Refusal, S13_EachReasonHasItsStatusAndItsPrompt) {
  for (const Expected& expected : kExpected) {
    const Refusal refusal = refusal_of(expected.reason);
    EXPECT_EQ(refusal.status, expected.status) << expected.prompt;
    EXPECT_EQ(refusal.prompt, expected.prompt);
    EXPECT_FALSE(refusal.phrase.empty());
  }
}

TEST(Refusal, L7_EachLimitHasAPhraseAndASentenceOfItsOwn) {
  std::set<std::string> phrases;
  std::set<std::string> prompts;
  for (const RefusalReason limit :
       {RefusalReason::kNotPermitted, RefusalReason::kNotInThisRange, RefusalReason::kSwitchedOff,
        RefusalReason::kTooManyParked, RefusalReason::kTooManyOfParker, RefusalReason::kOrbitTaken}) {
    EXPECT_TRUE(phrases.emplace(refusal_of(limit).phrase).second);
    EXPECT_TRUE(prompts.emplace(refusal_of(limit).prompt).second);
  }
}

TEST(Refusal, PhraseFitsIntoAStatusLine) {
  for (const Expected& expected : kExpected) {
    for (const char c : refusal_of(expected.reason).phrase) EXPECT_TRUE(c >= ' ' && c <= '~');
  }
}

}  // namespace
}  // namespace callpark
