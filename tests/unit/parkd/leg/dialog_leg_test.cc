#include "parkd/leg/dialog_leg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parkd/dialog/dialog_id.h"
#include "tests/unit/parkd/leg/scripted_kamailio.h"

namespace callpark::leg {
namespace {

using sip::HeaderName;
using sip::SipMessage;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kContact = "<sip:parkd@127.0.0.1:5062>";

// The adopted dialog: parkd speaks as John to the Client.
DialogSnapshot johns_half() {
  DialogSnapshot half;
  half.call_id = "call-1";
  half.local_tag = "john-tag";
  half.remote_tag = "client-tag";
  half.local_uri = "sip:101@demo.callpark";
  half.local_display = "John";
  half.remote_uri = "sip:+442030001234@demo.callpark";
  half.local_cseq = 20;
  half.remote_cseq = 7;
  half.remote_target = "sip:client@127.0.0.12:5060";
  half.route_set = {"<sip:127.0.0.1:5060;lr;did=a86.f9>"};
  half.local_sdp = sip::write_sdp(johns_sdp());
  half.remote_sdp = sip::write_sdp(clients_sdp());
  return half;
}

// Takes what the Client sends and hands it to the leg, as SipLegs does.
class DialogLegTest : public testing::Test, public sip::TransactionUser {
 protected:
  DialogLegTest() {
    kamailio.transactions().start(*this);
    leg->set_on_gone([this] { ++gone; });
  }
  ~DialogLegTest() override { leg->abandon(); }

  void on_request(sip::ServerTransactionKey key, const SipMessage& request, const sip::Endpoint&) override {
    if (leg->accept(key, request)) came.emplace_back(key, request);
  }
  void on_ack(const SipMessage& ack, const sip::Endpoint&) override { leg->on_ack(ack); }
  void on_cancel(sip::ServerTransactionKey) override {}
  void on_server_transaction_failure(sip::ServerTransactionKey, sip::ServerFailure) override {}
  void on_stray_2xx(const sip::SipMessage&) override {}

  void offer(const std::string& name = "offer") {
    leg->offer([this] { return make_music_offer(leg->local_sdp(), leg->remote_sdp(), mediad_address(), agent.codecs); },
               [this, name](DialogLeg::Outcome outcome, const sip::Sdp*, const sip::Sdp* answer) {
                 static constexpr const char* kWords[] = {" accepted", " refused", " unusable", " gone"};
                 outcomes.push_back(name + kWords[static_cast<int>(outcome)]);
                 EXPECT_EQ(answer != nullptr, outcome == DialogLeg::Outcome::kAccepted);
               });
  }
  /// An INVITE of theirs that is answered at once.
  SipMessage answered_invite() {
    const SipMessage invite = client.request("INVITE", clients_sdp());
    kamailio.deliver(invite);
    leg->answer(came.back().first, came.back().second, johns_sdp(),
                {[this](const sip::Sdp*) { ++confirmed; }, [this] { ++lost; }});
    return invite;
  }
  void pass(Duration duration) { test::pass(loop, duration); }

  test::VirtualTime time;
  EventLoop loop;
  ScriptedKamailio kamailio{loop};
  UserAgent agent{loop, kamailio.transactions(), kInside, std::string(kContact), playable_codecs(), {}};
  std::shared_ptr<DialogLeg> leg = DialogLeg::from_snapshot(agent, johns_half(), CallIdOwner::kThey, 100);
  FarEnd client{"call-1",
                "client-tag",
                "sip:+442030001234@demo.callpark",
                "sip:client@127.0.0.12:5060",
                "john-tag",
                "sip:101@demo.callpark",
                7};
  std::vector<std::pair<sip::ServerTransactionKey, SipMessage>> came;
  std::vector<std::string> outcomes;
  int gone = 0;
  int confirmed = 0;
  int lost = 0;
};

// ---- our re-INVITE ----

TEST_F(DialogLegTest, P1_ThePartyIsReinvitedAsTheParkerWithAHigherCSeq) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_EQ(invite.request_uri_text(), "sip:client@127.0.0.12:5060");
  EXPECT_EQ(invite.call_id(), "call-1");
  EXPECT_EQ(invite.from_tag(), "john-tag");
  EXPECT_EQ(invite.from().display, "John");
  EXPECT_EQ(invite.to_tag(), "client-tag");
  EXPECT_EQ(invite.cseq().number, 121U);
  EXPECT_EQ(invite.header(HeaderName::kContact), kContact);
  EXPECT_THAT(invite.all_headers(HeaderName::kRoute), ElementsAre("<sip:127.0.0.1:5060;lr;did=a86.f9>"));
}

TEST_F(DialogLegTest, P1_TheReinviteContinuesTheParkersOriginLine) {
  offer();
  const sip::Sdp sdp = body_of(kamailio.take_request("INVITE"));
  EXPECT_EQ(sdp.origin.username, "john");
  EXPECT_EQ(sdp.origin.session_id, "2704906608");
  EXPECT_EQ(sdp.origin.version, 44770663U);
  EXPECT_EQ(sdp.connection->address, mediad_address().address);
}

TEST_F(DialogLegTest, AnAcceptedOfferIsWhatBothSaidLast) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  kamailio.answer(invite, 200, clients_sdp());
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer accepted"));
  EXPECT_EQ(*leg->local_sdp(), body_of(invite));
  EXPECT_EQ(*leg->remote_sdp(), clients_sdp());
  EXPECT_EQ(gone, 0);
}

