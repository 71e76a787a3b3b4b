#include "parkd/service/park_terms.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "parkd/service/dialled_code.h"

namespace callpark {

ParkTerms terms_of(const DialledFacts& facts, const Extension& parker, OrbitRequest orbit,
                   std::optional<int> recall_after_seconds) {
  ParkTerms terms;
  terms.parker = parker;
  terms.music_class = facts.music_class;
  terms.park_seconds_max = facts.park_seconds_max;
  terms.recall = facts.recall;
  if (recall_after_seconds && facts.may_set_recall) terms.recall.after_seconds = *recall_after_seconds;
  terms.language = facts.language;
  const bool is_retrieved_by_number = facts.range || (facts.code && !facts.code->retrieve_code.empty());
  if (is_retrieved_by_number) terms.retrieve_code = dialled_to_retrieve(facts, "");
  // A parker that names orbits knows where to look for its call.
  const bool parker_named_orbits = !orbit.orbits.empty();
  terms.learns_orbit = parker_named_orbits || !facts.calls_back ? park::ParkerLearnsOrbit::kItself
                                                                : park::ParkerLearnsOrbit::kByCallBack;
  terms.call_back_shows_orbit = facts.call_back_shows_orbit;
  terms.orbit = std::move(orbit);
  return terms;
}

void restrict_terms(ParkTerms& terms, const BillingTerms& permitted) {
  if (permitted.park_seconds_max)
    terms.park_seconds_max = std::min(terms.park_seconds_max, *permitted.park_seconds_max);
  if (!permitted.fallback_destination.empty()) terms.recall.fallback_destination = permitted.fallback_destination;
  terms.shown_name = permitted.shown_name;
}

Stay propose_stay(const ParkTerms& terms, const DialogSnapshot& caller, WallTime now) {
  Stay stay;
  stay.parker = terms.parker.number;
  stay.park_group = terms.orbit.park_group;
  stay.music_class = terms.music_class;
  stay.parked_at = now;
  stay.deadline = now + std::chrono::seconds(terms.park_seconds_max);
  stay.recall = terms.recall;
  stay.recall_deadline = now + std::chrono::seconds(terms.recall.after_seconds);
  stay.caller = caller.remote_identity;
  stay.shown_name = terms.shown_name;
  if (!stay.shown_name.empty()) stay.caller.name = stay.shown_name;
  stay.sip_call_id = caller.call_id;
  return stay;
}

}  // namespace callpark
