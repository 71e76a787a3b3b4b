// The machine of a request in flight if the billing system is asked: every kind of request, with every event in every
// phase.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/match.h"
#include "parkd/service/request_in_flight.h"

namespace callpark::admission {
namespace {

using park::RefusalReason;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kTenant = "demo";
const Extension kAsker{kTenant, "101"};
const WallTime kNow{seconds(1000)};

// ---- requests ----

DialogSnapshot caller(const std::string& sip_call_id) {
  DialogSnapshot caller;
  caller.call_id = sip_call_id;
  caller.remote_identity = {"Client", "+390212345"};
  caller.remote_party = Trunk{"carrier"};
  return caller;
}

Request call(const std::string& held = "", Party asker = kAsker) {
  FeatureCall call;
  call.call = CallId{1};
  call.tenant = kTenant;
  call.caller = std::move(asker);
  call.dialled = "*70";
  if (!held.empty()) call.held = AdoptableDialog{caller(held), {}, Hold{"", WallTime(seconds(5))}};
  return CallRequest{std::move(call)};
}
Request call_by_replaces() {
  CallRequest request = std::get<CallRequest>(call());
  request.call.takes_place_in = ConversationId{7};
  return request;
}
Referral referral() {
  Referral referral;
  referral.referral = ReferralId{2};
  referral.referrer = kAsker;
  referral.dialled = "104";
  referral.dialog.caller = caller("referred");
  return referral;
}
Request refer_outside() {
  return ReferralRequest{referral()};
}
Request refer_of_party() {
  return PartyRequest{referral(), ConversationId{7}};
}

// ---- events ----

DialledFacts code(CodeAction action, bool is_asked = true) {
  DialledFacts facts;
  facts.code = DialledFacts::Code{"*70", action, BareCode::kOwnExtension, "*71"};
  facts.may_park = facts.may_retrieve = true;
  facts.language = "fr";
  facts.park_seconds_max = 600;
  facts.billing = BillingHook{};
  facts.billing->url = "https://billing.example/hook";
  facts.billing->asks_park = facts.billing->asks_retrieve = is_asked;
  return facts;
}
Event looked_up(CodeAction action) {
  return LookedUp{code(action)};
}

BilledCall parked(const std::string& park_id) {
  BilledCall call;
  call.park_id = ParkId(park_id);
  call.sip_call_id = "parked";
  call.parked_at = kNow;
  return call;
}
HeldConversation held_conversation(int since) {
  return {ConversationId{7}, Hold{"", WallTime(seconds(since))}, PartyEnd::kPeer};
}
Surroundings surroundings(const std::string& new_park_id = "new") {
  Surroundings now;
  now.at = kNow;
  now.new_park_id = ParkId(new_park_id);
  return now;
}
Surroundings talking(const std::string& party = "party") {
  Surroundings now = surroundings();
  now.activity = Activity::kTalking;
  now.tenant = kTenant;
  now.sender = PartyEnd::kPeer;
  now.parkable = {ParkId("again"), caller(party)};
  return now;
}

BillingVerdict permitted(BillingTerms terms = {}) {
  return BillingPermitted{std::move(terms)};
}
BillingVerdict denied() {
  return BillingDenied{402, "Insufficient funds", "not_permitted", "Your balance is 0."};
}

std::vector<Event> all_events() {
  std::vector<Event> events{
      LookedUp{failure(StoreUnavailable{})}, LookedUp{DialledFacts{}},         LookedUp{code(CodeAction::kPark, false)},
      looked_up(CodeAction::kPark),          looked_up(CodeAction::kRetrieve), SenderGone{},
      BillingAnswered{permitted()},          BillingAnswered{denied()}};
  for (const Activity activity : {Activity::kNone, Activity::kTalking, Activity::kAnnouncing}) {
    for (const bool has_call : {false, true}) {
      for (const int held_since : {0, 4, 6}) {
        for (const std::string party : {"party", "another"}) {
          Surroundings now = talking(party);
          now.activity = activity;
          if (!has_call) now.parkable.reset();
          if (has_call) now.to_retrieve = parked(party);
          if (held_since != 0) now.held = held_conversation(held_since);
          now.parks_are_refused = held_since == 6 && !has_call;
          events.emplace_back(Authorised{now});
        }
      }
    }
  }
  return events;
}

// ---- what a decision amounts to ----

/// The name of the call that a command parks or wins, "any" of a retrieve that may win any; else nothing.
std::optional<std::string> parked_or_won(const GrantedCommand& command) {
  const auto new_one = [](const auto& park) { return std::optional(park.park_id.text()); };
  return std::visit(overloaded{[&](const ParkHeld& park) { return new_one(park); },
                               [&](const ParkReferred& park) { return new_one(park); },
                               [](const ParkAgain&) { return std::optional<std::string>("again"); },
                               [](const callpark::Retrieve& retrieve) {
                                 const auto& only = retrieve.request.only;
                                 return std::optional(only ? only->text() : "any");
                               },
                               [](const auto&) { return std::optional<std::string>(); }},
                    command);
}

std::string name_of(const Action& action) {
  return std::visit(
      overloaded{
          [](const LookUp&) { return std::string("LookUp"); },
          [](const StartFlowCall&) { return std::string("StartFlowCall"); },
          [](const StartMenuCall&) { return std::string("StartMenuCall"); },
          [](const Authorise&) { return std::string("Authorise"); },
          [](const Execute& execute) { return "Execute " + parked_or_won(execute.command).value_or("something else"); },
          [](const AskBilling& ask) { return "AskBilling about " + ask.question.call.park_id.text(); },
          [](const Ring&) { return std::string("Ring"); },
          [](const ReleaseHeld&) { return std::string("ReleaseHeld"); },
          [](const RefuseCall& refusal) {
            return "RefuseCall " + std::to_string(static_cast<int>(refusal.reason)) + " " + refusal.language;
          },
          [](const RefuseReferral& refusal) {
            return "RefuseReferral " + std::to_string(static_cast<int>(refusal.reason));
          },
          [](const Deny& deny) {
            return "Deny " + std::to_string(deny.denial.status) + " " + deny.language + " to " +
                   (deny.asker ? deny.asker->number : "a trunk");
          },
          [](const DeclineCall&) { return std::string("DeclineCall"); }},
      action);
}
std::string refused_call(RefusalReason reason) {
  return "RefuseCall " + std::to_string(static_cast<int>(reason)) + " fr";
}
std::string refused_referral(RefusalReason reason) {
  return "RefuseReferral " + std::to_string(static_cast<int>(reason));
}

/// One request, and the names of the actions that followed the last event.
class Asking {
 public:
  explicit Asking(Request request) : request_(std::move(request)), decision_(begin(request_)) {}