TEST_F(DialogLegTest, TheNextOriginVersionIsOneHigherAgain) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  offer();
  EXPECT_EQ(body_of(kamailio.take_request("INVITE")).origin.version, 44770664U);
}

TEST_F(DialogLegTest, EachCopyOfA2xxIsAcknowledged) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  for (int copy = 0; copy < 3; ++copy) {
    kamailio.answer(invite, 200, clients_sdp());
    pass(Duration(500));
  }
  const SipMessage ack = kamailio.take_request("ACK");
  EXPECT_EQ(ack.cseq().number, invite.cseq().number);
  EXPECT_EQ(kamailio.copies(ack), 3U);
  EXPECT_THAT(ack.all_headers(HeaderName::kRoute), ElementsAre("<sip:127.0.0.1:5060;lr;did=a86.f9>"));
  EXPECT_THAT(outcomes, ElementsAre("offer accepted"));
}

TEST_F(DialogLegTest, TheAckGoesToTheContactOfThe2xx) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), [](SipMessage& response) {
    response.set_header(HeaderName::kContact, "<sip:client@127.0.0.99:5070>");
  });
  EXPECT_EQ(kamailio.take_request("ACK").request_uri_text(), "sip:client@127.0.0.99:5070");
}

TEST_F(DialogLegTest, ARequestSentMeanwhileDoesNotHideThe2xx) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  leg->send("INFO", {}, {});
  EXPECT_EQ(kamailio.take_request("INFO").cseq().number, 122U);
  kamailio.answer(invite, 200, clients_sdp());
  EXPECT_EQ(kamailio.take_request("ACK").cseq().number, 121U);
  EXPECT_THAT(outcomes, ElementsAre("offer accepted"));
}

TEST_F(DialogLegTest, GlareIsTriedAgain) {
  offer();
  const SipMessage first = kamailio.take_request("INVITE");
  kamailio.answer(first, 491);
  const SipMessage second = kamailio.take_request("INVITE");
  EXPECT_EQ(second.cseq().number, first.cseq().number + 1);
  EXPECT_EQ(body_of(second).origin.version, body_of(first).origin.version);
  EXPECT_LE(time.passed(), seconds(3));
  kamailio.answer(second, 200, clients_sdp());
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer accepted"));
}

TEST_F(DialogLegTest, TheOneWhoChoseTheCallIdWaitsLongerAfterGlare) {
  leg->abandon();
  leg = DialogLeg::from_snapshot(agent, johns_half(), CallIdOwner::kWe, 100);
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 491);
  const Duration before = time.passed();
  kamailio.take_request("INVITE");
  EXPECT_GE(time.passed() - before, Duration(2100));
  EXPECT_LE(time.passed() - before, Duration(4010));
}

TEST_F(DialogLegTest, GlareForEverIsARefusal) {
  offer();
  for (int attempt = 0; attempt < 4; ++attempt) kamailio.answer(kamailio.take_request("INVITE"), 491);
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(60)));
  EXPECT_THAT(outcomes, ElementsAre("offer refused"));
}

TEST_F(DialogLegTest, A500IsTriedAgainWithAMuchHigherCSeq) {
  offer();
  const SipMessage first = kamailio.take_request("INVITE");
  kamailio.answer(first, 500);
  const SipMessage second = kamailio.take_request("INVITE");
  EXPECT_EQ(second.cseq().number, first.cseq().number + 1001);
}

