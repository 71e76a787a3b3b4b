// The machine of a request in flight: every kind of request, with every event in every phase.
#include "parkd/service/request_in_flight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/match.h"

namespace callpark::admission {
namespace {

using park::RefusalReason;
using testing::ElementsAre;

constexpr const char* kTenant = "demo";
const Extension kAsker{kTenant, "101"};

// ---- requests ----

AdoptableDialog held_dialog(int since) {
  AdoptableDialog dialog;
  dialog.caller.call_id = "held";
  dialog.hold.since = WallTime(std::chrono::seconds(since));
  return dialog;
}

Request call(std::optional<AdoptableDialog> held = {}, Party caller = kAsker) {
  FeatureCall call;
  call.call = CallId{1};
  call.tenant = kTenant;
  call.caller = std::move(caller);
  call.dialled = "*70";
  call.held = std::move(held);
  return CallRequest{std::move(call)};
}

Request call_by_replaces(Party caller = kAsker, std::optional<AdoptableDialog> held = {}) {
  CallRequest request = std::get<CallRequest>(call(std::move(held), std::move(caller)));
  request.call.takes_place_in = ConversationId{7};
  return request;
}

Referral referral() {
  Referral referral;
  referral.referral = ReferralId{2};
  referral.referrer = kAsker;
  referral.dialled = "104";
  return referral;
}
Request refer_outside() {
  return ReferralRequest{referral()};
}
Request refer_of_party() {
  return PartyRequest{referral(), ConversationId{7}};
}

const std::vector<Request>& all_requests() {
  static const std::vector<Request> kAll{call(),
                                         call(held_dialog(5)),
                                         call({}, Trunk{"trunk"}),
                                         call_by_replaces(),
                                         call_by_replaces(Trunk{"trunk"}),
                                         call_by_replaces(kAsker, held_dialog(5)),
                                         refer_outside(),
                                         refer_of_party()};
  return kAll;
}

// ---- events ----

DialledFacts no_code() {
  return {};
}
DialledFacts code(CodeAction action, const std::string& remainder = "") {
  DialledFacts facts;
  facts.code = DialledFacts::Code{"*70", action, BareCode::kRandomOrbit, "*71"};
  facts.remainder = remainder;
  facts.may_park = facts.may_retrieve = facts.may_set_recall = true;
  facts.language = "fr";
  return facts;
}
DialledFacts menu() {
  DialledFacts facts;
  facts.menu = "700";
  facts.language = "fr";
  return facts;
}
DialledFacts forbidden_code() {
  DialledFacts facts = code(CodeAction::kPark);
  facts.may_park = false;
  return facts;
}

Event looked_up(DialledFacts facts) {
  return LookedUp{std::move(facts)};
}
Event database_away() {
  return LookedUp{failure(StoreUnavailable{})};
}

Surroundings talking(PartyEnd sender = PartyEnd::kPeer) {
  Surroundings now;
  now.activity = Activity::kTalking;
  now.tenant = kTenant;
  now.sender = sender;
  return now;
}
HeldConversation held_conversation(int since, PartyEnd holder = PartyEnd::kPeer) {
  return {ConversationId{7}, Hold{"", WallTime(std::chrono::seconds(since))}, holder};
}

std::vector<Event> all_events() {
  std::vector<Event> events{database_away(),
                            looked_up(no_code()),
                            looked_up(code(CodeAction::kPark)),
                            looked_up(code(CodeAction::kPark, "junk")),
                            looked_up(code(CodeAction::kRetrieve)),
                            looked_up(forbidden_code()),
                            looked_up(menu()),
                            SenderGone{}};
  for (const Activity activity : {Activity::kNone, Activity::kTalking, Activity::kAnnouncing, Activity::kOther}) {
    for (const auto sender :
         {std::optional<PartyEnd>(), std::optional(PartyEnd::kPeer), std::optional(PartyEnd::kCaller)}) {
      for (const bool other_party_gone : {false, true}) {
        for (const auto& held : {std::optional<HeldConversation>(), std::optional(held_conversation(4)),
                                 std::optional(held_conversation(6, PartyEnd::kCaller))}) {
          for (const char* tenant : {kTenant, "other", ""}) {
            for (const bool parks_are_refused : {false, true}) {
              Surroundings now;
              now.activity = activity;
              now.tenant = tenant;
              now.sender = sender;
              now.other_party_gone = other_party_gone;
              now.held = held;
              now.parks_are_refused = parks_are_refused;
              events.emplace_back(Authorised{now});
            }
          }
        }
      }
    }
  }
  return events;
}

// ---- what a decision amounts to ----

std::string name_of(const GrantedCommand& command) {
  return std::visit(
      overloaded{[](const ParkHeld&) { return "ParkHeld"; }, [](const ParkReferred&) { return "ParkReferred"; },
                 [](const ParkAgain& again) {
                   return again.asker == PartyEnd::kPeer ? "ParkAgain by peer" : "ParkAgain by caller";
                 },
                 [](const Transfer& transfer) {
                   return transfer.asker == PartyEnd::kPeer ? "Transfer by peer" : "Transfer by caller";
                 },
                 [](const EndConsultation&) { return "EndConsultation"; },
                 [](const callpark::Retrieve&) { return "Retrieve"; }, [](const TakePlace&) { return "TakePlace"; }},
      command);
}
std::string name_of(const Action& action) {
  return std::visit(
      overloaded{[](const LookUp& look_up) { return "LookUp " + look_up.user + " " + look_up.dialled; },
                 [](const StartFlowCall& flow) { return "StartFlowCall " + flow.call.code; },
                 [](const StartMenuCall& menu) { return "StartMenuCall " + menu.call.number; },
                 [](const Authorise&) { return std::string("Authorise"); },
                 [](const Execute& execute) { return name_of(execute.command); },
                 [](const AskBilling&) { return std::string("AskBilling"); },
                 [](const Ring&) { return std::string("Ring"); }, [](const Deny&) { return std::string("Deny"); },
                 [](const ReleaseHeld&) { return std::string("ReleaseHeld"); },
                 [](const RefuseCall& refusal) {
                   return "RefuseCall " + std::to_string(static_cast<int>(refusal.reason)) + " " + refusal.language;
                 },
                 [](const RefuseReferral& refusal) {
                   return "RefuseReferral " + std::to_string(static_cast<int>(refusal.reason));
                 },
                 [](const DeclineCall&) { return std::string("DeclineCall"); }},
      action);
}
std::string refused_call(RefusalReason reason, const std::string& language = "fr") {
  return "RefuseCall " + std::to_string(static_cast<int>(reason)) + " " + language;
}
std::string refused_referral(RefusalReason reason) {
  return "RefuseReferral " + std::to_string(static_cast<int>(reason));
}

/// The names of all actions from the request on, and the last phase.
struct Outcome {
  std::vector<std::string> actions;
  std::string phase;
};
Outcome outcome_of(const Request& request, const std::vector<Event>& events) {
  Outcome outcome;
  Decision decision = begin(request);
  const auto note = [&] {
    for (const Action& action : decision.actions) outcome.actions.push_back(name_of(action));
  };
  note();
  for (const Event& event : events) {
    decision = decide(request, decision.next, event);
    note();
  }
  outcome.phase = name_of(decision.next);
  return outcome;
}
/// The actions that follow when the number is understood so and permission is given so.
std::vector<std::string> granted(const Request& request, DialledFacts facts, Surroundings now) {
  const Phase understood = decide(request, begin(request).next, looked_up(std::move(facts))).next;
  std::vector<std::string> names;
  for (const Action& action : decide(request, understood, Authorised{std::move(now)}).actions) {
    names.push_back(name_of(action));
  }
  return names;
}

// ---- every request, every event, every phase ----

bool is_answer(const Action& action) {
  return std::holds_alternative<Execute>(action) || std::holds_alternative<StartMenuCall>(action) ||
         std::holds_alternative<RefuseCall>(action) || std::holds_alternative<RefuseReferral>(action) ||
         std::holds_alternative<DeclineCall>(action);
}

/// Follows every sequence of events, and counts the answers on the way to each phase.
void explore(const Request& request, const Decision& decision, int answers, const std::vector<Event>& events,
             std::map<std::string, int>& seen) {
  for (const Action& action : decision.actions) answers += is_answer(action) ? 1 : 0;
  const std::string phase(name_of(decision.next));
  ++seen[phase];
  ASSERT_EQ(answers, phase == "Granted" || phase == "Refused" ? 1 : 0) << phase;
  for (const Event& event : events) {
    const Decision next = decide(request, decision.next, event);
    const bool is_same_phase = next.next.index() == decision.next.index();
    ASSERT_TRUE(is_same_phase || !is_over(decision.next)) << "a late event changes nothing";
    if (is_same_phase) {
      ASSERT_TRUE(next.actions.empty()) << phase;
    } else {
      explore(request, next, answers, events, seen);
    }
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(RequestInFlight, EveryRequestEndsInOneAnswerOrWithdrawn) {
  const std::vector<Event> events = all_events();
  std::map<std::string, int> seen;
  for (const Request& request : all_requests()) {
    explore(request, begin(request), 0, events, seen);
    if (HasFatalFailure()) return;
  }
  for (const char* phase : {"LookingUp", "Authorising", "Granted", "Refused", "Withdrawn"}) EXPECT_GT(seen[phase], 0);
}

TEST(RequestInFlight, X46_AReferThatCanOnlyParkIsRefusedBeforeItIsLookedUp) {
  const Decision decision = begin(refer_outside(), true);
  ASSERT_EQ(decision.actions.size(), 1U);
  EXPECT_EQ(name_of(decision.actions[0]), refused_referral(RefusalReason::kOverloaded));
  EXPECT_EQ(name_of(decision.next), "Refused");
  EXPECT_EQ(name_of(begin(refer_of_party(), true).next), "LookingUp") << "it may be an ordinary transfer";
  EXPECT_EQ(name_of(begin(call(), true).next), "LookingUp") << "it may be a retrieve";
}

TEST(RequestInFlight, X46_OverloadRefusesParksAndNothingElse) {
  Surroundings now = talking();
  now.parks_are_refused = true;
  EXPECT_THAT(granted(call(held_dialog(5)), code(CodeAction::kPark), now),
              ElementsAre(refused_call(RefusalReason::kOverloaded)));
  EXPECT_THAT(granted(refer_of_party(), code(CodeAction::kPark), now),
              ElementsAre(refused_referral(RefusalReason::kOverloaded)));
  EXPECT_THAT(granted(call(), code(CodeAction::kRetrieve), now), ElementsAre("Retrieve"));
  EXPECT_THAT(granted(refer_of_party(), no_code(), now), ElementsAre("Transfer by peer"));
  EXPECT_THAT(granted(call_by_replaces(), no_code(), now), testing::Contains("TakePlace"));
  now.activity = Activity::kAnnouncing;
  EXPECT_THAT(granted(refer_of_party(), code(CodeAction::kPark), now), ElementsAre("EndConsultation"))
      << "that park is complete";
}

TEST(RequestInFlight, RequestIsLookedUpAndThenAuthorised) {
  const Outcome outcome = outcome_of(call(held_dialog(5)), {looked_up(code(CodeAction::kPark))});
  EXPECT_THAT(outcome.actions, ElementsAre("LookUp 101 *70", "Authorise"));
  EXPECT_EQ(outcome.phase, "Authorising");
}

TEST(RequestInFlight, TrunkIsLookedUpWithoutAnExtension) {
  EXPECT_THAT(outcome_of(call({}, Trunk{"trunk"}), {}).actions, ElementsAre("LookUp  *70"));
}

TEST(RequestInFlight, LookUpThatFailsRefusesEachKindOfRequest) {
  EXPECT_EQ(outcome_of(call(), {database_away()}).actions.back(), refused_call(RefusalReason::kUnavailable, ""));
  EXPECT_EQ(outcome_of(refer_outside(), {database_away()}).actions.back(),
            refused_referral(RefusalReason::kUnavailable));
  EXPECT_EQ(outcome_of(refer_of_party(), {database_away()}).actions.back(),
            refused_referral(RefusalReason::kUnavailable));
}

TEST(RequestInFlight, RefusedCallHearsItsLanguage) {
  EXPECT_EQ(outcome_of(call(), {looked_up(forbidden_code())}).actions.back(),
            refused_call(RefusalReason::kNotPermitted));
}

// ---- withdrawn ----

TEST(RequestInFlight, CallThatEndsIsWithdrawnInEachPhase) {
  EXPECT_EQ(outcome_of(call(), {SenderGone{}}).phase, "Withdrawn");
  EXPECT_EQ(outcome_of(call(), {looked_up(code(CodeAction::kRetrieve)), SenderGone{}}).phase, "Withdrawn");
  EXPECT_EQ(outcome_of(call_by_replaces(), {SenderGone{}}).phase, "Withdrawn");
}

TEST(RequestInFlight, ReferCountsAfterTheByeOfItsSender) {
  EXPECT_EQ(outcome_of(refer_outside(), {SenderGone{}}).phase, "LookingUp");
  const Outcome party = outcome_of(
      refer_of_party(), {SenderGone{}, looked_up(code(CodeAction::kPark)), SenderGone{}, Authorised{talking()}});
  EXPECT_EQ(party.actions.back(), "ParkAgain by peer");
}

// ---- menus ----

TEST(RequestInFlight, F6_ACallToAMenuGoesThereAndNeedsNoPermission) {
  for (const Party& caller : {Party(kAsker), Party(Trunk{"trunk"})}) {
    Request request = call({}, caller);
    std::get<CallRequest>(request).call.dialled_first = "+442030000700";
    const Decision decision = decide(request, begin(request).next, looked_up(menu()));
    ASSERT_EQ(decision.actions.size(), 1U);
    const auto& started = std::get<StartMenuCall>(decision.actions.front()).call;
    EXPECT_EQ(started.call, CallId{1});
    EXPECT_EQ(started.tenant, kTenant);
    EXPECT_EQ(started.caller, caller);
    EXPECT_EQ(started.number, "700");
    EXPECT_EQ(started.dialled, "+442030000700");
    EXPECT_EQ(started.language, "fr");
    EXPECT_EQ(name_of(decision.next), "Granted");
  }
  EXPECT_THAT(outcome_of(call(held_dialog(5)), {looked_up(menu())}).actions,
              ElementsAre("LookUp 101 *70", "ReleaseHeld", "StartMenuCall 700"));
}

TEST(RequestInFlight, F6_ATransferToAMenuIsAnOrdinaryOne) {
  EXPECT_THAT(granted(refer_of_party(), menu(), talking()), ElementsAre("Transfer by peer"));
  DialledFacts facts = code(CodeAction::kPark);
  facts.menu = "700";
  EXPECT_THAT(granted(refer_of_party(), facts, talking()), ElementsAre("Transfer by peer")) << "a code begins it";
  EXPECT_EQ(outcome_of(refer_outside(), {looked_up(menu())}).actions.back(),
            refused_referral(RefusalReason::kInvalidCode));
}

// ---- feature calls ----

TEST(RequestInFlight, CallToAParkCodeParksTheHeldCall) {
  EXPECT_THAT(granted(call(held_dialog(5)), code(CodeAction::kPark), {}), ElementsAre("ParkHeld"));
}

TEST(RequestInFlight, CallWithoutAHeldCallIsRefused) {
  EXPECT_THAT(granted(call(), code(CodeAction::kPark), {}), ElementsAre(refused_call(RefusalReason::kNoHeldCall)));
}

TEST(RequestInFlight, S7_CallParksTheConversationThatWasHeldLast) {
  Surroundings now;
  now.held = held_conversation(6, PartyEnd::kCaller);
  EXPECT_THAT(granted(call(held_dialog(5)), code(CodeAction::kPark), now),
              ElementsAre("ReleaseHeld", "ParkAgain by caller"));
  now.held = held_conversation(4);
  EXPECT_THAT(granted(call(held_dialog(5)), code(CodeAction::kPark), now), ElementsAre("ParkHeld"));
  EXPECT_THAT(granted(call(), code(CodeAction::kPark), now), ElementsAre("ReleaseHeld", "ParkAgain by peer"));
}

TEST(RequestInFlight, CallToARetrieveCodeRetrieves) {
  EXPECT_THAT(granted(call({}, Trunk{"trunk"}), code(CodeAction::kRetrieve, "105"), {}), ElementsAre("Retrieve"));
}

TEST(RequestInFlight, S12_CallByReplacesTakesThePlaceWithoutALookUp) {
  EXPECT_THAT(outcome_of(call_by_replaces(), {Authorised{talking()}}).actions, ElementsAre("Authorise", "TakePlace"));
  EXPECT_THAT(outcome_of(call_by_replaces(kAsker, held_dialog(5)), {Authorised{talking()}}).actions,
              ElementsAre("Authorise", "ReleaseHeld", "TakePlace"));
}

TEST(RequestInFlight, S11_CallByReplacesIsDeclinedOutsideItsTenantOrATalk) {
  Surroundings other_tenant = talking();
  other_tenant.tenant = "other";
  EXPECT_EQ(outcome_of(call_by_replaces(), {Authorised{other_tenant}}).actions.back(), "DeclineCall");
  EXPECT_EQ(outcome_of(call_by_replaces(Trunk{"trunk"}), {Authorised{talking()}}).actions.back(), "DeclineCall");
  Surroundings parked = talking();
  parked.activity = Activity::kOther;
  EXPECT_EQ(outcome_of(call_by_replaces(), {Authorised{parked}}).actions.back(), "DeclineCall");
}

// ---- REFERs ----

TEST(RequestInFlight, ReferToAParkCodeParks) {
  EXPECT_THAT(granted(refer_outside(), code(CodeAction::kPark), {}), ElementsAre("ParkReferred"));
}

TEST(RequestInFlight, S11_ReferToARetrieveCodeIsRefused) {
  EXPECT_EQ(outcome_of(refer_outside(), {looked_up(code(CodeAction::kRetrieve))}).actions.back(),
            refused_referral(RefusalReason::kInvalidCode));
  EXPECT_EQ(outcome_of(refer_of_party(), {looked_up(code(CodeAction::kRetrieve))}).actions.back(),
            refused_referral(RefusalReason::kInvalidCode));
}

TEST(RequestInFlight, ReferOutsideToNoCodeIsRefused) {
  EXPECT_EQ(outcome_of(refer_outside(), {looked_up(no_code())}).actions.back(),
            refused_referral(RefusalReason::kInvalidCode));
}

TEST(RequestInFlight, ReferOfEitherPartyParksTheOther) {
  for (const PartyEnd sender : {PartyEnd::kPeer, PartyEnd::kCaller}) {
    EXPECT_THAT(granted(refer_of_party(), code(CodeAction::kPark), talking(sender)),
                ElementsAre(sender == PartyEnd::kPeer ? "ParkAgain by peer" : "ParkAgain by caller"));
  }
}

TEST(RequestInFlight, ReferOfEitherPartyToNoCodeTransfersTheOther) {
  for (const PartyEnd sender : {PartyEnd::kPeer, PartyEnd::kCaller}) {
    EXPECT_THAT(granted(refer_of_party(), no_code(), talking(sender)),
                ElementsAre(sender == PartyEnd::kPeer ? "Transfer by peer" : "Transfer by caller"));
  }
}

TEST(RequestInFlight, ReferToNoCodeOutsideATalkIsRefused) {
  Surroundings now = talking();
  now.activity = Activity::kAnnouncing;
  EXPECT_THAT(granted(refer_of_party(), no_code(), now), ElementsAre(refused_referral(RefusalReason::kInvalidCode)));
}

TEST(RequestInFlight, P5_ReferOfTheParkerDuringTheAnnouncementEndsIt) {
  Surroundings now = talking();
  now.activity = Activity::kAnnouncing;
  EXPECT_THAT(granted(refer_of_party(), code(CodeAction::kPark), now), ElementsAre("EndConsultation"));
  now.sender = PartyEnd::kCaller;
  EXPECT_THAT(granted(refer_of_party(), code(CodeAction::kPark), now),
              ElementsAre(refused_referral(RefusalReason::kUnavailable)));
}

TEST(RequestInFlight, ReferToAnEarlierPeerIsRefused) {
  Surroundings now = talking();
  now.sender.reset();
  EXPECT_THAT(granted(refer_of_party(), code(CodeAction::kPark), now),
              ElementsAre(refused_referral(RefusalReason::kUnavailable)));
  EXPECT_THAT(granted(refer_of_party(), no_code(), now), ElementsAre(refused_referral(RefusalReason::kUnavailable)));
}

TEST(RequestInFlight, ReferIsRefusedIfTheOtherPartyHasHungUp) {
  Surroundings now = talking();
  now.other_party_gone = true;
  EXPECT_THAT(granted(refer_of_party(), code(CodeAction::kPark), now),
              ElementsAre(refused_referral(RefusalReason::kCallerGone)));
}

// ---- the terms of a park ----

TEST(RequestInFlight, R7_PermittedRequestSetsTheRecallTimeOfItsPark) {
  for (const bool may_set_recall : {false, true}) {
    ReferralRequest request = std::get<ReferralRequest>(refer_outside());
    request.referral.recall_after_seconds = 30;
    DialledFacts facts = code(CodeAction::kPark);
    facts.may_set_recall = may_set_recall;
    const Phase understood = decide(request, LookingUp{}, looked_up(facts)).next;
    const auto& terms = std::get<Authorising::Park>(std::get<Authorising>(understood).intent).terms;
    EXPECT_EQ(terms.recall.after_seconds, may_set_recall ? 30 : 90);
    EXPECT_EQ(terms.parker, kAsker);
  }
}

}  // namespace
}  // namespace callpark::admission