  std::vector<std::string> feed(const Event& event) {
    decision_ = decide(request_, decision_.next, event);
    std::vector<std::string> names;
    for (const Action& action : decision_.actions) names.push_back(name_of(action));
    return names;
  }
  std::string_view phase() const { return name_of(decision_.next); }
  template <class T>
  const T& action() const {
    return std::get<T>(decision_.actions.back());
  }

 private:
  Request request_;
  Decision decision_;
};

// ---- every request, every event, every phase ----

struct Path {
  int answers = 0;
  std::optional<std::string> asked;  // the call that the billing system was asked about
  bool is_permitted = false;
  bool may_ask = false;  // the tenant has a hook that is asked
};

class Explorer {
 public:
  std::map<std::string, int> seen;

  void explore(const Request& request, const Decision& decision, Path path) {
    const std::string phase(name_of(decision.next));
    ++seen[phase];
    for (const Action& action : decision.actions) follow(action, path);
    ASSERT_EQ(path.answers, phase == "Granted" || phase == "Refused" ? 1 : 0) << phase;
    for (const Event& event : events_) {
      const Decision next = decide(request, decision.next, event);
      if (next.next.index() == decision.next.index()) {
        ASSERT_THAT(next.actions, IsEmpty()) << phase;
        continue;
      }
      ASSERT_FALSE(is_over(decision.next)) << "a late event changes nothing";
      Path further = path;
      if (const auto* looked_up = std::get_if<LookedUp>(&event)) further.may_ask = may_ask(*looked_up);
      if (const auto* answered = std::get_if<BillingAnswered>(&event)) {
        further.is_permitted = std::holds_alternative<BillingPermitted>(answered->verdict);
      }
      explore(request, next, further);
      if (testing::Test::HasFatalFailure()) return;
    }
  }