class DialogLegGoneTest : public DialogLegTest, public testing::WithParamInterface<int> {};

TEST_P(DialogLegGoneTest, TheDialogIsOver) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), GetParam());
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer gone"));
  EXPECT_EQ(gone, 1);
  EXPECT_TRUE(leg->is_closed());
  offer("later");
  EXPECT_THAT(outcomes, ElementsAre("offer gone", "later gone"));
  EXPECT_FALSE(kamailio.sends("INVITE"));
}

INSTANTIATE_TEST_SUITE_P(OfStatus, DialogLegGoneTest, testing::Values(481));

// RFC 3261 12.2.1.2: whoever is not reached may still be there, and nobody else would end his call.
TEST_F(DialogLegTest, WhoIsNotReachedIsHungUpWhenHeIsOurs) {
  leg->set_ours();
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 408);
  EXPECT_TRUE(kamailio.sends("BYE"));
  EXPECT_THAT(outcomes, ElementsAre("offer gone"));
  EXPECT_EQ(gone, 1);
}

TEST_F(DialogLegTest, WhoIsNotReachedStaysWithHisPartyWhenHeIsNotOurs) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 408);
  EXPECT_FALSE(kamailio.sends("BYE"));
  EXPECT_THAT(outcomes, ElementsAre("offer refused"));
  EXPECT_FALSE(leg->is_closed());
}

class DialogLegRefusedTest : public DialogLegTest, public testing::WithParamInterface<int> {};

TEST_P(DialogLegRefusedTest, ARefusalLeavesTheSessionAsItWas) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), GetParam());
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer refused"));
  EXPECT_EQ(*leg->local_sdp(), johns_sdp());
  EXPECT_EQ(*leg->remote_sdp(), clients_sdp());
  EXPECT_FALSE(leg->is_closed());
  EXPECT_FALSE(leg->is_negotiating());
  offer("again");
  EXPECT_TRUE(kamailio.sends("INVITE"));
}

INSTANTIATE_TEST_SUITE_P(OfStatus, DialogLegRefusedTest, testing::Values(400, 403, 415, 488, 503, 603));

TEST_F(DialogLegTest, AProxyThatDoesNotAnswerSaysNothingAboutTheParty) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  pass(seconds(40));
  EXPECT_EQ(kamailio.copies(invite), 7U);
  EXPECT_THAT(outcomes, ElementsAre("offer refused"));
  EXPECT_FALSE(leg->is_closed());
}

TEST_F(DialogLegTest, AProxyThatDiesAfterIts100IsNotWaitedForForEver) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 100);
  pass(seconds(70));
  EXPECT_THAT(outcomes, ElementsAre("offer refused"));
  EXPECT_FALSE(leg->is_closed());
}

TEST_F(DialogLegTest, AReinviteThatNobodyAnswersIsCancelled) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  kamailio.answer(invite, 100);
  kamailio.answer(kamailio.take_request("CANCEL"), 200);
  EXPECT_THAT(outcomes, IsEmpty());
  kamailio.answer(invite, 487);
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer refused"));
}

TEST_F(DialogLegTest, WhatCannotBeSentIsRefused) {
  kamailio.is_broken = true;
  offer();
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer refused"));
}

TEST_F(DialogLegTest, A2xxWithoutAnAnswerIsOfNoUse) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200);
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer unusable"));
  EXPECT_TRUE(kamailio.sends("ACK"));
}

TEST_F(DialogLegTest, ANewerOfferWaitsForTheFinalAnswerOfTheFirst) {
  offer("first");
  const SipMessage first = kamailio.take_request("INVITE");
  offer("second");
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(5)));
  kamailio.answer(first, 200, clients_sdp());
  EXPECT_TRUE(kamailio.sends("INVITE"));
  EXPECT_THAT(outcomes, ElementsAre("first accepted"));
}

TEST_F(DialogLegTest, OfThoseThatWaitOnlyTheNewestIsSent) {
  offer("first");
  const SipMessage first = kamailio.take_request("INVITE");
  offer("second");
  offer("third");
  EXPECT_THAT(outcomes, ElementsAre("second refused"));
  kamailio.answer(first, 488);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("second refused", "first refused", "third accepted"));
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(60)));
}

