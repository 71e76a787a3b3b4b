// A REFER in a dialog of two other user agents, from its arrival to its last NOTIFY or its refusal.
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

class ReferSubscriptionTest : public UserAgentScene {
 protected:
  ReferralId refer(const SipMessage& message) {
    kamailio.deliver(message);
    reports();
    return listener.referrals.empty() ? ReferralId{} : listener.referrals.back().referral;
  }
};

TEST_F(ReferSubscriptionTest, WithoutAnAuthenticatedReferrerIsAnswered481) {
  SipMessage refer = johns_refer();
  refer.remove_header(kamailio_protocol::kUser);
  EXPECT_EQ(answer_to(refer).status(), 481);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(ReferSubscriptionTest, P1_AcceptedIsReportedAsTrying) {
  const SipMessage refer = johns_refer();
  kamailio.deliver(refer);
  EXPECT_THAT(kamailio.sent, IsEmpty()) << "before anything is decided";
  referrals.accept(listener.referrals.at(0).referral);
  EXPECT_EQ(kamailio.take_response(refer).status(), 202);
  const SipMessage notify = kamailio.take_request("NOTIFY");
  EXPECT_EQ(sipfrag_status(notify), 100);
  EXPECT_EQ(notify.event(), "refer");
  EXPECT_EQ(notify.from_tag(), "client-tag");
  EXPECT_EQ(notify.to_tag(), "john-tag");
  EXPECT_EQ(notify.request_uri_text(), "sip:101@127.0.0.11:5060");
  EXPECT_GT(notify.cseq().number, 7U);
  EXPECT_FALSE(notify.header(kamailio_protocol::kAdoption));
  EXPECT_THAT(reports(), ElementsAre("refer to *68"));
  EXPECT_EQ(listener.referrals[0].referrer, (Extension{"demo.callpark", "101"}));
  EXPECT_EQ(listener.referrals[0].dialog.caller.remote_target, "sip:client@127.0.0.12:5060");
}

TEST_F(ReferSubscriptionTest, P2_ReadsAnEscapedCode) {
  kamailio.deliver(johns_refer("<sip:%2A68102@demo.callpark>"));
  EXPECT_THAT(reports(), ElementsAre("refer to *68102"));
}

TEST_F(ReferSubscriptionTest, P1_ReadsATelUri) {
  kamailio.deliver(johns_refer("<tel:*68-102;phone-context=demo.callpark>"));
  EXPECT_THAT(reports(), ElementsAre("refer to *68102"));
}

TEST_F(ReferSubscriptionTest, NeedsNoRecordOfItsDialog) {
  SipMessage refer = johns_refer();
  refer.remove_header(kamailio_protocol::kDialog);
  kamailio.deliver(refer);
  EXPECT_THAT(reports(), ElementsAre("refer to *68"));
}

TEST_F(ReferSubscriptionTest, NeedsNoReadableRecordOfItsDialog) {
  SipMessage refer = johns_refer();
  refer.set_header(kamailio_protocol::kDialog, "{\"call_id\":");
  kamailio.deliver(refer);
  EXPECT_THAT(reports(), ElementsAre("refer to *68"));
}

TEST_F(ReferSubscriptionTest, WithAnotherTargetIsRefused) {
  for (const auto& [refer_to, status] : {std::pair{"<mailto:a@b>", 416}, {"<sip:*68@x;method=BYE>", 501}}) {
    const SipMessage refer = johns_refer(refer_to);
    EXPECT_EQ(answer_to(refer).status(), status) << refer_to;
  }
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(ReferSubscriptionTest, SecondWhileTheFirstIsOpenIsRefused) {
  kamailio.deliver(johns_refer());
  const SipMessage second = johns_refer();
  kamailio.deliver(second);
  EXPECT_GE(kamailio.take_response(second).status(), 400);
  EXPECT_THAT(reports(), ElementsAre("refer to *68"));
}

TEST_F(ReferSubscriptionTest, S13_RefusedLeavesTheDialogAsItWas) {
  const SipMessage refer = johns_refer();
  kamailio.deliver(refer);
  reports();
  referrals.conclude(listener.referrals[0].referral, 486, "Orbit in use");
  const SipMessage refused = kamailio.take_response(refer);
  EXPECT_EQ(refused.status(), 486);
  EXPECT_EQ(refused.reason(), "Orbit in use");
  EXPECT_FALSE(refused.header(kamailio_protocol::kAdoption));
  EXPECT_FALSE(kamailio.sends("NOTIFY")) << "its CSeq would pass that of the other party";
  // Nothing is left of it: the next one is as the first.
  kamailio.deliver(johns_refer());
  EXPECT_THAT(reports(), ElementsAre("refer to *68"));
}

TEST_F(ReferSubscriptionTest, RefusedDoesNotEndItsDialogAtThePhone) {
  for (const int status : {404, 480}) {
    const SipMessage refer = johns_refer();
    kamailio.deliver(refer);
    referrals.conclude(listener.referrals.back().referral, status, "Not a valid code");
    const SipMessage refused = kamailio.take_response(refer);
    EXPECT_EQ(refused.status(), 603);
    EXPECT_EQ(refused.reason(), "Not a valid code");
  }
}

TEST_F(ReferSubscriptionTest, AcceptedThatFailsIsReported) {
  const ReferralId referral = refer(johns_refer());
  referrals.accept(referral);
  take_notify(100);
  referrals.conclude(referral, 404, "Not a valid code");
  EXPECT_THAT(std::string(take_notify(404).subscription_state()), testing::StartsWith("terminated"));
}

TEST_F(ReferSubscriptionTest, X5_SendsTheLastNotifyWhenTheFirstIsAnswered) {
  referrals.conclude(refer(johns_refer()), 200, "OK");
  const SipMessage first = kamailio.take_request("NOTIFY");
  EXPECT_EQ(sipfrag_status(first), 100);
  EXPECT_FALSE(kamailio.sends("NOTIFY", seconds(3)));
  kamailio.answer(first, 200);
  EXPECT_EQ(take_notify(200).cseq().number, first.cseq().number + 1);
}

TEST_F(ReferSubscriptionTest, X5_SendsTheLastNotifyAlsoWhenTheFirstIsRefused) {
  referrals.conclude(refer(johns_refer()), 200, "OK");
  kamailio.answer(kamailio.take_request("NOTIFY"), 500);
  take_notify(200);
}

TEST_F(ReferSubscriptionTest, X5_DoesNotWaitForEverForTheAnswerToTheFirst) {
  referrals.conclude(refer(johns_refer()), 200, "OK");
  kamailio.take_request("NOTIFY");
  pass(seconds(5));
  take_notify(200);
}

TEST_F(ReferSubscriptionTest, X5_SendsTheLastNotifyBeforeAByeThatCannotWait) {
  const ReferralId referral = refer(johns_refer());
  ASSERT_TRUE(adopt(listener.referrals[0].dialog));
  referrals.conclude(referral, 200, "OK");
  const SipMessage first = kamailio.take_request("NOTIFY");
  end(PartyEnd::kPeer);
  const SipMessage last = kamailio.take_request("NOTIFY");
  const SipMessage bye = kamailio.take_request("BYE");
  EXPECT_EQ(sipfrag_status(last), 200);
  EXPECT_EQ(last.cseq().number, first.cseq().number + 1);
  EXPECT_EQ(bye.cseq().number, last.cseq().number + 1);
}

// RFC 5057 4.1: the subscription outlives the BYE of the parker.
TEST_F(ReferSubscriptionTest, X5_SendsTheLastNotifyAlsoToAParkerThatHasHungUp) {
  const ReferralId referral = refer(johns_refer());
  ASSERT_TRUE(adopt(listener.referrals[0].dialog));
  referrals.conclude(referral, 200, "OK");
  const SipMessage first = kamailio.take_request("NOTIFY");
  EXPECT_EQ(answer_to(john.request("BYE")).status(), 200);
  kamailio.answer(first, 200);
  take_notify(200);
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
}

TEST_F(ReferSubscriptionTest, IsConcludedOnceAndAcceptedBefore) {
  const SipMessage refer = johns_refer();
  kamailio.deliver(refer);
  reports();
  referrals.conclude(listener.referrals[0].referral, 200, "OK");
  EXPECT_EQ(kamailio.take_response(refer).status(), 202);
  take_notify(100);
  take_notify(200);
  referrals.conclude(listener.referrals[0].referral, 503, "");
  referrals.accept(listener.referrals[0].referral);
  EXPECT_FALSE(kamailio.sends("NOTIFY"));
}

TEST_F(ReferSubscriptionTest, OfAParkerThatLeavesBeforeTheAdoptionIsReported) {
  kamailio.deliver(johns_refer());
  reports();
  const SipMessage bye = john.request("BYE");
  EXPECT_EQ(answer_to(bye).status(), 200);
  EXPECT_TRUE(adopt(listener.referrals[0].dialog));
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
}

TEST_F(ReferSubscriptionTest, OfAParkerThatLeavesAndIsRefusedEndsTheCall) {
  kamailio.deliver(johns_refer());
  reports();
  kamailio.deliver(john.request("BYE"));
  referrals.conclude(listener.referrals[0].referral, 486, "");
  const SipMessage bye = kamailio.take_request("BYE");
  EXPECT_EQ(bye.from_tag(), "john-tag");
  EXPECT_EQ(bye.request_uri_text(), "sip:client@127.0.0.12:5060");
}

TEST_F(ReferSubscriptionTest, R7_MayBringTheTimeOfTheRecall) {
  SipMessage refer = johns_refer();
  refer.set_header("X-Recall-After", "45");
  kamailio.deliver(refer);
  reports();
  EXPECT_EQ(listener.referrals.at(0).recall_after_seconds, 45);
}

}  // namespace
}  // namespace callpark::leg