 private:
  static bool may_ask(const LookedUp& event) {
    return event.facts && event.facts->billing && event.facts->billing->asks_park;
  }
  static void follow(const Action& action, Path& path) {
    if (const auto* ask = std::get_if<AskBilling>(&action)) {
      ASSERT_TRUE(path.may_ask);
      ASSERT_FALSE(path.asked) << "asked twice";
      path.asked = ask->question.call.park_id.text();
    }
    if (const auto* execute = std::get_if<Execute>(&action)) {
      const auto call = parked_or_won(execute->command);
      if (path.may_ask && call && *call != "") {
        ASSERT_TRUE(path.is_permitted) << "parked or won without permission";
        ASSERT_EQ(path.asked, call) << "another call was permitted";
      }
    }
    const bool is_answer = std::holds_alternative<Execute>(action) || std::holds_alternative<RefuseCall>(action) ||
                           std::holds_alternative<RefuseReferral>(action) || std::holds_alternative<Deny>(action) ||
                           std::holds_alternative<DeclineCall>(action);
    path.answers += is_answer ? 1 : 0;
  }

  const std::vector<Event> events_ = all_events();
};

TEST(RequestInFlightBilling, B1_EveryRequestEndsInOneAnswerAndParksOnlyWhatIsPermitted) {
  Explorer explorer;
  for (const Request& request :
       {call(), call("held"), call("", Trunk{"carrier"}), call_by_replaces(), refer_outside(), refer_of_party()}) {
    explorer.explore(request, begin(request), {});
    if (HasFatalFailure()) return;
  }
  for (const char* phase : {"LookingUp", "Authorising", "AskingBilling", "Granted", "Refused", "Withdrawn"}) {
    EXPECT_GT(explorer.seen[phase], 0) << phase;
  }
}

// ---- a park ----

TEST(RequestInFlightBilling, B1_CallThatParksIsAskedAboutAndRingsMeanwhile) {
  Asking run(call("held"));
  EXPECT_THAT(run.feed(looked_up(CodeAction::kPark)), ElementsAre("Authorise"));
  EXPECT_THAT(run.feed(Authorised{surroundings()}), ElementsAre("Ring", "AskBilling about new"));
  const BillingQuestion& question = run.action<AskBilling>().question;
  EXPECT_EQ(question.event, BillingEvent::kPark);
  EXPECT_EQ(question.tenant, kTenant);
  EXPECT_EQ(question.call.sip_call_id, "held");
  EXPECT_EQ(question.call.parker, "101");
  EXPECT_EQ(question.call.orbit, "101");
  EXPECT_EQ(question.call.caller, (PartyIdentity{"Client", "+390212345"}));
  EXPECT_EQ(question.call.party, Party(Trunk{"carrier"}));
  EXPECT_EQ(question.call.deadline, kNow + seconds(600));
  EXPECT_EQ(question.retriever, "");
  EXPECT_EQ(question.hook.url, "https://billing.example/hook");
  EXPECT_THAT(run.feed(BillingAnswered{permitted()}), ElementsAre("Authorise"));
  EXPECT_THAT(run.feed(Authorised{surroundings("newer")}), ElementsAre("Execute new"));
}

TEST(RequestInFlightBilling, B1_ReferThatParksIsAskedAbout) {
  Asking run(refer_outside());
  run.feed(looked_up(CodeAction::kPark));
  EXPECT_THAT(run.feed(Authorised{surroundings()}), ElementsAre("AskBilling about new"));
  run.feed(BillingAnswered{permitted()});
  EXPECT_THAT(run.feed(Authorised{surroundings("newer")}), ElementsAre("Execute new"));
}

TEST(RequestInFlightBilling, B1_CallThatIsParkedAgainIsAskedAboutByItsName) {
  Asking run(refer_of_party());
  run.feed(looked_up(CodeAction::kPark));
  EXPECT_THAT(run.feed(Authorised{talking()}), ElementsAre("AskBilling about again"));
  EXPECT_EQ(run.action<AskBilling>().question.call.sip_call_id, "party");
  run.feed(BillingAnswered{permitted()});
  EXPECT_THAT(run.feed(Authorised{talking()}), ElementsAre("Execute again"));
}

TEST(RequestInFlightBilling, B1_NothingIsAskedIfTheTenantDoesNotWantIt) {
  Asking run(call("held"));
  run.feed(LookedUp{code(CodeAction::kPark, false)});
  EXPECT_THAT(run.feed(Authorised{surroundings()}), ElementsAre("Execute new"));
}

TEST(RequestInFlightBilling, B1_WhatIsRefusedAnywayIsNotAskedAbout) {
  Asking without_call(call());
  without_call.feed(looked_up(CodeAction::kPark));
  EXPECT_THAT(without_call.feed(Authorised{surroundings()}), ElementsAre(refused_call(RefusalReason::kNoHeldCall)));
  Asking overloaded(call("held"));
  overloaded.feed(looked_up(CodeAction::kPark));
  Surroundings now = surroundings();
  now.parks_are_refused = true;
  EXPECT_THAT(overloaded.feed(Authorised{now}), ElementsAre(refused_call(RefusalReason::kOverloaded)));
}

TEST(RequestInFlightBilling, B1_EndOfAConsultationIsNotAskedAbout) {
  Asking run(refer_of_party());
  run.feed(looked_up(CodeAction::kPark));
  Surroundings now = talking();
  now.activity = Activity::kAnnouncing;
  EXPECT_THAT(run.feed(Authorised{now}), ElementsAre("Execute something else"));
}

TEST(RequestInFlightBilling, B1_AnotherCallThanThePermittedOneIsNotParked) {
  Asking run(call("held"));
  run.feed(looked_up(CodeAction::kPark));
  run.feed(Authorised{surroundings()});
  run.feed(BillingAnswered{permitted()});
  Surroundings now = talking();
  now.held = held_conversation(6);  // held after the call was dialled
  EXPECT_THAT(run.feed(Authorised{now}), ElementsAre(refused_call(RefusalReason::kUnavailable)));
  Asking again(refer_of_party());
  again.feed(looked_up(CodeAction::kPark));
  again.feed(Authorised{talking()});
  again.feed(BillingAnswered{permitted()});
  EXPECT_THAT(again.feed(Authorised{talking("another")}), ElementsAre(refused_referral(RefusalReason::kUnavailable)));
}

TEST(RequestInFlightBilling, B1_CallerThatHangsUpMeanwhileEndsThePark) {
  Asking run(refer_of_party());
  run.feed(looked_up(CodeAction::kPark));
  run.feed(Authorised{talking()});
  run.feed(BillingAnswered{permitted()});
  Surroundings now = talking();
  now.other_party_gone = true;
  EXPECT_THAT(run.feed(Authorised{now}), ElementsAre(refused_referral(RefusalReason::kCallerGone)));
}

// ---- its terms ----

TEST(RequestInFlightBilling, B2_PermittedParkHasTheTermsOfTheAnswer) {
  Asking run(call("held"));
  run.feed(looked_up(CodeAction::kPark));
  run.feed(Authorised{surroundings()});
  run.feed(BillingAnswered{permitted({60, "Gold", "+39021111"})});
  run.feed(Authorised{surroundings()});
  const ParkTerms& terms = std::get<ParkHeld>(run.action<Execute>().command).terms;
  EXPECT_EQ(terms.park_seconds_max, 60);
  EXPECT_EQ(terms.shown_name, "Gold");
  EXPECT_EQ(terms.recall.fallback_destination, "+39021111");
}

TEST(RequestInFlightBilling, B2_AnswerDoesNotProlongWhatTheTenantPermits) {
  Asking run(call("held"));
  run.feed(looked_up(CodeAction::kPark));
  run.feed(Authorised{surroundings()});
  run.feed(BillingAnswered{permitted({86400, "", ""})});
  run.feed(Authorised{surroundings()});
  EXPECT_EQ(std::get<ParkHeld>(run.action<Execute>().command).terms.park_seconds_max, 600);
}

TEST(RequestInFlightBilling, B4_GrantedParkAndRetrieveHaveTheTimeOfTheQuestionAndWhatTheHookSaid) {
  for (const std::string failure : {"", "timeout"}) {
    const BillingVerdict verdict = BillingPermitted{{}, failure};
    const std::optional<HookPermission> permission = HookPermission{kNow, failure};
    Surroundings later = surroundings();
    later.at = kNow + seconds(2);
    later.to_retrieve = parked("first");
    Asking park(call("held"));
    park.feed(looked_up(CodeAction::kPark));
    park.feed(Authorised{surroundings()});
    park.feed(BillingAnswered{verdict});
    park.feed(Authorised{later});
    EXPECT_EQ(std::get<ParkHeld>(park.action<Execute>().command).terms.permission, permission);
    Asking retrieve(call());
    Surroundings now = surroundings();
    now.to_retrieve = parked("first");
    retrieve.feed(looked_up(CodeAction::kRetrieve));
    retrieve.feed(Authorised{now});
    retrieve.feed(BillingAnswered{verdict});
    retrieve.feed(Authorised{later});
    EXPECT_EQ(std::get<Retrieve>(retrieve.action<Execute>().command).permission, permission);
  }
}

TEST(RequestInFlightBilling, B4_WhatIsGrantedWithoutAQuestionHasNoPermission) {
  Asking park(call("held"));
  park.feed(LookedUp{code(CodeAction::kPark, false)});
  park.feed(Authorised{surroundings()});
  EXPECT_EQ(std::get<ParkHeld>(park.action<Execute>().command).terms.permission, std::nullopt);
  for (const bool is_asked : {false, true}) {  // the orbit is empty
    Asking retrieve(call());
    retrieve.feed(LookedUp{code(CodeAction::kRetrieve, is_asked)});
    retrieve.feed(Authorised{surroundings()});
    EXPECT_EQ(std::get<Retrieve>(retrieve.action<Execute>().command).permission, std::nullopt);
  }
}

TEST(RequestInFlightBilling, B2_DeniedRequestIsRefusedAsTheAnswerHasIt) {
  Asking call_run(call("held"));
  call_run.feed(looked_up(CodeAction::kPark));
  call_run.feed(Authorised{surroundings()});
  EXPECT_THAT(call_run.feed(BillingAnswered{denied()}), ElementsAre("Deny 402 fr to 101"));
  EXPECT_EQ(call_run.action<Deny>().denial.text, "Your balance is 0.");
  Asking refer_run(refer_outside());
  refer_run.feed(looked_up(CodeAction::kPark));
  refer_run.feed(Authorised{surroundings()});
  EXPECT_THAT(refer_run.feed(BillingAnswered{denied()}), ElementsAre("Deny 402 fr to 101"));
}

// ---- a retrieve ----

TEST(RequestInFlightBilling, B1_RetrieveIsAskedAboutTheCallThatItWouldWinAndWinsNoOther) {
  Asking run(call());
  run.feed(looked_up(CodeAction::kRetrieve));
  Surroundings now = surroundings();
  now.to_retrieve = parked("first");
  EXPECT_THAT(run.feed(Authorised{now}), ElementsAre("Ring", "AskBilling about first"));
  EXPECT_EQ(run.action<AskBilling>().question.event, BillingEvent::kRetrieve);
  EXPECT_EQ(run.action<AskBilling>().question.retriever, "101");
  run.feed(BillingAnswered{permitted()});
  now.to_retrieve = parked("second");  // the first was retrieved meanwhile
  EXPECT_THAT(run.feed(Authorised{now}), ElementsAre("Execute first"));
}

TEST(RequestInFlightBilling, B1_RetrieveOfAnEmptyOrbitIsNotAskedAboutAndWinsNothing) {
  Asking run(call());
  run.feed(looked_up(CodeAction::kRetrieve));
  EXPECT_THAT(run.feed(Authorised{surroundings()}), ElementsAre("Execute "));
}

TEST(RequestInFlightBilling, B1_RetrieveOfATenantThatIsNotAskedWinsAnyCall) {
  Asking run(call());
  run.feed(LookedUp{code(CodeAction::kRetrieve, false)});
  EXPECT_THAT(run.feed(Authorised{surroundings()}), ElementsAre("Execute any"));
}

TEST(RequestInFlightBilling, B1_RetrieveByATrunkIsAskedAboutWithoutARetriever) {
  Asking run(call("", Trunk{"carrier"}));
  run.feed(looked_up(CodeAction::kRetrieve));
  Surroundings now = surroundings();
  now.to_retrieve = parked("first");
  run.feed(Authorised{now});
  EXPECT_EQ(run.action<AskBilling>().question.retriever, "");
  EXPECT_THAT(run.feed(BillingAnswered{denied()}), ElementsAre("Deny 402 fr to a trunk"));
}

// ---- the phone that asked ----

TEST(RequestInFlightBilling, B3_CallThatEndsWhileTheHookIsAskedIsWithdrawn) {
  Asking run(call("held"));
  run.feed(looked_up(CodeAction::kPark));
  run.feed(Authorised{surroundings()});
  EXPECT_EQ(run.phase(), "AskingBilling");
  EXPECT_THAT(run.feed(SenderGone{}), IsEmpty());
  EXPECT_EQ(run.phase(), "Withdrawn");
  EXPECT_THAT(run.feed(BillingAnswered{permitted()}), IsEmpty()) << "a late answer";
  EXPECT_EQ(run.phase(), "Withdrawn");
}

TEST(RequestInFlightBilling, B3_ReferCountsAfterTheByeOfItsSender) {
  Asking run(refer_outside());
  run.feed(looked_up(CodeAction::kPark));
  run.feed(Authorised{surroundings()});
  EXPECT_THAT(run.feed(SenderGone{}), IsEmpty());
  EXPECT_EQ(run.phase(), "AskingBilling");
}

}  // namespace
}  // namespace callpark::admission