TEST_F(DialogLegTest, ANewerOfferTakesThePlaceOfOneThatWaitsAfterGlare) {
  offer("first");
  kamailio.answer(kamailio.take_request("INVITE"), 491);
  offer("second");
  const SipMessage second = kamailio.take_request("INVITE");
  EXPECT_THAT(outcomes, ElementsAre("first refused"));
  kamailio.answer(second, 200, clients_sdp());
  pass(seconds(10));
  EXPECT_THAT(outcomes, ElementsAre("first refused", "second accepted"));
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(60)));
}

TEST_F(DialogLegTest, AnOfferMadeInsideOfTheAnswerOfAnotherIsSent) {
  leg->offer([] { return johns_sdp(); }, [this](DialogLeg::Outcome, const sip::Sdp*, const sip::Sdp*) { offer(); });
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer accepted"));
}

TEST_F(DialogLegTest, AClosedLegAnswersItsOffersAndStillAcknowledges) {
  offer("first");
  const SipMessage invite = kamailio.take_request("INVITE");
  offer("second");
  leg->close();
  EXPECT_THAT(outcomes, ElementsAre("first gone", "second gone"));
  kamailio.answer(invite, 200, clients_sdp());
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(5)));
  EXPECT_FALSE(kamailio.sends("BYE", seconds(5)));
  EXPECT_EQ(gone, 0);
}

TEST_F(DialogLegTest, AClosedLegDoesNotTryAgain) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  leg->bye();
  kamailio.answer(invite, 491);
  EXPECT_TRUE(kamailio.sends("BYE"));
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(10)));
}

// ---- their INVITE ----

TEST_F(DialogLegTest, OurAnswerIsRepeatedUntilItsAckComes) {
  const SipMessage invite = answered_invite();
  const SipMessage ok = kamailio.take_response(invite);
  EXPECT_EQ(ok.status(), 200);
  EXPECT_EQ(ok.header(HeaderName::kContact), kContact);
  pass(Duration(3600));  // at 0, 0.5, 1.5 and 3.5 s
  EXPECT_EQ(kamailio.copies(ok), 4U);
  kamailio.deliver(client.ack(invite));
  pass(seconds(60));
  EXPECT_EQ(kamailio.copies(ok), 4U);
  EXPECT_EQ(confirmed, 1);
  EXPECT_EQ(lost, 0);
}

TEST_F(DialogLegTest, AnAckOfAnotherInviteIsNotTheirs) {
  const SipMessage invite = answered_invite();
  SipMessage ack = client.ack(invite);
  ack.set_cseq(invite.cseq().number - 1, "ACK");
  kamailio.deliver(ack);
  EXPECT_EQ(confirmed, 0);
  kamailio.deliver(client.ack(invite));
  EXPECT_EQ(confirmed, 1);
}

TEST_F(DialogLegTest, AnAnswerThatIsNeverAcknowledgedEndsTheDialog) {
  answered_invite();
  EXPECT_FALSE(kamailio.sends("BYE", seconds(31)));
  EXPECT_TRUE(kamailio.sends("BYE", seconds(2)));
  EXPECT_EQ(lost, 1);
  EXPECT_EQ(gone, 1) << "whoever passes offers on has no other way to learn of it";
  EXPECT_TRUE(leg->is_closed());
}

TEST_F(DialogLegTest, AByeWaitsForTheAck) {
  const SipMessage invite = answered_invite();
  bool left = false;
  leg->bye();
  EXPECT_TRUE(leg->is_leaving());
  leg->set_on_left([&left] { left = true; });
  EXPECT_FALSE(kamailio.sends("BYE", seconds(5)));
  EXPECT_GT(kamailio.copies(kamailio.take_response(invite)), 3U);
  kamailio.deliver(client.ack(invite));
  EXPECT_TRUE(kamailio.sends("BYE"));
  EXPECT_TRUE(left);
  EXPECT_FALSE(leg->is_leaving());
  EXPECT_EQ(confirmed + lost + gone, 0);
}

TEST_F(DialogLegTest, AByeDoesNotWaitForEver) {
  answered_invite();
  bool left = false;
  leg->bye();
  leg->set_on_left([&left] { left = true; });
  EXPECT_TRUE(kamailio.sends("BYE", seconds(33)));
  EXPECT_TRUE(left);
  EXPECT_EQ(lost + gone, 0);
}

TEST_F(DialogLegTest, AnAbandonedLegRepeatsNothing) {
  const SipMessage invite = answered_invite();
  const SipMessage ok = kamailio.take_response(invite);
  leg->abandon();
  pass(seconds(60));
  EXPECT_EQ(kamailio.copies(ok), 1U);
  EXPECT_FALSE(kamailio.sends("BYE"));
}

