// The billing system is asked before a call is parked or retrieved: what the parties notice, and what its answer means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class BillingTest : public testing::Test, public ParkWorld {
 protected:
  BillingTest() {
    store.billing = BillingHook{};
    store.billing->url = "https://billing.example/hook";
  }

  /// Everything happens but the answer of the billing system, which is asked about `event`.
  void settle_until_asked(BillingEvent event) {
    settle();
    ASSERT_EQ(billing.open.size(), 1U);
    ASSERT_EQ(billing.question().event, event);
  }
  void permit(BillingTerms terms = {}) {
    billing.answer(BillingPermitted{std::move(terms)});
    settle();
  }
  void deny(const std::string& text = "") {
    billing.answer(BillingDenied{402, "Insufficient funds", "not_permitted", text});
    settle();
    media.play_out();
  }
  /// The parker is called after 10 s, once, and refuses.
  void recall_once() {
    store.recall.mode = park::RecallMode::kParkerOnly;
    store.recall.after_seconds = 10;
    store.recall.attempts_max = 1;
    phones.target_status = 486;
  }
  ParkId park_permitted(BillingTerms terms = {}) {
    refer();
    settle_until_asked(BillingEvent::kPark);
    permit(std::move(terms));
    const ParkId id = only_park();
    hang_up(id, PartyEnd::kPeer);
    settle();
    return id;
  }
};

// ---- a park ----

TEST_F(BillingTest, B1_TransferIsAskedAboutAndParksUnderTheNameInTheQuestion) {
  const ReferralId transfer = refer();
  settle_until_asked(BillingEvent::kPark);
  EXPECT_EQ(billing.question().call.sip_call_id, "call-1");
  EXPECT_EQ(billing.question().call.parker, "101");
  const ParkId asked = billing.question().call.park_id;
  EXPECT_EQ(asked.text().size(), ParkId::kLength);
  permit();
  EXPECT_EQ(status_of_referral(transfer), 200);
  EXPECT_EQ(only_park(), asked);
  EXPECT_EQ(billing.asked, 1);
  end_all();
}

TEST_F(BillingTest, B3_NothingIsSentToThePartiesOfACallUntilTheAnswer) {
  const ReferralId transfer = refer();
  settle_until_asked(BillingEvent::kPark);
  EXPECT_TRUE(phones.conversations.empty()) << "the caller talks to the parker";
  EXPECT_FALSE(phones.referrals.at(transfer)) << "no 202 and no NOTIFY in the dialog of the two";
  EXPECT_TRUE(store.rows.empty());
  permit();
  EXPECT_TRUE(hears_music(only_park()));
  end_all();
}

TEST_F(BillingTest, B1_HeldCallIsAskedAboutWhileItsParkerHearsRinging) {
  const CallId call = dial_with_held("101", "*68");
  settle_until_asked(BillingEvent::kPark);
  EXPECT_TRUE(phones.calls.at(call).rings);
  EXPECT_EQ(phones.adoptions.count(call), 0U);
  permit();
  EXPECT_EQ(only_row().orbit, "101");
  end_all();
}

TEST_F(BillingTest, B2_DeniedTransferLeavesTheCallWhereItWas) {
  const ReferralId transfer = refer();
  settle_until_asked(BillingEvent::kPark);
  deny("Your balance is 0.");
  EXPECT_EQ(status_of_referral(transfer), 402);
  EXPECT_FALSE(phones.referral_outcomes.at(transfer).had_202);
  EXPECT_TRUE(phones.conversations.empty());
  EXPECT_TRUE(store.rows.empty());
  ASSERT_EQ(messages.sent.size(), 1U);
  EXPECT_EQ(messages.sent[0].extension, "101");
  EXPECT_EQ(messages.sent[0].text, "Your balance is 0.");
  end_all();
}

TEST_F(BillingTest, B2_DeniedCallHearsThePromptAndItsHeldCallIsReleased) {
  const CallId call = dial_with_held("101", "*68");
  settle_until_asked(BillingEvent::kPark);
  deny();
  EXPECT_THAT(media.played, ElementsAre("not_permitted"));
  EXPECT_EQ(status_of_call(call), 402);
  EXPECT_EQ(phones.call_outcomes.at(call).reason, "Insufficient funds");
  EXPECT_NE(phones.adoptions.count(call) == 0 ? Calls::Adoption::kReleased : phones.adoptions.at(call),
            Calls::Adoption::kKept);
  EXPECT_THAT(messages.sent, IsEmpty());
  end_all();
}

