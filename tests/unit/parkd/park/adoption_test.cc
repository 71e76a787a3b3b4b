// What the parker is left with when a park fails. The explorer has all of the rest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>
#include <vector>

#include "parkd/park/decide.h"

namespace callpark::park {
namespace {

template <class A>
bool has(const std::vector<Action>& actions) {
  for (const Action& action : actions) {
    if (std::holds_alternative<A>(action)) return true;
  }
  return false;
}

// The caller has been sent the re-INVITE to the music.
State adopting(Request request) {
  const Decision gathers = begin(request, {}, ParkerLearnsOrbit::kItself);
  const Decision claimed = decide(gathers.next, OrbitClaimed{std::get<Gathering>(gathers.next.phase).claim});
  return decide(claimed.next, MediaOpened{claimed.next.media_question}).next;
}

TEST(Adoption, ReferredCallerThatLeavesIsFollowedByAByeToTheParker) {
  const Decision decision = decide(adopting(Request::kRefer), CallerGone{});
  ASSERT_EQ(decision.actions.size(), 5U);
  EXPECT_EQ(std::get<RefuseReferral>(decision.actions[0]).reason, RefusalReason::kCallerGone);
  EXPECT_TRUE(has<EndPeer>(decision.actions));
  EXPECT_TRUE(std::holds_alternative<Dismiss>(decision.actions.back()));
}

TEST(Adoption, HeldCallerThatLeavesIsFollowedByAByeToTheParker) {
  const Decision decision = decide(adopting(Request::kCall), CallerGone{});
  EXPECT_EQ(std::get<RefuseParkerCall>(decision.actions.front()).reason, RefusalReason::kCallerGone);
  EXPECT_TRUE(has<EndPeer>(decision.actions));
}

TEST(Adoption, CallerThatLeavesAParkGivenUpIsFollowedByAByeToTheParker) {
  const Decision given_up = decide(adopting(Request::kCall), ParkerCallGone{});
  EXPECT_TRUE(has<KeepAdoption>(given_up.actions));
  EXPECT_TRUE(has<EndPeer>(decide(given_up.next, CallerGone{}).actions));
}

TEST(Adoption, ParkRefusedBeforeTheMusicIsOfferedOnlyAnswersTheParker) {
  const Decision gathers = begin(Request::kRefer, {}, ParkerLearnsOrbit::kItself);
  const Question claim = std::get<Gathering>(gathers.next.phase).claim;
  const Decision decision = decide(gathers.next, OrbitRefused{claim, RefusalReason::kOrbitTaken});
  EXPECT_TRUE(has<RefuseReferral>(decision.actions));
  EXPECT_TRUE(has<Dismiss>(decision.actions));
  EXPECT_FALSE(has<EndPeer>(decision.actions));
  EXPECT_FALSE(has<KeepAdoption>(decision.actions));
}

TEST(Adoption, FeatureCallRefusedAfterTheMusicIsOfferedKeepsTheAdoption) {
  const State asked = adopting(Request::kCall);
  const Decision decision = decide(asked, CallerRefused{std::get<Adopting>(asked.phase).offer});
  EXPECT_TRUE(std::holds_alternative<KeepAdoption>(decision.actions[0]));
  EXPECT_EQ(std::get<RefuseParkerCall>(decision.actions[1]).reason, RefusalReason::kNotAcceptable);
}

}  // namespace
}  // namespace callpark::park