TEST_F(DialogLegTest, OurOfferWaitsWhileTheirsIsConsidered) {
  kamailio.deliver(client.request("INVITE", clients_sdp()));
  leg->consider(came[0].first);
  offer();
  EXPECT_TRUE(leg->is_negotiating());
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(5)));
  leg->refuse(came[0].first, came[0].second, 488);
  EXPECT_TRUE(kamailio.sends("INVITE"));
}

TEST_F(DialogLegTest, ARefusalOfAnotherRequestEndsNoConsideration) {
  kamailio.deliver(client.request("INVITE", clients_sdp()));
  leg->consider(came[0].first);
  kamailio.deliver(client.request("INVITE", clients_sdp()));
  leg->refuse(came[1].first, came[1].second, 491);
  EXPECT_TRUE(leg->is_negotiating());
}

TEST_F(DialogLegTest, OurOfferWaitsForTheAckOfTheirs) {
  const SipMessage invite = answered_invite();
  offer();
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(5)));
  kamailio.deliver(client.ack(invite));
  EXPECT_TRUE(kamailio.sends("INVITE"));
}

TEST_F(DialogLegTest, WhatIsConsideredWhenTheDialogEndsIsAnswered487) {
  const SipMessage invite = client.request("INVITE", clients_sdp());
  kamailio.deliver(invite);
  leg->consider(came[0].first);
  leg->abandon();
  leg->answer(came[0].first, came[0].second, johns_sdp(), {});
  EXPECT_EQ(kamailio.take_response(invite).status(), 487);
}

TEST_F(DialogLegTest, AnOldCSeqIsAnswered500AndChangesNothing) {
  client.cseq = 2;
  client.contact = "sip:forger@127.0.0.66";
  const SipMessage invite = client.request("INVITE", clients_sdp());
  kamailio.deliver(invite);
  const SipMessage response = kamailio.take_response(invite);
  EXPECT_EQ(response.status(), 500);
  EXPECT_TRUE(response.header(HeaderName::kRetryAfter));
  EXPECT_TRUE(came.empty());
  EXPECT_EQ(leg->dialog().remote_target, "sip:client@127.0.0.12:5060");
}

TEST_F(DialogLegTest, AByeOfAnOldCSeqEndsAllTheSame) {
  client.cseq = 2;
  kamailio.deliver(client.request("BYE"));
  EXPECT_EQ(came.size(), 1U);
}

TEST_F(DialogLegTest, AClosedLegAnswersByeWith200AndAnythingElseWith481) {
  leg->bye();
  const SipMessage bye = client.request("BYE");
  const SipMessage info = client.request("INFO");
  kamailio.deliver(bye);
  kamailio.deliver(info);
  EXPECT_EQ(kamailio.take_response(bye).status(), 200);
  EXPECT_EQ(kamailio.take_response(info).status(), 481);
}

// ---- session timers ----

std::function<void(SipMessage&)> expires(const std::string& value) {
  return [value](SipMessage& message) {
    message.set_header(HeaderName::kSessionExpires, value);
    message.set_header(HeaderName::kSupported, "timer");
  };
}

TEST_F(DialogLegTest, WeRefreshAtHalfTheIntervalWithWhatWeSaidLast) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uac"));
  const sip::Sdp said = (pass(seconds(1)), *leg->local_sdp());
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(895)));
  ASSERT_TRUE(kamailio.sends("INVITE", seconds(10)));
  const SipMessage refresh = kamailio.take_request("INVITE");
  EXPECT_EQ(body_of(refresh), said);
  EXPECT_EQ(refresh.header(HeaderName::kSessionExpires), "1800;refresher=uac");
}

TEST_F(DialogLegTest, AnotherAnswerToARefreshIsToldAndTheSameIsNot) {
  int changed = 0;
  leg->set_on_media_changed([&] { ++changed; });
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uac"));
  pass(seconds(890));
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uac"));
  pass(seconds(1));
  EXPECT_EQ(changed, 0);
  sip::Sdp elsewhere = clients_sdp();
  elsewhere.media[0].port += 2;
  pass(seconds(890));
  kamailio.answer(kamailio.take_request("INVITE"), 200, elsewhere, expires("1800;refresher=uac"));
  pass(seconds(1));
  EXPECT_EQ(changed, 1);
}