TEST_F(BillingTest, B3_ParkerThatHangsUpMeanwhileWithdrawsItsCallAndTheQuestion) {
  const CallId call = dial_with_held("101", "*68");
  settle_until_asked(BillingEvent::kPark);
  phones.end_call(call);
  settle();
  EXPECT_EQ(billing.withdrawn, 1);
  EXPECT_TRUE(store.rows.empty());
  EXPECT_TRUE(phones.conversations.empty());
  end_all();
}

TEST_F(BillingTest, B3_AnswerAfterTheCallHasEndedChangesNothing) {
  const CallId call = dial_with_held("101", "*68");
  settle_until_asked(BillingEvent::kPark);
  const Billing::Answer late = billing.open.begin()->second.answer;
  phones.end_call(call);
  settle();
  late(BillingPermitted{});
  settle();
  EXPECT_TRUE(store.rows.empty());
  end_all();
}

TEST_F(BillingTest, B1_WhatIsRefusedAnywayIsNotAskedAbout) {
  const CallId without_call = dial("101", "*68");
  settle();
  media.play_out();
  EXPECT_EQ(status_of_call(without_call), 404);
  store.may_park = false;
  const ReferralId forbidden = refer();
  settle();
  EXPECT_EQ(status_of_referral(forbidden), 403);
  EXPECT_EQ(billing.asked, 0);
  end_all();
}

TEST_F(BillingTest, B1_OrbitThatIsFullRefusesAfterTheAnswer) {
  park_permitted();
  const ReferralId second = refer();
  settle_until_asked(BillingEvent::kPark);
  permit();
  EXPECT_EQ(status_of_referral(second), 486);
  end_all();
}

TEST_F(BillingTest, B1_NothingIsAskedWithoutAHook) {
  store.billing.reset();
  const ParkId id = park();
  dial("102", "*88101");
  settle();
  EXPECT_TRUE(talks_to(id, "102"));
  EXPECT_EQ(billing.asked, 0);
  end_all();
}

TEST_F(BillingTest, B1_HookThatIsAskedAboutParksAloneIsNotAskedAboutARetrieve) {
  store.billing->asks_retrieve = false;
  const ParkId id = park_permitted();
  dial("102", "*88101");
  settle();
  EXPECT_TRUE(talks_to(id, "102"));
  EXPECT_EQ(billing.asked, 1);
  end_all();
}

// ---- the terms of the answer ----

TEST_F(BillingTest, B2_CallEndsAfterTheSecondsOfTheAnswer) {
  store.recall.mode = park::RecallMode::kOff;
  const ParkId id = park_permitted({20, "", ""});
  EXPECT_EQ(only_row().deadline - only_row().parked_at, seconds(20));
  pass(seconds(19));
  EXPECT_TRUE(hears_music(id));
  pass(seconds(2));
  EXPECT_TRUE(store.rows.empty());
  EXPECT_THAT(phones.byes, ElementsAre("caller call-1"));
  end_all();
}

TEST_F(BillingTest, B2_RecallEndsAtTheFallbackOfTheAnswer) {
  recall_once();
  park_permitted({std::nullopt, "Gold client", "+390299"});
  pass(seconds(60));
  ASSERT_EQ(phones.called.size(), 2U);
  EXPECT_EQ(phones.called[0].number, "101");
  EXPECT_EQ(phones.called[1].number, "+390299");
  const auto& from = std::get<OutgoingCall::InNameOfCaller>(phones.called[0].from);
  EXPECT_EQ(from.recall->shown_name, "Gold client");
  phones.target_status = 200;
  end_all();
}

TEST_F(BillingTest, B2_NameOfTheAnswerIsShownWhileTheCallIsParked) {
  const ParkId id = park_permitted({std::nullopt, "Gold client", ""});
  EXPECT_EQ(only_row().caller.remote_identity.name, "Gold client") << "lamps are read from the row";
  EXPECT_EQ(events.all.front().caller.name, "Gold client") << "and so are texts";
  dial("102", "*88101");
  settle_until_asked(BillingEvent::kRetrieve);
  EXPECT_EQ(billing.question().call.caller.name, "") << "its own";
  permit();
  EXPECT_TRUE(talks_to(id, "102"));
  EXPECT_EQ(only_row().caller.remote_identity.name, "");
  end_all();
}

