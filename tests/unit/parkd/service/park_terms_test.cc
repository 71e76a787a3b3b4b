#include "parkd/service/park_terms.h"

#include <gtest/gtest.h>

namespace callpark {
namespace {

using park::ParkerLearnsOrbit;
using std::chrono::seconds;

const Extension kParker{"demo", "101"};

DialledFacts facts_of_code(const std::string& retrieve_code) {
  DialledFacts facts;
  facts.code = DialledFacts::Code{"*70", CodeAction::kPark, BareCode::kRandomOrbit, retrieve_code};
  facts.music_class = "jazz";
  facts.park_seconds_max = 600;
  facts.recall.after_seconds = 77;
  return facts;
}
OrbitRequest named_orbit() {
  OrbitRequest request;
  request.orbits = {"105"};
  request.park_group = "sales";
  return request;
}

TEST(ParkTerms, ParkerThatNamesTheOrbitIsNotCalledBack) {
  EXPECT_EQ(terms_of(facts_of_code("*71"), kParker, named_orbit(), {}).learns_orbit, ParkerLearnsOrbit::kItself);
}

TEST(ParkTerms, ParkerAtAChosenOrbitIsCalledBackUnlessTurnedOff) {
  DialledFacts facts = facts_of_code("*71");
  EXPECT_EQ(terms_of(facts, kParker, {}, {}).learns_orbit, ParkerLearnsOrbit::kByCallBack);
  facts.calls_back = false;
  EXPECT_EQ(terms_of(facts, kParker, {}, {}).learns_orbit, ParkerLearnsOrbit::kItself);
}

TEST(ParkTerms, RetrieveCodeIsThatOfTheParkCode) {
  EXPECT_EQ(terms_of(facts_of_code("*71"), kParker, {}, {}).retrieve_code, "*71");
  EXPECT_EQ(terms_of(facts_of_code(""), kParker, {}, {}).retrieve_code, std::nullopt);
}

TEST(ParkTerms, OrbitOfARangeRetrievesByItself) {
  DialledFacts facts;
  facts.range = OrbitRange{"700", "709"};
  EXPECT_EQ(terms_of(facts, kParker, {}, {}).retrieve_code, "");
}

TEST(ParkTerms, StayIsProposedForTheCallerFromNowOn) {
  const WallTime now{seconds(1000)};
  DialogSnapshot caller;
  caller.call_id = "call-1";
  caller.remote_identity = {"Client", "+4420"};
  const Stay stay = propose_stay(terms_of(facts_of_code("*71"), kParker, named_orbit(), {}), caller, now);
  EXPECT_EQ(stay.parker, "101");
  EXPECT_EQ(stay.orbit, "") << "it is still to be claimed";
  EXPECT_EQ(stay.park_group, "sales");
  EXPECT_EQ(stay.music_class, "jazz");
  EXPECT_EQ(stay.parked_at, now);
  EXPECT_EQ(stay.deadline, now + seconds(600));
  EXPECT_EQ(stay.recall_deadline, now + seconds(77));
  EXPECT_EQ(stay.retriever, std::nullopt);
  EXPECT_EQ(stay.caller, (PartyIdentity{"Client", "+4420"}));
  EXPECT_EQ(stay.sip_call_id, "call-1");
}

}  // namespace
}  // namespace callpark