TEST_F(DialogLegTest, ARefreshedSessionGoesOn) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uac"));
  for (int refresh = 0; refresh < 5; ++refresh) {
    pass(seconds(890));
    kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uac"));
  }
  EXPECT_EQ(gone, 0);
  EXPECT_FALSE(kamailio.sends("BYE"));
}

TEST_F(DialogLegTest, ARefreshThatIsRefusedIsTriedAgainUntilTheSessionEnds) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("90;refresher=uac"));
  pass(seconds(44));
  kamailio.answer(kamailio.take_request("INVITE"), 503);
  pass(seconds(11));
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("90;refresher=uac"));
  EXPECT_FALSE(kamailio.sends("BYE", seconds(30)));
  for (int refused = 0; refused < 2; ++refused) kamailio.answer(kamailio.take_request("INVITE"), 503);
  EXPECT_EQ(gone, 0);
  pass(seconds(30));
  EXPECT_EQ(gone, 1);
}

TEST_F(DialogLegTest, ASessionThatNobodyRefreshesEnds) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uas"));
  EXPECT_FALSE(kamailio.sends("BYE", seconds(1760)));
  EXPECT_TRUE(kamailio.sends("BYE", seconds(10)));
  EXPECT_EQ(gone, 1);
}

TEST_F(DialogLegTest, AnUpdateOfTheirsRefreshesTheSession) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("1800;refresher=uas"));
  pass(seconds(1700));
  SipMessage update = client.request("UPDATE");
  expires("1800;refresher=uac")(update);
  kamailio.deliver(update);
  leg->answer(came.back().first, came.back().second, std::nullopt, {});
  EXPECT_EQ(kamailio.take_response(update).header(HeaderName::kSessionExpires), "1800;refresher=uac");
  EXPECT_FALSE(kamailio.sends("BYE", seconds(1700)));
}

TEST_F(DialogLegTest, ARefreshToAPartyThatIsGoneEndsTheDialog) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("90;refresher=uac"));
  pass(seconds(44));
  kamailio.answer(kamailio.take_request("INVITE"), 481);
  pass(seconds(1));
  EXPECT_EQ(gone, 1);
}

TEST_F(DialogLegTest, A422IsTriedAgainWithTheIntervalThatItAsksFor) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), expires("90;refresher=uac"));
  pass(seconds(44));
  kamailio.answer(kamailio.take_request("INVITE"), 422, std::nullopt,
                  [](SipMessage& response) { response.set_header(HeaderName::kMinSE, "600"); });
  const SipMessage again = kamailio.take_request("INVITE");
  EXPECT_EQ(again.header(HeaderName::kSessionExpires), "600;refresher=uac");
  EXPECT_EQ(again.header(HeaderName::kMinSE), "600");
}

TEST_F(DialogLegTest, AnIntervalThatIsTooSmallIsAnswered422) {
  SipMessage invite = client.request("INVITE", clients_sdp());
  expires("30")(invite);
  kamailio.deliver(invite);
  leg->answer(came.back().first, came.back().second, johns_sdp(), {});
  const SipMessage response = kamailio.take_response(invite);
  EXPECT_EQ(response.status(), 422);
  EXPECT_EQ(response.header(HeaderName::kMinSE), "90");
  EXPECT_FALSE(leg->is_negotiating());
}

// ---- taking over ----

TEST_F(DialogLegTest, WhatWasWrittenDownGoesOnWithAGapInTheCSeq) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  pass(seconds(1));
  const DialogSnapshot row = leg->snapshot();
  const auto heir = DialogLeg::from_snapshot(agent, row, CallIdOwner::kThey, 1000);
  EXPECT_EQ(heir->dialog().local_cseq, leg->dialog().local_cseq + 1000);
  EXPECT_EQ(*heir->local_sdp(), *leg->local_sdp());
  EXPECT_EQ(*heir->remote_sdp(), *leg->remote_sdp());
  DialogSnapshot again = heir->snapshot();
  again.local_cseq = row.local_cseq;
  EXPECT_EQ(again, row);
}

TEST_F(DialogLegTest, HoldIsKnownFromWhatTheOtherSideSaidLast) {
  leg->set_remote_sdp(clients_sdp());  // recvonly
  EXPECT_FALSE(leg->is_held_by_remote());
  leg->set_remote_sdp(johns_sdp());  // sendonly
  EXPECT_TRUE(leg->is_held_by_remote());
}

}  // namespace
}  // namespace callpark::leg