TEST_F(BillingTest, B2_TermsOfTheAnswerSurviveParkd) {
  recall_once();
  park_permitted({3000, "Gold client", "+390299"});
  restart();
  EXPECT_EQ(only_row().deadline - only_row().parked_at, seconds(3000));
  EXPECT_EQ(only_row().caller.remote_identity.name, "Gold client");
  pass(seconds(60));
  ASSERT_EQ(phones.called.size(), 2U);
  EXPECT_EQ(phones.called[1].number, "+390299");
  EXPECT_EQ(billing.asked, 1) << "neither a takeover nor a recall is asked about";
  phones.target_status = 200;
  end_all();
}

// ---- a retrieve ----

TEST_F(BillingTest, B1_RetrieveIsAskedAboutTheParkedCallAndTheRetrieverHearsRinging) {
  const ParkId id = park_permitted();
  const CallId call = dial("102", "*88101");
  settle_until_asked(BillingEvent::kRetrieve);
  EXPECT_EQ(billing.question().call.park_id, id);
  EXPECT_EQ(billing.question().call.orbit, "101");
  EXPECT_EQ(billing.question().call.parker, "101");
  EXPECT_EQ(billing.question().call.parked_at, only_row().parked_at);
  EXPECT_EQ(billing.question().retriever, "102");
  EXPECT_TRUE(phones.calls.at(call).rings);
  EXPECT_TRUE(hears_music(id)) << "until the answer";
  EXPECT_EQ(only_row().state, RowState::kParked);
  permit();
  EXPECT_TRUE(talks_to(id, "102"));
  end_all();
}

TEST_F(BillingTest, B2_DeniedRetrieverHearsThePromptAndTheCallStaysParked) {
  const ParkId id = park_permitted();
  const CallId call = dial("102", "*88101");
  settle_until_asked(BillingEvent::kRetrieve);
  deny("Please top up.");
  EXPECT_THAT(media.played, ElementsAre("not_permitted"));
  EXPECT_EQ(status_of_call(call), 402);
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(messages.sent.back().extension, "102");
  EXPECT_EQ(messages.sent.back().text, "Please top up.");
  end_all();
}

TEST_F(BillingTest, B1_EmptyOrbitIsNotAskedAboutAndRefusedAsEver) {
  const CallId call = dial("102", "*88105");
  settle();
  EXPECT_EQ(billing.asked, 0);
  EXPECT_THAT(media.played, ElementsAre("no_call_parked"));
  media.play_out();
  EXPECT_EQ(status_of_call(call), 404);
  end_all();
}

TEST_F(BillingTest, B1_RetrieverThatComesSecondIsRefusedAfterItsAnswer) {
  const ParkId id = park_permitted();
  const CallId slow = dial("103", "*88101");
  settle_until_asked(BillingEvent::kRetrieve);
  store.billing.reset();  // the other one is not asked about
  dial("102", "*88101");
  settle();
  ASSERT_TRUE(talks_to(id, "102"));
  permit();
  EXPECT_THAT(media.played, ElementsAre("already_picked_up"));
  media.play_out();
  EXPECT_EQ(status_of_call(slow), 404);
  EXPECT_TRUE(talks_to(id, "102"));
  end_all();
}

TEST_F(BillingTest, B1_RetrieverWinsNoOtherCallThanThePermittedOne) {
  store.calls_per_orbit_max = 2;
  const ParkId first = park_permitted();
  const CallId call = dial("103", "*88101");
  settle_until_asked(BillingEvent::kRetrieve);
  EXPECT_EQ(billing.question().call.park_id, first);
  store.billing.reset();
  refer();
  dial("102", "*88101");
  settle();
  EXPECT_TRUE(talks_to(first, "102"));
  permit();
  media.play_out();
  EXPECT_EQ(status_of_call(call), 404) << "a second call waits there, which was not asked about";
  end_all();
}

TEST_F(BillingTest, B1_OldestCallOfAnOrbitIsAskedAbout) {
  store.calls_per_orbit_max = 2;
  const ParkId first = park_permitted();
  pass(seconds(1));
  refer();
  settle_until_asked(BillingEvent::kPark);
  permit();
  ASSERT_EQ(store.rows.size(), 2U);
  dial("103", "*88101");
  settle_until_asked(BillingEvent::kRetrieve);
  EXPECT_EQ(billing.question().call.park_id, first);
  permit();
  EXPECT_TRUE(talks_to(first, "103"));
  end_all();
}

TEST_F(BillingTest, B1_CallThatIsBeingParkedIsAskedAboutAndWaitedFor) {
  store.billing->asks_park = false;
  refer();
  while (steps.next_but("caller")) {
  }
  ASSERT_EQ(only_row().state, RowState::kAdopting);
  const CallId call = dial("102", "*88101");
  while (steps.next_but("caller")) {
  }
  ASSERT_EQ(billing.open.size(), 1U);
  EXPECT_EQ(billing.question().call.park_id, only_park());
  billing.answer(BillingPermitted{});
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_TRUE(talks_to(only_park(), "102"));
  end_all();
}

TEST_F(BillingTest, B3_RetrieverThatCancelsMeanwhileLeavesTheCallParked) {
  const ParkId id = park_permitted();
  const CallId call = dial("102", "*88101");
  settle_until_asked(BillingEvent::kRetrieve);
  phones.end_call(call);
  settle();
  EXPECT_EQ(billing.withdrawn, 1);
  EXPECT_TRUE(hears_music(id));
  end_all();
}

TEST_F(BillingTest, B3_CallerThatGivesUpMeanwhileIsNotRetrieved) {
  const ParkId id = park_permitted();
  const CallId call = dial("102", "*88101");
  settle_until_asked(BillingEvent::kRetrieve);
  hang_up(id, PartyEnd::kCaller);
  settle();
  permit();
  media.play_out();
  EXPECT_EQ(status_of_call(call), 404);
  end_all();
}

TEST_F(BillingTest, B1_RetrieverThatHasMissedTooOftenIsNotAskedAbout) {
  store.retrieve_misses_max = 1;
  park_permitted();
  const auto dial_and_listen = [this](const std::string& number) {
    const CallId call = dial("102", number);
    settle();
    media.play_out();
    return status_of_call(call);
  };
  EXPECT_EQ(dial_and_listen("*88105"), 404);
  EXPECT_EQ(dial_and_listen("*88101"), 404) << "its guesses are used up";
  EXPECT_EQ(billing.asked, 1) << "the park alone";
  end_all();
}

// ---- parked again, and at a takeover ----

TEST_F(BillingTest, B1_CallThatIsParkedAgainKeepsItsName) {
  const ParkId id = park_permitted();
  dial("102", "*88101");
  settle_until_asked(BillingEvent::kRetrieve);
  permit();
  const ReferralId again = refer_of_peer(id, "102", "*68");
  settle_until_asked(BillingEvent::kPark);
  EXPECT_EQ(billing.question().call.park_id, id);
  EXPECT_EQ(billing.question().call.parker, "102");
  EXPECT_TRUE(talks_to(id, "102")) << "until the answer";
  permit({30, "", ""});
  EXPECT_EQ(status_of_referral(again), 200);
  EXPECT_EQ(only_park(), id);
  EXPECT_EQ(only_row().orbit, "102");
  EXPECT_EQ(only_row().deadline - only_row().parked_at, seconds(30));
  end_all();
}

TEST_F(BillingTest, B2_DeniedReParkLeavesTheTwoTalking) {
  const ParkId id = park_permitted();
  dial("102", "*88101");
  settle_until_asked(BillingEvent::kRetrieve);
  permit();
  const ReferralId again = refer_of_peer(id, "102", "*68");
  settle_until_asked(BillingEvent::kPark);
  deny();
  EXPECT_EQ(status_of_referral(again), 402);
  EXPECT_TRUE(talks_to(id, "102"));
  end_all();
}

TEST_F(BillingTest, B3_ByeOfAParkerThatParksAgainWaitsForTheAnswer) {
  const ParkId id = park_permitted();
  dial("102", "*88101");
  settle_until_asked(BillingEvent::kRetrieve);
  permit();
  refer_of_peer(id, "102", "*68");
  settle_until_asked(BillingEvent::kPark);
  hang_up(id, PartyEnd::kPeer);
  settle();
  permit();
  EXPECT_TRUE(hears_music(id)) << "the REFER counts";
  EXPECT_EQ(only_row().orbit, "102");
  end_all();
}

}  // namespace
}  // namespace callpark
