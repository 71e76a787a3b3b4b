#include "parkd/leg/sip_legs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parkd/leg/sipfrag.h"
#include "tests/unit/parkd/leg/sip_legs_fixture.h"

namespace callpark::leg {
namespace {

using sip::HeaderName;
using sip::SipMessage;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

int sipfrag_status(const SipMessage& notify) {
  const auto line = parse_sipfrag(notify.body());
  return line ? line->status : 0;
}

sip::Sdp with_direction(sip::Sdp sdp, sip::Direction direction) {
  sip::set_direction(sdp.media[0], direction);
  return sdp;
}

// ---- what is not for us ----

TEST_F(SipLegsTest, ARequestInAnUnknownDialogIsAnswered481) {
  for (const char* method : {"INVITE", "BYE", "INFO", "UPDATE", "NOTIFY", "MESSAGE"}) {
    const SipMessage request = john.request(method);
    kamailio.deliver(request);
    EXPECT_EQ(kamailio.take_response(request).status(), 481) << method;
  }
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, AReferThatKamailioDidNotVouchForIsNotTaken) {
  SipMessage refer = johns_refer();
  refer.remove_header(park_header::kUser);
  kamailio.deliver(refer);
  EXPECT_EQ(kamailio.take_response(refer).status(), 481);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, S11_AFeatureCallWithoutATrustedSenderIsForbidden) {
  SipMessage invite = feature_invite("*88");
  invite.remove_header(park_header::kTenant);
  kamailio.deliver(invite);
  EXPECT_EQ(kamailio.take_response(invite).status(), 403);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, AFeatureCallWithoutAnOfferIsAnswered488) {
  const SipMessage invite = feature_invite("*88", "102", std::nullopt);
  kamailio.deliver(invite);
  EXPECT_EQ(kamailio.take_response(invite).status(), 488);
  EXPECT_THAT(said(), IsEmpty());
}

// As trunks do that send ISUP, and phones that send where they are.
void put_among_other_parts(SipMessage& message, const std::optional<sip::Sdp>& sdp) {
  std::string body = "--b\r\nContent-Type: application/isup;version=itu-t92+\r\n\r\n\x01\r\n";
  if (sdp) body += "--b\r\nContent-Type: application/sdp\r\n\r\n" + sip::write_sdp(*sdp) + "\r\n";
  message.set_body("multipart/mixed;boundary=b", body + "--b--\r\n");
}

TEST_F(SipLegsTest, AnOfferIsFoundAmongOtherParts) {
  SipMessage invite = feature_invite("*88", "102", std::nullopt);
  put_among_other_parts(invite, alices_offer());
  kamailio.deliver(invite);
  EXPECT_THAT(said(), ElementsAre("feature call *88"));
  SipMessage without = feature_invite("*88", "102", std::nullopt);
  put_among_other_parts(without, std::nullopt);
  kamailio.deliver(without);
  EXPECT_EQ(kamailio.take_response(without).status(), 488);
}

TEST_F(SipLegsTest, WhatRequiresAnUnknownExtensionIsAnswered420) {
  park();
  SipMessage invite = feature_invite("*88");
  SipMessage update = john.request("UPDATE");
  SipMessage refer = johns_refer();
  for (SipMessage* request : {&invite, &update, &refer}) {
    request->add_header(HeaderName::kRequire, "timer, nothingSupportsThis");
    request->add_header(HeaderName::kRequire, "100rel");
    kamailio.deliver(*request);
    const SipMessage response = kamailio.take_response(*request);
    EXPECT_EQ(response.status(), 420);
    EXPECT_EQ(response.header(HeaderName::kUnsupported), "nothingSupportsThis, 100rel");
  }
  EXPECT_THAT(said(), IsEmpty());
  SipMessage bye = john.request("BYE");
  bye.add_header(HeaderName::kRequire, "nothingSupportsThis");
  kamailio.deliver(bye);
  EXPECT_EQ(kamailio.take_response(bye).status(), 200);
}

TEST_F(SipLegsTest, ATooShortSessionTimerIsRefusedBeforeAnythingIsDone) {
  SipMessage invite = feature_invite("*88");
  invite.set_header(HeaderName::kSupported, "timer");
  invite.set_header("Session-Expires", "60");
  kamailio.deliver(invite);
  const SipMessage response = kamailio.take_response(invite);
  EXPECT_EQ(response.status(), 422);
  EXPECT_EQ(response.header(HeaderName::kMinSE), "90");
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, N1_ALampIsPickedUpWithReplacesAndDecidedByItsOrbit) {
  SipMessage invite = feature_invite("*88102");
  invite.add_header(HeaderName::kRequire, "replaces");
  invite.add_header(HeaderName::kReplaces, "park-1@demo.callpark;to-tag=orbit;from-tag=caller");
  kamailio.deliver(invite);
  EXPECT_THAT(said(), ElementsAre("feature call *88102"));
}

// In an attended transfer of which a retrieved call is the target, phones dial the code that it was retrieved with.
class SipLegsReplacesTest : public SipLegsTest {
 protected:
  SipMessage invite_for(const std::string& replaced, const std::string& user = "103") {
    SipMessage invite = bob.request("INVITE", alices_offer());
    invite.set_request_uri("sip:*88102@demo.callpark");
    trust(invite, user);
    invite.add_header(HeaderName::kReplaces, replaced);
    return invite;
  }
  std::string place_of(const FarEnd& party) const {
    return party.call_id + ";to-tag=" + party.parkd_tag + ";from-tag=" + party.tag;
  }
  FarEnd bob{"call-3", "bob-tag", "sip:103@demo.callpark", "sip:103@127.0.0.14:5060", "", "sip:*88102@demo.callpark",
             0};
};

TEST_F(SipLegsReplacesTest, S12_WhoIsToTakeARetrieversPlaceGetsThatCallAndNoOther) {
  park();
  retrieve();
  const SipMessage invite = invite_for(place_of(alice));
  const CallId call = dial(invite);
  ASSERT_EQ(listener.calls.back().takes_place_in, "p");

  legs.unbridge("p");
  legs.offer_call("p", 9, call);
  const SipMessage offer = kamailio.take_request("INVITE");
  EXPECT_EQ(offer.to_tag(), "client-tag");
  kamailio.answer(offer, 200, clients_sdp());
  EXPECT_THAT(said(), ElementsAre("p: accepted 9"));
  legs.answer_retriever(call, "p");
  const SipMessage answer = kamailio.take_response(invite);
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(body_of(answer).media[0].port, clients_sdp().media[0].port);
  legs.end("p", PartyEnd::kPeer);
  const SipMessage bye = kamailio.take_request("BYE");
  EXPECT_EQ(bye.to_tag(), "alice-tag") << "RFC 3891 3: the dialog that is replaced ends";
  kamailio.answer(bye, 200);
  bob.parkd_tag = std::string(answer.to_tag());
  kamailio.deliver(bob.ack(invite));
  EXPECT_THAT(said(), ElementsAre("confirmed " + std::to_string(call)));
  legs.make_peer("p", call);
  legs.bridge("p");

  const SipMessage hold = bob.request("INVITE", with_direction(alices_offer(), sip::Direction::kSendOnly));
  kamailio.deliver(hold);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  kamailio.deliver(bob.ack(hold));
  EXPECT_EQ(legs.call_held_by("demo.callpark", "103", "").value().park_id, "p");
  EXPECT_FALSE(legs.call_held_by("demo.callpark", "102", ""));
  kamailio.deliver(bob.request("BYE"));
  EXPECT_THAT(said(), ElementsAre("p: peer gone"));
}

TEST_F(SipLegsReplacesTest, S12_NobodyTakesThePlaceOfACallerOrOfAFeatureCall) {
  park();
  retrieve();
  FarEnd caller = client;
  const SipMessage of_caller = invite_for(place_of(caller));
  kamailio.deliver(of_caller);
  EXPECT_EQ(kamailio.take_response(of_caller).status(), 603);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsReplacesTest, S12_APlaceThatIsWantedOnlyWhileItRingsIsBusy) {
  park();
  retrieve();
  const SipMessage invite = invite_for(place_of(alice) + ";early-only");
  kamailio.deliver(invite);
  EXPECT_EQ(kamailio.take_response(invite).status(), 486);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsReplacesTest, S11_ATrunkTakesNobodysPlace) {
  park();
  retrieve();
  SipMessage invite = invite_for(place_of(alice));
  invite.remove_header(park_header::kUser);
  invite.set_header(park_header::kTrunk, "site-b");
  kamailio.deliver(invite);
  EXPECT_EQ(kamailio.take_response(invite).status(), 603);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, OptionsAreAnswered) {
  alice.parkd_tag = "";
  const SipMessage options = alice.request("OPTIONS");
  kamailio.deliver(options);
  EXPECT_EQ(kamailio.take_response(options).status(), 200);
}

TEST_F(SipLegsTest, ANewDialogIsMadeByInviteOnly) {
  const SipMessage message = alice.request("MESSAGE");
  kamailio.deliver(message);
  const SipMessage response = kamailio.take_response(message);
  EXPECT_EQ(response.status(), 405);
  EXPECT_TRUE(response.header(HeaderName::kAllow));
}

ParkedCallRow row_of(RowState state) {
  const AdoptableDialog dialog = *decode_adoptable_dialog(
      R"({"call_id":"call-1","parker":"caller","route":"<sip:127.0.0.1:5060;lr>",
      "caller":{"tag":"john-tag","uri":"sip:101@demo.callpark","contact":"sip:101@127.0.0.11:5060","cseq":20},
      "callee":{"tag":"client-tag","uri":"sip:client@demo.callpark","contact":"sip:client@127.0.0.12:5060","cseq":7}})");
  ParkedCallRow row;
  row.park_id = "p";
  row.tenant = "demo.callpark";
  row.orbit = "101";
  row.state = state;
  row.caller = dialog.caller;
  row.peer = dialog.parker;
  row.retriever = state == RowState::kRetrieved ? "102" : "";
  row.media = MediaSnapshot{"park-x", mediad_address(), 77, std::nullopt};
  return row;
}

class SipLegsNotReadyTest : public SipLegsTest {
 protected:
  SipLegsNotReadyTest() { early.set_listener(&listener); }
  ScriptedKamailio other{loop};
  SipLegs early{UserAgent{loop, other.transactions(), kInside, "<sip:parkd@127.0.0.1:5062>", playable_codecs(), {}}};
};

TEST_F(SipLegsNotReadyTest, O4_UntilTheCallsAreTakenOverKamailioIsSentAway) {
  other.transactions().start(early);
  alice.parkd_tag = "";
  const SipMessage options = alice.request("OPTIONS");
  const SipMessage invite = feature_invite("*88");
  const SipMessage refer = johns_refer();
  for (const SipMessage* request : {&options, &invite, &refer}) {
    other.deliver(*request);
    EXPECT_EQ(other.take_response(*request).status(), 503) << request->method();
  }
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsNotReadyTest, O4_WhatIsSaidInADialogMeanwhileIsAnsweredWhenTheCallsAreTakenOver) {
  other.transactions().start(early);
  const SipMessage hold = client.request("INVITE", with_direction(clients_sdp(), sip::Direction::kSendOnly));
  const SipMessage bye = client.request("BYE");
  other.deliver(hold);
  other.deliver(bye);
  EXPECT_THAT(said(), IsEmpty());
  early.take_over(row_of(RowState::kParked));
  early.set_ready();
  EXPECT_EQ(other.take_response(hold).status(), 200);
  EXPECT_EQ(other.take_response(bye).status(), 200);
  EXPECT_THAT(said(), ElementsAre("p: media changed", "p: caller gone"));
  const SipMessage strangers = alice.request("BYE");
  SipMessage within = strangers;
  within.set_header(HeaderName::kTo, "<sip:*88@demo.callpark>;tag=nobody");
  other.deliver(within);
  EXPECT_EQ(other.take_response(within).status(), 481);
}

// ---- REFER in a foreign dialog ----

TEST_F(SipLegsTest, P1_AReferToACodeIsAcceptedAndReportedAsTrying) {
  const SipMessage refer = johns_refer();
  kamailio.deliver(refer);
  EXPECT_THAT(kamailio.sent, IsEmpty()) << "before anything is decided";
  legs.accept_refer(listener.referrals.at(0).refer);
  EXPECT_EQ(kamailio.take_response(refer).status(), 202);
  const SipMessage notify = kamailio.take_request("NOTIFY");
  EXPECT_EQ(sipfrag_status(notify), 100);
  EXPECT_EQ(notify.event(), "refer");
  EXPECT_EQ(notify.from_tag(), "client-tag");
  EXPECT_EQ(notify.to_tag(), "john-tag");
  EXPECT_EQ(notify.request_uri_text(), "sip:101@127.0.0.11:5060");
  EXPECT_GT(notify.cseq().number, 7U);
  EXPECT_FALSE(notify.header(park_header::kAdoption));
  EXPECT_THAT(said(), ElementsAre("refer to *68"));
  EXPECT_EQ(listener.referrals[0].user, "101");
  EXPECT_EQ(listener.referrals[0].tenant, "demo.callpark");
  EXPECT_EQ(listener.referrals[0].dialog.caller.remote_target, "sip:client@127.0.0.12:5060");
}

TEST_F(SipLegsTest, P2_AnEscapedCodeIsReadAsItWasDialled) {
  kamailio.deliver(johns_refer("<sip:%2A68102@demo.callpark>"));
  EXPECT_THAT(said(), ElementsAre("refer to *68102"));
}

TEST_F(SipLegsTest, P1_ATelUriIsReadAsTheNumberThatWasDialled) {
  kamailio.deliver(johns_refer("<tel:*68-102;phone-context=demo.callpark>"));
  EXPECT_THAT(said(), ElementsAre("refer to *68102"));
}

TEST_F(SipLegsTest, AReferIsTakenWithoutKamailiosRecordOfItsDialog) {
  SipMessage refer = johns_refer();
  refer.remove_header(park_header::kDialog);
  kamailio.deliver(refer);
  EXPECT_THAT(said(), ElementsAre("refer to *68"));
}

TEST_F(SipLegsTest, AReferIsTakenWithARecordThatCannotBeRead) {
  SipMessage refer = johns_refer();
  refer.set_header(park_header::kDialog, "{\"call_id\":");
  kamailio.deliver(refer);
  EXPECT_THAT(said(), ElementsAre("refer to *68"));
}

TEST_F(SipLegsTest, AReferThatCannotBeUnderstoodIsRefused) {
  for (const auto& [refer_to, status] : {std::pair{"<mailto:a@b>", 416}, {"<sip:*68@x;method=BYE>", 501}}) {
    const SipMessage refer = johns_refer(refer_to);
    kamailio.deliver(refer);
    EXPECT_EQ(kamailio.take_response(refer).status(), status) << refer_to;
  }
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, ASecondReferWhileTheFirstIsConsideredIsRefused) {
  kamailio.deliver(johns_refer());
  const SipMessage second = johns_refer();
  kamailio.deliver(second);
  EXPECT_GE(kamailio.take_response(second).status(), 400);
  EXPECT_THAT(said(), ElementsAre("refer to *68"));
}

TEST_F(SipLegsTest, S13_ARefusedReferLeavesTheDialogAsItWas) {
  const SipMessage refer = johns_refer();
  kamailio.deliver(refer);
  said();
  legs.conclude_refer(listener.referrals[0].refer, 486, "Orbit taken");
  const SipMessage refused = kamailio.take_response(refer);
  EXPECT_EQ(refused.status(), 486);
  EXPECT_EQ(refused.reason(), "Orbit taken");
  EXPECT_FALSE(refused.header(park_header::kAdoption));
  EXPECT_FALSE(kamailio.sends("NOTIFY")) << "its CSeq would pass that of the other party";
  // Nothing is left of it: the next one is as the first.
  kamailio.deliver(johns_refer());
  EXPECT_THAT(said(), ElementsAre("refer to *68"));
}

TEST_F(SipLegsTest, ARefusalOfAReferDoesNotSayThatItsDialogIsNoMore) {
  for (const int status : {404, 480}) {
    const SipMessage refer = johns_refer();
    kamailio.deliver(refer);
    legs.conclude_refer(listener.referrals.back().refer, status, "Not a valid code");
    const SipMessage refused = kamailio.take_response(refer);
    EXPECT_EQ(refused.status(), 603);
    EXPECT_EQ(refused.reason(), "Not a valid code");
  }
}

TEST_F(SipLegsTest, AnAcceptedReferThatFailsIsReported) {
  const SipMessage refer = johns_refer();
  kamailio.deliver(refer);
  legs.accept_refer(listener.referrals.at(0).refer);
  kamailio.take_request("NOTIFY");
  legs.conclude_refer(listener.referrals[0].refer, 404, "Not a valid code");
  const SipMessage notify = kamailio.take_request("NOTIFY");
  EXPECT_EQ(sipfrag_status(notify), 404);
  EXPECT_THAT(std::string(notify.subscription_state()), testing::StartsWith("terminated"));
}

TEST_F(SipLegsTest, AReferIsConcludedOnceAndAcceptedAtTheLatestThen) {
  const SipMessage refer = johns_refer();
  kamailio.deliver(refer);
  said();
  legs.conclude_refer(listener.referrals[0].refer, 200, "OK");
  EXPECT_EQ(kamailio.take_response(refer).status(), 202);
  EXPECT_EQ(sipfrag_status(kamailio.take_request("NOTIFY")), 100);
  EXPECT_EQ(sipfrag_status(kamailio.take_request("NOTIFY")), 200);
  legs.conclude_refer(listener.referrals[0].refer, 503, "");
  legs.accept_refer(listener.referrals[0].refer);
  EXPECT_FALSE(kamailio.sends("NOTIFY"));
}

TEST_F(SipLegsTest, AParkerWhoHangsUpBeforeHisCallIsAdoptedIsReportedGone) {
  kamailio.deliver(johns_refer());
  said();
  const SipMessage bye = john.request("BYE");
  kamailio.deliver(bye);
  EXPECT_EQ(kamailio.take_response(bye).status(), 200);
  EXPECT_TRUE(legs.adopt("p", listener.referrals[0].dialog));
  EXPECT_THAT(said(), ElementsAre("p: peer gone"));
}

TEST_F(SipLegsTest, AParkerWhoHangsUpAndIsRefusedEndsTheCall) {
  kamailio.deliver(johns_refer());
  said();
  kamailio.deliver(john.request("BYE"));
  legs.conclude_refer(listener.referrals[0].refer, 486, "");
  const SipMessage bye = kamailio.take_request("BYE");
  EXPECT_EQ(bye.from_tag(), "john-tag");
  EXPECT_EQ(bye.request_uri_text(), "sip:client@127.0.0.12:5060");
}

// ---- adoption ----

TEST_F(SipLegsTest, P1_MusicIsOfferedAndItsRemoteIsReadFromTheAnswer) {
  ASSERT_TRUE(legs.adopt("p", adoptable()));
  EXPECT_FALSE(kamailio.sends("INVITE"));
  legs.offer_music("p", 5, mediad_address());
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_EQ(invite.from_tag(), "john-tag");
  EXPECT_EQ(body_of(invite).media[0].port, mediad_address().port);
  kamailio.answer(invite, 200, with_direction(clients_sdp(), sip::Direction::kSendRecv));
  EXPECT_THAT(said(), ElementsAre("p: accepted 5"));
  ASSERT_TRUE(listener.music);
  EXPECT_EQ(listener.music->remote, (MediaAddress{"127.0.0.12", 6004}));
  EXPECT_EQ(listener.music->codec.name, "PCMU");
  EXPECT_TRUE(listener.music->listens);
}

TEST_F(SipLegsTest, ADialogIsAdoptedOnce) {
  ASSERT_TRUE(legs.adopt("p", adoptable()));
  EXPECT_FALSE(legs.adopt("q", adoptable()));
  legs.forget("p");
  EXPECT_TRUE(legs.adopt("q", adoptable()));
}

TEST_F(SipLegsTest, S13_ARefusedAdoptionIsToldAndSoIsAnAnswerOfNoUse) {
  ASSERT_TRUE(legs.adopt("p", adoptable()));
  legs.offer_music("p", 1, mediad_address());
  kamailio.answer(kamailio.take_request("INVITE"), 488);
  EXPECT_THAT(said(), ElementsAre("p: refused 1"));
  legs.offer_music("p", 2, mediad_address());
  sip::Sdp deaf = clients_sdp();
  deaf.media[0].port = 0;
  kamailio.answer(kamailio.take_request("INVITE"), 200, deaf);
  EXPECT_THAT(said(), ElementsAre("p: refused 2, changed"));
  legs.offer_music("p", 3, mediad_address());
  kamailio.answer(kamailio.take_request("INVITE"), 200);
  EXPECT_THAT(said(), ElementsAre("p: refused 3, changed"));
  legs.offer_peer("p", 4);
  kamailio.answer(kamailio.take_request("INVITE"), 200);
  EXPECT_THAT(said(), ElementsAre("p: accepted 4")) << "he sends to the parker again, and more is not needed";
}

TEST_F(SipLegsTest, ACallerWhoIsGoneIsToldOnceAsGone) {
  ASSERT_TRUE(legs.adopt("p", adoptable()));
  legs.offer_music("p", 1, mediad_address());
  kamailio.answer(kamailio.take_request("INVITE"), 481);
  EXPECT_THAT(said(), ElementsAre("p: caller gone"));
}

TEST_F(SipLegsTest, EndingTheCallerWhileHeIsOfferedSomethingIsNotHisGoing) {
  ASSERT_TRUE(legs.adopt("p", adoptable()));
  legs.offer_music("p", 1, mediad_address());
  const SipMessage invite = kamailio.take_request("INVITE");
  legs.end("p", PartyEnd::kCaller);
  EXPECT_TRUE(kamailio.sends("BYE"));
  kamailio.answer(invite, 487);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, WhatIsForgottenSaysNothingMore) {
  park();
  legs.offer_music("p", 2, mediad_address());
  const SipMessage invite = kamailio.take_request("INVITE");
  legs.forget("p");
  kamailio.answer(invite, 200, clients_sdp());
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_FALSE(kamailio.sends("BYE"));
  const SipMessage info = client.request("INFO");
  kamailio.deliver(info);
  EXPECT_EQ(kamailio.take_response(info).status(), 481);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, TheByeOfEachPartyIsToldAsHis) {
  park();
  const SipMessage johns = john.request("BYE");
  kamailio.deliver(johns);
  EXPECT_EQ(kamailio.take_response(johns).status(), 200);
  EXPECT_THAT(said(), ElementsAre("p: peer gone"));
  EXPECT_FALSE(legs.peer_snapshot("p"));
  kamailio.deliver(client.request("BYE"));
  EXPECT_THAT(said(), ElementsAre("p: caller gone"));
  legs.end("p", PartyEnd::kCaller);
  legs.end("p", PartyEnd::kPeer);
  EXPECT_FALSE(kamailio.sends("BYE"));
}

TEST_F(SipLegsTest, TheParkersByeWithAnOldCSeqCounts) {
  park();
  john.cseq = 0;
  kamailio.deliver(john.request("BYE"));
  EXPECT_THAT(said(), ElementsAre("p: peer gone"));
}

TEST_F(SipLegsTest, EndingThePeerIsAByeInTheCallersName) {
  park();
  legs.end("p", PartyEnd::kPeer);
  const SipMessage bye = kamailio.take_request("BYE");
  EXPECT_EQ(bye.from_tag(), "client-tag");
  EXPECT_EQ(bye.to_tag(), "john-tag");
  EXPECT_EQ(bye.request_uri_text(), "sip:101@127.0.0.11:5060");
}

TEST_F(SipLegsTest, AResumeOfTheParkedHalfIsRefused) {
  park();
  const SipMessage resume = john.request("INVITE", johns_sdp());
  kamailio.deliver(resume);
  EXPECT_EQ(kamailio.take_response(resume).status(), 481);
}

TEST_F(SipLegsTest, AReinviteWhileOursIsUnderWayIsAnswered491) {
  park();
  legs.offer_music("p", 2, mediad_address());
  const SipMessage ours = kamailio.take_request("INVITE");
  const SipMessage theirs = client.request("INVITE", clients_sdp());
  kamailio.deliver(theirs);
  EXPECT_EQ(kamailio.take_response(theirs).status(), 491);
  kamailio.answer(ours, 200, clients_sdp());
  EXPECT_THAT(said(), ElementsAre("p: accepted 2"));
}

// ---- the caller while he hears music ----

TEST_F(SipLegsTest, ACallerWhoHoldsTheMusicIsAnsweredFromMediad) {
  park();
  const SipMessage hold = client.request("INVITE", with_direction(clients_sdp(), sip::Direction::kSendOnly));
  kamailio.deliver(hold);
  const SipMessage ok = kamailio.take_response(hold);
  EXPECT_EQ(ok.status(), 200);
  EXPECT_EQ(body_of(ok).media[0].port, mediad_address().port);
  EXPECT_EQ(body_of(ok).origin.username, "john");
  EXPECT_EQ(body_of(ok).origin.version, 44770664U);
  EXPECT_EQ(sip::direction(body_of(ok), body_of(ok).media[0]), sip::Direction::kRecvOnly);
  kamailio.deliver(client.ack(hold));
  EXPECT_THAT(said(), ElementsAre("p: media changed"));
  EXPECT_FALSE(listener.music->listens);
}

TEST_F(SipLegsTest, AnOfferlessReinviteOfTheCallerGetsTheMusicAsOffer) {
  park();
  const SipMessage invite = client.request("INVITE");
  kamailio.deliver(invite);
  EXPECT_EQ(body_of(kamailio.take_response(invite)).media[0].port, mediad_address().port);
  EXPECT_THAT(said(), IsEmpty());
  sip::Sdp elsewhere = clients_sdp();
  elsewhere.media[0].port = 6010;
  kamailio.deliver(client.ack(invite, elsewhere));
  EXPECT_THAT(said(), ElementsAre("p: media changed"));
  EXPECT_EQ(listener.music->remote.port, 6010);
}

TEST_F(SipLegsTest, AnOfferThatMediadCannotServeIsAnswered488) {
  park();
  sip::Sdp srtp = clients_sdp();
  srtp.media[0].protocol = "RTP/SAVP";
  const SipMessage invite = client.request("INVITE", srtp);
  kamailio.deliver(invite);
  EXPECT_EQ(kamailio.take_response(invite).status(), 488);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, AnUpdateWithoutASessionDescriptionIsARefresh) {
  park();
  for (const bool has_body : {false, true}) {
    SipMessage update = client.request("UPDATE");
    if (has_body) put_among_other_parts(update, std::nullopt);
    kamailio.deliver(update);
    const SipMessage ok = kamailio.take_response(update);
    EXPECT_EQ(ok.status(), 200);
    EXPECT_EQ(ok.body(), "");
  }
}

TEST_F(SipLegsTest, AnOfferAndAnAnswerOfTheParkedCallerAreFoundAmongOtherParts) {
  ASSERT_TRUE(legs.adopt("p", adoptable()));
  legs.offer_music("p", 1, mediad_address());
  kamailio.answer(kamailio.take_request("INVITE"), 200, std::nullopt,
                  [](SipMessage& response) { put_among_other_parts(response, clients_sdp()); });
  kamailio.take_request("ACK");
  EXPECT_THAT(said(), ElementsAre("p: accepted 1"));
  SipMessage hold = client.request("INVITE");
  put_among_other_parts(hold, with_direction(clients_sdp(), sip::Direction::kSendOnly));
  kamailio.deliver(hold);
  EXPECT_EQ(body_of(kamailio.take_response(hold)).media[0].port, mediad_address().port);
  kamailio.deliver(client.ack(hold));
  EXPECT_THAT(said(), ElementsAre("p: media changed"));
}

TEST_F(SipLegsTest, AnInviteOfTheParkedCallerWithoutASessionDescriptionAsksForAnOffer) {
  park();
  SipMessage invite = client.request("INVITE");
  put_among_other_parts(invite, std::nullopt);
  kamailio.deliver(invite);
  EXPECT_EQ(body_of(kamailio.take_response(invite)).media[0].port, mediad_address().port);
  SipMessage ack = client.ack(invite);
  put_among_other_parts(ack, with_direction(clients_sdp(), sip::Direction::kSendOnly));
  kamailio.deliver(ack);
  EXPECT_THAT(said(), ElementsAre("p: media changed")) << "by the answer in the ACK";
}

TEST_F(SipLegsTest, AnOfferAmongOtherPartsIsPassedOnAfterARetrieve) {
  park();
  retrieve();
  SipMessage hold = client.request("INVITE");
  put_among_other_parts(hold, with_direction(clients_sdp(), sip::Direction::kSendOnly));
  kamailio.deliver(hold);
  const SipMessage passed = kamailio.take_request("INVITE");
  EXPECT_EQ(sip::direction(body_of(passed), body_of(passed).media[0]), sip::Direction::kSendOnly);
  kamailio.answer(passed, 200, std::nullopt, [](SipMessage& response) {
    put_among_other_parts(response, with_direction(alices_offer(), sip::Direction::kRecvOnly));
  });
  EXPECT_EQ(kamailio.take_response(hold).status(), 200);
}

TEST_F(SipLegsTest, ACallerWhoNeverAcknowledgesOurAnswerIsGone) {
  park();
  kamailio.deliver(client.request("INVITE", clients_sdp()));
  pass(seconds(33));
  EXPECT_THAT(said(), ElementsAre("p: media changed", "p: caller gone"));
  EXPECT_TRUE(kamailio.sends("BYE"));
}

TEST_F(SipLegsTest, InfoWhileParkedEndsHere) {
  park();
  const SipMessage info = client.request("INFO");
  kamailio.deliver(info);
  EXPECT_EQ(kamailio.take_response(info).status(), 200);
  EXPECT_FALSE(kamailio.sends("INFO"));
}

// ---- feature calls ----

TEST_F(SipLegsTest, AFeatureCallIsHandedOverWithWhatKamailioSaysOfIt) {
  SipMessage invite = feature_invite("*70333");
  invite.set_header(park_header::kDialog, dialog_json());
  dial(invite);
  ASSERT_THAT(listener.calls, SizeIs(1));
  const FeatureCall& call = listener.calls[0];
  EXPECT_EQ(call.tenant, "demo.callpark");
  EXPECT_EQ(call.user, "102");
  EXPECT_EQ(call.dialled, "*70333");
  ASSERT_TRUE(call.held);
  EXPECT_EQ(call.held->caller.remote_tag, "client-tag");
}

TEST_F(SipLegsTest, S7_AHeldCallThatCannotBeReadIsNone) {
  SipMessage invite = feature_invite("*70333");
  invite.set_header(park_header::kDialog, R"({"call_id":"x","parker":"nobody"})");
  dial(invite);
  ASSERT_THAT(listener.calls, SizeIs(1));
  EXPECT_FALSE(listener.calls[0].held);
}

// The marker of John is set at Kamailio as soon as he dials a park code, so what he sends in the held call comes here.
TEST_F(SipLegsTest, S13_AParkerWhoEndsTheHeldCallAndIsRefusedEndsIt) {
  SipMessage invite = feature_invite("*70", "101");
  invite.set_header(park_header::kDialog, dialog_json());
  const CallId call = dial(invite);
  const SipMessage bye = john.request("BYE");
  kamailio.deliver(bye);
  EXPECT_EQ(kamailio.take_response(bye).status(), 200);
  EXPECT_THAT(said(), IsEmpty());
  legs.refuse(call, 403, "Not permitted");
  const SipMessage to_client = kamailio.take_request("BYE");
  EXPECT_EQ(to_client.to_tag(), "client-tag");
  kamailio.answer(to_client, 200);
}

TEST_F(SipLegsTest, S13_AParkerWhoseFeatureCallIsRefusedHasHisCallBack) {
  SipMessage invite = feature_invite("*70", "101");
  invite.set_header(park_header::kDialog, dialog_json());
  legs.refuse(dial(invite), 403, "Not permitted");
  // parkd knows nothing of the call any more.
  const SipMessage bye = john.request("BYE");
  kamailio.deliver(bye);
  EXPECT_EQ(kamailio.take_response(bye).status(), 481);
}

TEST_F(SipLegsTest, S1_AParkerWhoEndsTheHeldCallBeforeItIsAdoptedIsReportedGone) {
  SipMessage invite = feature_invite("*70", "101");
  invite.set_header(park_header::kDialog, dialog_json());
  dial(invite);
  ASSERT_TRUE(legs.adopt("p", *listener.calls.back().held));
  const SipMessage bye = john.request("BYE");
  kamailio.deliver(bye);
  EXPECT_EQ(kamailio.take_response(bye).status(), 200);
  EXPECT_THAT(said(), ElementsAre("p: peer gone"));
}

TEST_F(SipLegsTest, S9_EarlyMediaDoesNotAnswerTheCall) {
  const SipMessage invite = feature_invite("*88");
  const CallId call = dial(invite);
  const auto remote = legs.answer_with_media(call, mediad_address(), Legs::Answer::kEarly);
  ASSERT_TRUE(remote);
  EXPECT_EQ(remote->remote, (MediaAddress{"127.0.0.13", 7004}));
  const SipMessage progress = kamailio.take_response(invite, 183);
  EXPECT_EQ(progress.status(), 183);
  EXPECT_EQ(body_of(progress).media[0].port, mediad_address().port);
  legs.refuse(call, 404, "No call parked there");
  const SipMessage final = kamailio.take_response(invite);
  EXPECT_EQ(final.status(), 404);
  EXPECT_EQ(final.reason(), "No call parked there");
  EXPECT_EQ(final.to_tag(), progress.to_tag());
}

TEST_F(SipLegsTest, S2_AnAnsweredCallIsConfirmedByItsAckAndEndedByBye) {
  const SipMessage invite = feature_invite("*70");
  const CallId call = dial(invite);
  ASSERT_TRUE(legs.answer_with_media(call, mediad_address(), Legs::Answer::kFinal));
  learn_tag(kamailio.take_response(invite));
  kamailio.deliver(alice.ack(invite));
  EXPECT_THAT(said(), ElementsAre("confirmed " + std::to_string(call)));
  legs.hang_up(call);
  const SipMessage bye = kamailio.take_request("BYE");
  EXPECT_EQ(bye.to_tag(), "alice-tag");
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, HangingUpAnUnansweredCallRefusesIt) {
  const SipMessage invite = feature_invite("*70");
  legs.hang_up(dial(invite));
  EXPECT_EQ(kamailio.take_response(invite).status(), 480);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, HangingUpBeforeTheAckWaitsForIt) {
  const SipMessage invite = feature_invite("*70");
  const CallId call = dial(invite);
  ASSERT_TRUE(legs.answer_with_media(call, mediad_address(), Legs::Answer::kFinal));
  learn_tag(kamailio.take_response(invite));
  legs.hang_up(call);
  EXPECT_FALSE(kamailio.sends("BYE"));
  kamailio.deliver(alice.ack(invite));
  EXPECT_TRUE(kamailio.sends("BYE"));
  const SipMessage late = alice.request("INFO");
  kamailio.deliver(late);
  EXPECT_EQ(kamailio.take_response(late).status(), 481);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, ACallThatIsCancelledIsAnswered487) {
  const SipMessage invite = feature_invite("*88");
  const CallId call = dial(invite);
  SipMessage cancel = sip::make_request("CANCEL", invite.request_uri_text());
  cancel.add_header(HeaderName::kVia, invite.top_via().to_string());
  for (const auto name : {HeaderName::kFrom, HeaderName::kTo, HeaderName::kCallId}) {
    cancel.add_header(name, *invite.header(name));
  }
  cancel.set_cseq(invite.cseq().number, "CANCEL");
  kamailio.deliver(cancel);
  EXPECT_EQ(kamailio.take_response(invite).status(), 487);
  EXPECT_EQ(kamailio.take_response(cancel).status(), 200);
  EXPECT_THAT(said(), ElementsAre("gone " + std::to_string(call)));
  legs.refuse(call, 404, "");  // too late, and harmless
  EXPECT_FALSE(legs.answer_with_media(call, mediad_address(), Legs::Answer::kFinal));
}

TEST_F(SipLegsTest, S2_TheListenerLearnsThatAnAnsweredCallHungUp) {
  const SipMessage invite = feature_invite("*70");
  const CallId call = dial(invite);
  ASSERT_TRUE(legs.answer_with_media(call, mediad_address(), Legs::Answer::kFinal));
  learn_tag(kamailio.take_response(invite));
  kamailio.deliver(alice.ack(invite));
  said();
  const SipMessage bye = alice.request("BYE");
  kamailio.deliver(bye);
  EXPECT_EQ(kamailio.take_response(bye).status(), 200);
  EXPECT_THAT(said(), ElementsAre("gone " + std::to_string(call)));
}

TEST_F(SipLegsTest, AByeThatOvertakesTheAckStopsTheAnswer) {
  const SipMessage invite = feature_invite("*70");
  const CallId call = dial(invite);
  ASSERT_TRUE(legs.answer_with_media(call, mediad_address(), Legs::Answer::kFinal));
  const SipMessage ok = kamailio.take_response(invite);
  learn_tag(ok);
  kamailio.deliver(alice.request("BYE"));
  EXPECT_THAT(said(), ElementsAre("gone " + std::to_string(call)));
  pass(seconds(40));
  EXPECT_EQ(kamailio.copies(ok), 1U);
  EXPECT_FALSE(kamailio.sends("BYE"));
}

TEST_F(SipLegsTest, AByeBeforeTheAnswerEndsTheInviteToo) {
  const SipMessage invite = feature_invite("*88");
  const CallId call = dial(invite);
  ASSERT_TRUE(legs.answer_with_media(call, mediad_address(), Legs::Answer::kEarly));
  learn_tag(kamailio.take_response(invite, 183));
  const SipMessage bye = alice.request("BYE");
  kamailio.deliver(bye);
  EXPECT_EQ(kamailio.take_response(bye).status(), 200);
  EXPECT_EQ(kamailio.take_response(invite).status(), 487);
  EXPECT_THAT(said(), ElementsAre("gone " + std::to_string(call)));
}

TEST_F(SipLegsTest, ACallThatIsNeverAcknowledgedIsLostAndForgotten) {
  const SipMessage invite = feature_invite("*70");
  const CallId call = dial(invite);
  ASSERT_TRUE(legs.answer_with_media(call, mediad_address(), Legs::Answer::kFinal));
  learn_tag(kamailio.take_response(invite));
  pass(seconds(33));
  EXPECT_THAT(said(), ElementsAre("lost " + std::to_string(call)));
  EXPECT_TRUE(kamailio.sends("BYE"));
  legs.hang_up(call);
  const SipMessage info = alice.request("INFO");
  kamailio.deliver(info);
  EXPECT_EQ(kamailio.take_response(info).status(), 481);
}

TEST_F(SipLegsTest, AnOfferBeforeOurAnswerIsRefusedForNow) {
  const SipMessage invite = feature_invite("*88");
  const CallId call = dial(invite);
  ASSERT_TRUE(legs.answer_with_media(call, mediad_address(), Legs::Answer::kEarly));
  learn_tag(kamailio.take_response(invite, 183));
  for (const char* method : {"UPDATE", "INVITE"}) {
    const SipMessage request = alice.request(method, alices_offer());
    kamailio.deliver(request);
    EXPECT_EQ(kamailio.take_response(request).status(), 500) << method;
  }
}

TEST_F(SipLegsTest, AParkerMayHoldTheAnnouncement) {
  const SipMessage invite = feature_invite("*70");
  const CallId call = dial(invite);
  ASSERT_TRUE(legs.answer_with_media(call, mediad_address(), Legs::Answer::kFinal));
  const SipMessage ok = kamailio.take_response(invite);
  learn_tag(ok);
  kamailio.deliver(alice.ack(invite));
  const SipMessage hold = alice.request("INVITE", with_direction(alices_offer(), sip::Direction::kSendOnly));
  kamailio.deliver(hold);
  const SipMessage held = kamailio.take_response(hold);
  EXPECT_EQ(held.status(), 200);
  EXPECT_EQ(body_of(held).origin.version, body_of(ok).origin.version + 1);
}

TEST_F(SipLegsTest, AnOfferWithNoCodecInCommonCannotBeAnsweredWithMedia) {
  sip::Sdp g729 = alices_offer();
  g729.media[0].formats = {"18"};
  const CallId call = dial(feature_invite("*70", "102", g729));
  EXPECT_FALSE(legs.answer_with_media(call, mediad_address(), Legs::Answer::kFinal));
}

// ---- the retrieve ----

TEST_F(SipLegsTest, P3_TheCallerIsOfferedTheRetrieversMediaAndSheGetsHisAnswer) {
  park();
  const SipMessage invite = feature_invite("*88");
  const CallId call = dial(invite);
  legs.offer_call("p", 2, call);
  const SipMessage offer = kamailio.take_request("INVITE");
  EXPECT_EQ(offer.from_tag(), "john-tag") << "to the Client it is John's dialog still";
  EXPECT_EQ(body_of(offer).origin.username, "john");
  EXPECT_EQ(body_of(offer).media[0].port, 7004);
  EXPECT_EQ(body_of(offer).connection->address, "127.0.0.13");
  kamailio.answer(offer, 200, clients_sdp());
  EXPECT_THAT(said(), ElementsAre("p: accepted 2"));
  EXPECT_FALSE(listener.music);
  legs.answer_retriever(call, "p");
  const SipMessage ok = kamailio.take_response(invite);
  EXPECT_EQ(ok.status(), 200);
  EXPECT_EQ(body_of(ok).media[0].port, 6004);
  EXPECT_EQ(body_of(ok).connection->address, "127.0.0.12");
  EXPECT_THAT(body_of(ok).media, SizeIs(alices_offer().media.size()));
}

TEST_F(SipLegsTest, S12_HoldAndResumePassTheBridgeEachWithItsOwnOriginLine) {
  park();
  retrieve();
  const std::uint64_t version = sdp_of(legs.caller_snapshot("p").local_sdp).origin.version;
  const std::uint64_t alices_version = sdp_of(legs.peer_snapshot("p")->local_sdp).origin.version;

  const SipMessage hold = alice.request("INVITE", with_direction(alices_offer(), sip::Direction::kSendOnly));
  kamailio.deliver(hold);
  const SipMessage passed = kamailio.take_request("INVITE");
  EXPECT_EQ(body_of(passed).origin.username, "john");
  EXPECT_EQ(body_of(passed).origin.version, version + 1);
  EXPECT_EQ(sip::direction(body_of(passed), body_of(passed).media[0]), sip::Direction::kSendOnly);
  kamailio.answer(passed, 200, with_direction(clients_sdp(), sip::Direction::kRecvOnly));
  const SipMessage ok = kamailio.take_response(hold);
  EXPECT_EQ(body_of(ok).origin.version, alices_version + 1);
  EXPECT_EQ(sip::direction(body_of(ok), body_of(ok).media[0]), sip::Direction::kRecvOnly);
  kamailio.deliver(alice.ack(hold));
  EXPECT_EQ(legs.call_held_by("demo.callpark", "102", "").value().park_id, "p");

  const SipMessage resume = alice.request("INVITE", alices_offer());
  kamailio.deliver(resume);
  const SipMessage passed_too = kamailio.take_request("INVITE");
  EXPECT_EQ(body_of(passed_too).origin.version, version + 2);
  EXPECT_EQ(sip::direction(body_of(passed_too), body_of(passed_too).media[0]), sip::Direction::kSendRecv);
  kamailio.answer(passed_too, 200, clients_sdp());
  kamailio.deliver(alice.ack(resume));
  EXPECT_FALSE(legs.call_held_by("demo.callpark", "102", ""));
  EXPECT_FALSE(legs.call_held_by("other.callpark", "102", ""));
}

TEST_F(SipLegsTest, S12_TheCallerMayHoldAsWell) {
  park();
  retrieve();
  const SipMessage hold = client.request("INVITE", with_direction(clients_sdp(), sip::Direction::kSendOnly));
  kamailio.deliver(hold);
  const SipMessage passed = kamailio.take_request("INVITE");
  EXPECT_EQ(passed.to_tag(), "alice-tag");
  EXPECT_EQ(passed.request_uri_text(), "sip:102@127.0.0.13:5060");
  kamailio.answer(passed, 200, with_direction(alices_offer(), sip::Direction::kRecvOnly));
  const SipMessage ok = kamailio.take_response(hold);
  EXPECT_EQ(ok.status(), 200);
  EXPECT_EQ(body_of(ok).origin.username, "john");
  EXPECT_THAT(body_of(ok).media, SizeIs(2)) << "the Client's lines in the Client's order";
}

TEST_F(SipLegsTest, AnOfferThatTheOtherSideRefusesIsRefusedAndTheTalkGoesOn) {
  park();
  retrieve();
  const SipMessage offer = alice.request("INVITE", alices_offer());
  kamailio.deliver(offer);
  kamailio.answer(kamailio.take_request("INVITE"), 488);
  EXPECT_EQ(kamailio.take_response(offer).status(), 488);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, AnOfferToASideThatIsGoneEndsTheTalk) {
  park();
  retrieve();
  const SipMessage offer = alice.request("INVITE", alices_offer());
  kamailio.deliver(offer);
  kamailio.answer(kamailio.take_request("INVITE"), 481);
  EXPECT_GE(kamailio.take_response(offer).status(), 400);
  EXPECT_THAT(said(), ElementsAre("p: caller gone"));
}

TEST_F(SipLegsTest, OffersOfBothSidesAtOnceAreGlare) {
  park();
  retrieve();
  kamailio.deliver(alice.request("INVITE", alices_offer()));
  const SipMessage passed = kamailio.take_request("INVITE");
  const SipMessage crossing = client.request("INVITE", clients_sdp());
  kamailio.deliver(crossing);
  EXPECT_EQ(kamailio.take_response(crossing).status(), 491);
  const SipMessage second = alice.request("UPDATE", alices_offer());
  kamailio.deliver(second);
  EXPECT_EQ(kamailio.take_response(second).status(), 491);
  kamailio.answer(passed, 200, clients_sdp());
}

TEST_F(SipLegsTest, OffersThatWaitForEachOtherEndInGlare) {
  park();
  retrieve();
  const SipMessage clients = client.request("INVITE", clients_sdp());
  kamailio.deliver(clients);
  const SipMessage passed = kamailio.take_request("INVITE");
  kamailio.answer(passed, 491);
  pass(Duration(1));
  // Before ours is tried again.
  const SipMessage hers = alice.request("INVITE", alices_offer());
  kamailio.deliver(hers);
  EXPECT_EQ(kamailio.take_response(hers).status(), 491);
  kamailio.answer(kamailio.take_request("INVITE"), 200, alices_offer());
  EXPECT_EQ(kamailio.take_response(clients).status(), 200);
}

TEST_F(SipLegsTest, AnUpdateWithAnOfferPassesTheBridge) {
  park();
  retrieve();
  const SipMessage update = alice.request("UPDATE", with_direction(alices_offer(), sip::Direction::kInactive));
  kamailio.deliver(update);
  const SipMessage second = alice.request("UPDATE", alices_offer());
  kamailio.deliver(second);
  EXPECT_EQ(kamailio.take_response(second).status(), 491) << "one at a time";
  kamailio.answer(kamailio.take_request("INVITE"), 200, with_direction(clients_sdp(), sip::Direction::kInactive));
  const SipMessage ok = kamailio.take_response(update);
  EXPECT_EQ(ok.status(), 200);
  EXPECT_EQ(sip::direction(body_of(ok), body_of(ok).media[0]), sip::Direction::kInactive);
  pass(seconds(40));
  EXPECT_EQ(kamailio.copies(ok), 1U) << "there is no ACK to an UPDATE";
}

TEST_F(SipLegsTest, AnOfferlessReinviteGetsWhatTheOtherSideSaysAndItsAnswerIsPassedOn) {
  park();
  retrieve();
  const sip::Sdp said_last = sdp_of(legs.peer_snapshot("p")->local_sdp);
  const SipMessage invite = alice.request("INVITE");
  kamailio.deliver(invite);
  const sip::Sdp offered = body_of(kamailio.take_response(invite));
  EXPECT_EQ(offered.origin.version, said_last.origin.version + 1);
  EXPECT_TRUE(is_heard_alike(offered, clients_sdp()));
  sip::Sdp elsewhere = alices_offer();
  elsewhere.media[0].port = 7010;
  kamailio.deliver(alice.ack(invite, elsewhere));
  EXPECT_EQ(body_of(kamailio.take_request("INVITE")).media[0].port, 7010);
}

TEST_F(SipLegsTest, S12_WhoHoldsMayResumeWithAnOfferlessReinvite) {
  park();
  retrieve();
  const SipMessage hold = alice.request("INVITE", with_direction(alices_offer(), sip::Direction::kSendOnly));
  kamailio.deliver(hold);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  kamailio.take_response(hold);
  kamailio.deliver(alice.ack(hold));
  const SipMessage resume = alice.request("INVITE");
  kamailio.deliver(resume);
  const sip::Sdp offered = body_of(kamailio.take_response(resume));
  EXPECT_EQ(sip::direction(offered, offered.media[0]), sip::Direction::kSendRecv);
}

TEST_F(SipLegsTest, WhoAnswersARefreshWithAnotherPortIsHeardThere) {
  const auto refreshes = [](SipMessage& response) {
    response.set_header("Session-Expires", "1800;refresher=uac");
    response.set_header(HeaderName::kSupported, "timer");
  };
  sip::Sdp elsewhere = clients_sdp();
  ASSERT_TRUE(legs.adopt("p", adoptable()));
  legs.offer_music("p", 1, mediad_address());
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), refreshes);
  said();
  pass(seconds(890));
  elsewhere.media[0].port = 6100;
  kamailio.answer(kamailio.take_request("INVITE"), 200, elsewhere, refreshes);
  EXPECT_THAT(said(), ElementsAre("p: media changed"));
  EXPECT_EQ(listener.music->remote.port, 6100);
  while (kamailio.sends("ACK", Duration(1))) kamailio.take_request("ACK");
  retrieve();
  // The 200 to the offer that joined the two asked for no timer; the next one does.
  const SipMessage hold = alice.request("INVITE", with_direction(alices_offer(), sip::Direction::kSendOnly));
  kamailio.deliver(hold);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), refreshes);
  kamailio.take_response(hold);
  kamailio.deliver(alice.ack(hold));
  pass(seconds(890));
  elsewhere.media[0].port = 6200;
  kamailio.answer(kamailio.take_request("INVITE"), 200, elsewhere, refreshes);
  const SipMessage told = kamailio.take_request("INVITE");
  EXPECT_EQ(told.call_id(), hold.call_id());
  EXPECT_EQ(body_of(told).media[0].port, 6200);
}

TEST_F(SipLegsTest, ABodyThatIsNoDescriptionIsAnswered400) {
  park();
  retrieve();
  SipMessage invite = alice.request("INVITE");
  invite.set_body("application/sdp", "v=0\r\nm=nonsense\r\n");
  kamailio.deliver(invite);
  EXPECT_EQ(kamailio.take_response(invite).status(), 400);
  EXPECT_FALSE(kamailio.sends("INVITE"));
}

TEST_F(SipLegsTest, InfoAndItsAnswerPassTheBridge) {
  park();
  retrieve();
  SipMessage info = alice.request("INFO");
  info.set_body("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n");
  kamailio.deliver(info);
  const SipMessage passed = kamailio.take_request("INFO");
  EXPECT_EQ(passed.body(), info.body());
  EXPECT_EQ(passed.content_type(), info.content_type());
  EXPECT_EQ(passed.from_tag(), "john-tag");
  kamailio.answer(passed, 415);
  EXPECT_EQ(kamailio.take_response(info).status(), 415);
}

TEST_F(SipLegsTest, WhatNobodyAnswersBeyondTheBridgeIsAnswered408) {
  park();
  retrieve();
  const SipMessage message = client.request("MESSAGE");
  kamailio.deliver(message);
  EXPECT_EQ(kamailio.take_request("MESSAGE").to_tag(), "alice-tag");
  pass(seconds(33));
  EXPECT_EQ(kamailio.take_response(message).status(), 408);
}

TEST_F(SipLegsTest, WhatPassesMeanwhileDoesNotHideTheAnswerToAnOffer) {
  park();
  retrieve();
  const SipMessage offer = alice.request("INVITE", alices_offer());
  kamailio.deliver(offer);
  const SipMessage passed = kamailio.take_request("INVITE");
  kamailio.deliver(alice.request("INFO"));
  kamailio.answer(kamailio.take_request("INFO"), 200);
  kamailio.answer(passed, 200, clients_sdp());
  EXPECT_EQ(kamailio.take_response(offer).status(), 200);
}

TEST_F(SipLegsTest, ATalkerWhoNeverAcknowledgesIsGone) {
  park();
  retrieve();
  const SipMessage hold = alice.request("INVITE", alices_offer());
  kamailio.deliver(hold);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  kamailio.take_response(hold);
  pass(seconds(33));
  EXPECT_THAT(said(), ElementsAre("p: peer gone"));
}

TEST_F(SipLegsTest, ANextInviteThatOvertakesTheAckIsPassedOn) {
  park();
  retrieve();
  const SipMessage hold = alice.request("INVITE", with_direction(alices_offer(), sip::Direction::kSendOnly));
  kamailio.deliver(hold);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  EXPECT_EQ(kamailio.take_response(hold).status(), 200);
  const SipMessage ack = alice.ack(hold);
  const SipMessage resume = alice.request("INVITE", alices_offer());
  kamailio.deliver(resume);
  kamailio.deliver(ack);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  const SipMessage resumed = kamailio.take_response(resume);
  EXPECT_EQ(resumed.status(), 200);
  pass(Duration(600));
  EXPECT_EQ(kamailio.copies(resumed), 2U) << "the late ACK is not that of the second";
  kamailio.deliver(alice.ack(resume));
  pass(seconds(60));
  EXPECT_EQ(kamailio.copies(resumed), 2U);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, AnInviteInFrontOfAnAckWithAnAnswerIsAnswered491) {
  park();
  retrieve();
  const SipMessage query = alice.request("INVITE");
  kamailio.deliver(query);
  EXPECT_EQ(kamailio.take_response(query).status(), 200);
  const SipMessage next = alice.request("INVITE", alices_offer());
  kamailio.deliver(next);
  EXPECT_EQ(kamailio.take_response(next).status(), 491);
}

TEST_F(SipLegsTest, AByeInFrontOfAnAckIsSentWhenTheAckComesEvenOfAForgottenCall) {
  park();
  retrieve();
  const SipMessage hold = alice.request("INVITE", alices_offer());
  kamailio.deliver(hold);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  kamailio.take_response(hold);
  legs.end("p", PartyEnd::kPeer);
  legs.forget("p");
  EXPECT_FALSE(kamailio.sends("BYE"));
  kamailio.deliver(alice.ack(hold));
  EXPECT_TRUE(kamailio.sends("BYE"));
}

TEST_F(SipLegsTest, AnOfferUnderConsiderationIsAnsweredWhenTheOtherSideHangsUp) {
  park();
  retrieve();
  const SipMessage hold = alice.request("INVITE", alices_offer());
  kamailio.deliver(hold);
  kamailio.take_request("INVITE");
  kamailio.deliver(client.request("BYE"));
  EXPECT_GE(kamailio.take_response(hold).status(), 400);
  EXPECT_THAT(said(), ElementsAre("p: caller gone"));
}

TEST_F(SipLegsTest, AnOfferUnderConsiderationIsAnsweredWhenItsSenderHangsUp) {
  park();
  retrieve();
  const SipMessage hold = alice.request("INVITE", alices_offer());
  kamailio.deliver(hold);
  const SipMessage passed = kamailio.take_request("INVITE");
  kamailio.deliver(alice.request("BYE"));
  EXPECT_THAT(said(), ElementsAre("p: peer gone"));
  kamailio.answer(passed, 200, clients_sdp());
  EXPECT_EQ(kamailio.take_response(hold).status(), 487);
}

TEST_F(SipLegsTest, BeforeTheBridgeStandsNothingIsPassed) {
  park();
  retrieve();
  legs.unbridge("p");
  const SipMessage info = alice.request("INFO");
  kamailio.deliver(info);
  EXPECT_EQ(kamailio.take_response(info).status(), 200);
  EXPECT_FALSE(kamailio.sends("INFO"));
}

TEST_F(SipLegsTest, TheParkersMediaIsOfferedBackToTheCaller) {
  park();
  legs.offer_peer("p", 7);
  const sip::Sdp offer = body_of(kamailio.take_request("INVITE"));
  EXPECT_EQ(offer.media[0].port, 5004);
  EXPECT_EQ(offer.connection->address, "127.0.0.11");
}

// ---- transfers ----

TEST_F(SipLegsTest, S12_ATransferThatComesBeforeTheRetrieversAckIsHisAllTheSame) {
  park();
  alices_invite = feature_invite("*88");
  const CallId call = dial(alices_invite);
  legs.end("p", PartyEnd::kPeer);
  legs.offer_call("p", 2, call);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  legs.answer_retriever(call, "p");
  learn_tag(kamailio.take_response(alices_invite));
  said();
  listener.when_confirmed = [this](CallId confirmed) {
    legs.make_peer("p", confirmed);
    legs.bridge("p");
  };
  const SipMessage ack = alice.ack(alices_invite);
  SipMessage refer = alice.request("REFER");
  refer.set_header(HeaderName::kReferTo, "<sip:*68103@demo.callpark>");
  trust(refer, "102");
  kamailio.deliver(refer);
  kamailio.deliver(ack);
  EXPECT_THAT(said(), ElementsAre("confirmed " + std::to_string(call), "p: refer of peer to *68103"));
}

TEST_F(SipLegsTest, S12_ARetrieverTransfersToANumber) {
  park();
  retrieve();
  SipMessage refer = alice.request("REFER");
  refer.set_header(HeaderName::kReferTo, "<sip:103@demo.callpark>");
  trust(refer, "102");
  kamailio.deliver(refer);
  EXPECT_THAT(said(), ElementsAre("p: refer of peer to 103"));
  legs.accept_refer(listener.referrals[0].refer);
  EXPECT_EQ(kamailio.take_response(refer).status(), 202);
  EXPECT_EQ(sipfrag_status(kamailio.take_request("NOTIFY")), 100);

  legs.call_target("p", 9, {"demo.callpark", "103", ""});
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_EQ(invite.request_uri_text(), "sip:103@demo.callpark");
  EXPECT_EQ(invite.header(park_header::kTenant), "demo.callpark");
  EXPECT_EQ(invite.from().uri.to_string(), "sip:client@demo.callpark");
  EXPECT_EQ(invite.header(HeaderName::kReferredBy), "<sip:102@demo.callpark>");
  EXPECT_EQ(body_of(invite).media[0].port, 6004) << "the Client's media";
  kamailio.answer(invite, 180);
  EXPECT_THAT(said(), IsEmpty());
  kamailio.answer(invite, 200, alices_offer());
  EXPECT_FALSE(kamailio.sends("ACK")) << "before he has the caller";
  EXPECT_THAT(said(), ElementsAre("p: target answered 9"));

  legs.unbridge("p");
  legs.offer_target("p", 10);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  EXPECT_THAT(said(), ElementsAre("p: accepted 10"));
  legs.conclude_refer(listener.referrals[0].refer, 200, "OK");
  EXPECT_EQ(sipfrag_status(kamailio.take_request("NOTIFY")), 200);
  legs.end("p", PartyEnd::kPeer);
  EXPECT_EQ(kamailio.take_request("BYE").to_tag(), "alice-tag");
  legs.make_target_peer("p");
  legs.bridge("p");
  const DialogSnapshot peer = *legs.peer_snapshot("p");
  EXPECT_EQ(peer.remote_uri, "sip:103@demo.callpark");
  EXPECT_EQ(peer.remote_tag, "far-tag");
}

class SipLegsTransferTest : public SipLegsTest {
 protected:
  void call_target(park::Question question = 9) {
    park();
    retrieve();
    legs.call_target("p", question, {"demo.callpark", "103", ""});
    invite = kamailio.take_request("INVITE");
    kamailio.answer(invite, 180);
  }
  void connect_target() {
    call_target();
    kamailio.answer(invite, 200, alices_offer());
    EXPECT_FALSE(kamailio.sends("ACK")) << "before he has the caller";
    legs.unbridge("p");
    legs.offer_target("p", 10);
    kamailio.take_request("ACK");
    kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
    kamailio.take_request("ACK");
    legs.end("p", PartyEnd::kPeer);
    kamailio.answer(kamailio.take_request("BYE"), 200);
    legs.make_target_peer("p");
    legs.bridge("p");
    said();
  }
  FarEnd target() const {
    return {std::string(invite.call_id()),
            "far-tag",
            "sip:103@demo.callpark",
            "sip:103@127.0.0.14:5060",
            std::string(invite.from_tag()),
            "sip:client@demo.callpark",
            0};
  }
  SipMessage invite;
};

class SipLegsExtensionTest : public SipLegsTest {
 protected:
  CallId call() {
    const CallId id = legs.call_extension({"demo.callpark", "101", "Parked at *7250", "*71*7250"}, mediad_address());
    invite = kamailio.take_request("INVITE");
    return id;
  }
  std::string about(const char* what, CallId id) { return what + (" " + std::to_string(id)); }
  SipMessage invite;
};

TEST_F(SipLegsExtensionTest, S5_IsCalledWithMediadsMediaAndShownTheOrbit) {
  const CallId id = call();
  EXPECT_EQ(invite.request_uri_text(), "sip:101@demo.callpark");
  EXPECT_EQ(invite.header(park_header::kTenant), "demo.callpark");
  EXPECT_EQ(invite.from().display, "Parked at *7250");
  EXPECT_EQ(invite.from().uri.to_string(), "sip:*71*7250@demo.callpark");
  EXPECT_EQ(body_of(invite).media[0].port, mediad_address().port);
  kamailio.answer(invite, 180);
  EXPECT_THAT(said(), IsEmpty());
  kamailio.answer(invite, 200, alices_offer());
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_THAT(said(), ElementsAre(about("answered", id)));
  ASSERT_TRUE(listener.music);
  EXPECT_EQ(listener.music->remote.port, alices_offer().media[0].port);
  kamailio.answer(invite, 200, alices_offer());
  EXPECT_TRUE(kamailio.sends("ACK")) << "the 200 once more";
  EXPECT_THAT(said(), IsEmpty());
  legs.hang_up(id);
  EXPECT_EQ(kamailio.take_request("BYE").call_id(), invite.call_id());
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsExtensionTest, HangsUpByItself) {
  const CallId id = call();
  kamailio.answer(invite, 200, alices_offer());
  said();
  const FarEnd phone{std::string(invite.call_id()),
                     "far-tag",
                     "sip:101@demo.callpark",
                     "sip:101@127.0.0.14:5060",
                     std::string(invite.from_tag()),
                     "sip:*71*7250@demo.callpark",
                     0};
  FarEnd there = phone;
  const SipMessage bye = there.request("BYE");
  kamailio.deliver(bye);
  EXPECT_EQ(kamailio.take_response(bye).status(), 200);
  EXPECT_THAT(said(), ElementsAre(about("gone", id)));
}

TEST_F(SipLegsExtensionTest, ThatRefusesIsGone) {
  const CallId id = call();
  kamailio.answer(invite, 486);
  EXPECT_THAT(said(), ElementsAre(about("gone", id)));
}

TEST_F(SipLegsExtensionTest, ThatIsNotReachedIsGone) {
  const CallId id = call();
  pass(seconds(33));
  EXPECT_THAT(said(), ElementsAre(about("gone", id)));
}

TEST_F(SipLegsExtensionTest, ThatRingsIsCancelled) {
  const CallId id = call();
  kamailio.answer(invite, 180);
  legs.hang_up(id);
  kamailio.answer(kamailio.take_request("CANCEL"), 200);
  kamailio.answer(invite, 487);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsExtensionTest, WhoseAnswerCrossesTheCancelIsHungUp) {
  const CallId id = call();
  kamailio.answer(invite, 180);
  legs.hang_up(id);
  kamailio.answer(invite, 200, alices_offer());
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_EQ(kamailio.take_request("BYE").call_id(), invite.call_id());
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsExtensionTest, WhoAnswersWithoutMediaIsHungUp) {
  const CallId id = call();
  kamailio.answer(invite, 200);
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_EQ(kamailio.take_request("BYE").call_id(), invite.call_id());
  EXPECT_THAT(said(), ElementsAre(about("gone", id)));
}

TEST_F(SipLegsTransferTest, ATargetWhoIsBusyIsRefused) {
  call_target();
  kamailio.answer(invite, 486);
  EXPECT_THAT(said(), ElementsAre("p: target refused 9 486"));
}

TEST_F(SipLegsTransferTest, ATargetWhoCannotBeReachedIsRefused) {
  park();
  retrieve();
  legs.call_target("p", 9, {"demo.callpark", "103", ""});
  pass(seconds(33));
  EXPECT_THAT(said(), ElementsAre("p: target refused 9 408"));
}

TEST_F(SipLegsTransferTest, ATargetWhoseCallNobodyEndsIsCancelled) {
  call_target();
  kamailio.answer(invite, 180);
  pass(seconds(320));
  kamailio.answer(invite, 180);  // the next one of a ring group
  pass(seconds(320));
  EXPECT_THAT(said(), IsEmpty());
  pass(seconds(60));
  EXPECT_TRUE(kamailio.sends("CANCEL"));
  EXPECT_THAT(said(), ElementsAre("p: target refused 9 408"));
}

TEST_F(SipLegsTransferTest, ATransferThatIsGivenUpIsCancelledAndSaysNothingMore) {
  call_target();
  legs.end_target("p");
  kamailio.answer(kamailio.take_request("CANCEL"), 200);
  kamailio.answer(invite, 487);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTransferTest, AnAnswerThatCrossesTheCancelIsHungUp) {
  call_target();
  legs.end_target("p");
  kamailio.answer(invite, 200, alices_offer());
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_EQ(kamailio.take_request("BYE").call_id(), invite.call_id());
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTransferTest, TheEndOfAnOldTransferDoesNotTouchTheNext) {
  call_target();
  legs.end_target("p");
  const SipMessage old = invite;
  legs.call_target("p", 12, {"demo.callpark", "104", ""});
  const SipMessage next = kamailio.take_request("INVITE");
  kamailio.answer(old, 487);
  EXPECT_THAT(said(), IsEmpty());
  kamailio.answer(next, 200, alices_offer());
  EXPECT_THAT(said(), ElementsAre("p: target answered 12"));
  EXPECT_FALSE(kamailio.sends("BYE"));
}

TEST_F(SipLegsTransferTest, ASecondForkThatAnswersIsHungUp) {
  call_target();
  kamailio.answer(invite, 200, alices_offer());
  kamailio.answer(invite, 200, alices_offer(), [](SipMessage& response) {
    response.set_header(HeaderName::kTo, "<sip:103@demo.callpark>;tag=second-fork");
  });
  EXPECT_EQ(kamailio.take_request("BYE").to_tag(), "second-fork");
  EXPECT_FALSE(kamailio.sends("BYE"));
  EXPECT_THAT(said(), ElementsAre("p: target answered 9"));
}

TEST_F(SipLegsTransferTest, ARepeated200OfTheTargetIsAcknowledgedAgainAndNothingElse) {
  connect_target();
  kamailio.answer(invite, 200, alices_offer());
  EXPECT_FALSE(kamailio.sends("BYE", seconds(5)));
  EXPECT_THAT(said(), IsEmpty());
  EXPECT_TRUE(legs.peer_snapshot("p"));
}

TEST_F(SipLegsTransferTest, ATargetWhoAnswersWithoutMediaIsHungUp) {
  call_target();
  kamailio.answer(invite, 200);
  EXPECT_TRUE(kamailio.sends("BYE"));
  EXPECT_THAT(said(), ElementsAre("p: target refused 9 488"));
}

TEST_F(SipLegsTransferTest, AnAnswerOfATargetIsFoundAmongOtherParts) {
  call_target();
  kamailio.answer(invite, 200, std::nullopt,
                  [](SipMessage& response) { put_among_other_parts(response, alices_offer()); });
  EXPECT_THAT(said(), ElementsAre("p: target answered 9"));
}

TEST_F(SipLegsTransferTest, AnAnswerWithoutContactIsAnAnswer) {
  call_target();
  kamailio.answer(invite, 200, alices_offer(),
                  [](SipMessage& response) { response.remove_header(HeaderName::kContact); });
  EXPECT_THAT(said(), ElementsAre("p: target answered 9"));
  legs.end_target("p");
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_EQ(kamailio.take_request("BYE").request_uri_text(), invite.request_uri_text());
}

TEST_F(SipLegsTransferTest, AnAnsweredTargetIsEndedWithBye) {
  call_target();
  kamailio.answer(invite, 200, alices_offer());
  said();
  legs.end_target("p");
  const SipMessage bye = kamailio.take_request("BYE");
  EXPECT_EQ(bye.call_id(), invite.call_id());
  EXPECT_EQ(bye.to_tag(), "far-tag");
}

TEST_F(SipLegsTransferTest, ATargetWhoHangsUpBeforeTheCallerIsConnectedIsReportedGone) {
  call_target();
  kamailio.answer(invite, 200, alices_offer());
  said();
  FarEnd far = target();
  const SipMessage bye = far.request("BYE");
  kamailio.deliver(bye);
  EXPECT_EQ(kamailio.take_response(bye).status(), 200);
  legs.make_target_peer("p");
  EXPECT_THAT(said(), ElementsAre("p: peer gone"));
}

TEST_F(SipLegsTransferTest, TheTargetIsAPeerLikeAnyOther) {
  connect_target();
  FarEnd far = target();
  const SipMessage hold = far.request("INVITE", with_direction(alices_offer(), sip::Direction::kSendOnly));
  kamailio.deliver(hold);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  EXPECT_EQ(kamailio.take_response(hold).status(), 200);
  kamailio.deliver(far.ack(hold));
  EXPECT_EQ(legs.call_held_by("demo.callpark", "103", "").value().park_id, "p");
  EXPECT_FALSE(legs.call_held_by("demo.callpark", "102", ""));
  kamailio.deliver(far.request("BYE"));
  EXPECT_THAT(said(), ElementsAre("p: peer gone"));
}

TEST_F(SipLegsTransferTest, R8_TheMemberOfARingGroupWhoAnsweredIsThePeer) {
  call_target();
  kamailio.answer(invite, 200, alices_offer(),
                  [](SipMessage& answer) { answer.set_header(park_header::kUser, "105"); });
  legs.offer_target("p", 10);
  kamailio.take_request("ACK");
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  kamailio.take_request("ACK");
  legs.end("p", PartyEnd::kPeer);
  legs.make_target_peer("p");
  legs.bridge("p");
  FarEnd far = target();
  const SipMessage hold = far.request("INVITE", with_direction(alices_offer(), sip::Direction::kSendOnly));
  kamailio.deliver(hold);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  kamailio.deliver(far.ack(hold));
  EXPECT_EQ(legs.call_held_by("demo.callpark", "105", "").value().park_id, "p");
}

TEST_F(SipLegsTest, R5_ARecallSaysWhatItIsAndOffersWhatTheCallerSaid) {
  park();
  legs.call_target("p", 9, {"demo.callpark", "101", "", "102"});
  const SipMessage recall = kamailio.take_request("INVITE");
  EXPECT_EQ(recall.request_uri_text(), "sip:101@demo.callpark");
  EXPECT_EQ(recall.header("X-Callpark-Recall"), "p");
  EXPECT_TRUE(recall.header("Alert-Info"));
  EXPECT_THAT(std::string(recall.header("From").value_or("")), HasSubstr("\"Recall 102: Client\" <sip:client@"));
  EXPECT_EQ(body_of(recall).media[0].port, clients_sdp().media[0].port);
  kamailio.answer(recall, 200, alices_offer());
  EXPECT_THAT(said(), ElementsAre("p: target answered 9"));
  EXPECT_EQ(legs.target_snapshot("p").remote_tag, "far-tag");
  legs.end_target("p");
  EXPECT_TRUE(kamailio.sends("BYE"));
}

TEST_F(SipLegsTransferTest, AnAttendedTransferNamesTheDialogToReplace) {
  park();
  retrieve();
  SipMessage refer = alice.request("REFER");
  refer.set_header(HeaderName::kReferTo,
                   "<sip:103@demo.callpark?Replaces=abc%40host%3Bto-tag%3Dto1%3Bfrom-tag%3Dfrom1>");
  trust(refer, "102");
  kamailio.deliver(refer);
  said();
  ASSERT_THAT(listener.referrals, SizeIs(1));
  EXPECT_EQ(listener.referrals[0].replaces, "abc@host;to-tag=to1;from-tag=from1");
  legs.call_target("p", 9, {"demo.callpark", "103", listener.referrals[0].replaces});
  EXPECT_EQ(kamailio.take_request("INVITE").header(HeaderName::kReplaces), "abc@host;to-tag=to1;from-tag=from1");
}

TEST_F(SipLegsTransferTest, APeerTransfersToATelUriByItsNumber) {
  park();
  retrieve();
  SipMessage refer = alice.request("REFER");
  refer.set_header(HeaderName::kReferTo, "<tel:103>");
  trust(refer, "102");
  kamailio.deliver(refer);
  EXPECT_THAT(said(), ElementsAre("p: refer of peer to 103"));
}

// Phones name whom they have consulted by his Contact, of which the user need not be his number.
TEST_F(SipLegsTransferTest, S12_WhoWasConsultedIsCalledAtHisContact) {
  park();
  retrieve();
  SipMessage refer = alice.request("REFER");
  refer.set_header(HeaderName::kReferTo,
                   "<sip:103-0x5f@127.0.0.14:5060;transport=udp?Replaces=abc%3Bto-tag%3Dto1%3Bfrom-tag%3Dfrom1>");
  trust(refer, "102");
  kamailio.deliver(refer);
  EXPECT_THAT(said(), ElementsAre("p: refer of peer to 103-0x5f"));
  EXPECT_EQ(listener.referrals[0].contact, "sip:103-0x5f@127.0.0.14:5060");
  legs.call_target("p", 9, {"demo.callpark", "103-0x5f", "", "", listener.referrals[0].contact});
  invite = kamailio.take_request("INVITE");
  EXPECT_EQ(invite.request_uri_text(), "sip:103-0x5f@127.0.0.14:5060");
  EXPECT_EQ(invite.to().uri.to_string(), "sip:103-0x5f@demo.callpark") << "so that he is of the tenant";
  EXPECT_EQ(invite.header(park_header::kTenant), "demo.callpark");
  kamailio.answer(invite, 200, alices_offer(),
                  [](SipMessage& answer) { answer.set_header(park_header::kUser, "103"); });
  EXPECT_EQ(legs.target_user("p"), "103");
}

TEST_F(SipLegsTransferTest, S12_ANumberOfTheTenantIsNoContact) {
  park();
  retrieve();
  SipMessage refer = alice.request("REFER");
  refer.set_header(HeaderName::kReferTo, "<sip:103@DEMO.callpark:5060>");
  trust(refer, "102");
  kamailio.deliver(refer);
  said();
  EXPECT_EQ(listener.referrals[0].contact, "");
}

TEST_F(SipLegsTransferTest, O5_TheCallerMayNotTransfer) {
  park();
  SipMessage refer = client.request("REFER");
  refer.set_header(HeaderName::kReferTo, "<sip:*68@demo.callpark>");
  trust(refer, "101");
  kamailio.deliver(refer);
  EXPECT_EQ(kamailio.take_response(refer).status(), 603);
  EXPECT_THAT(said(), IsEmpty());
}

// The Client is extension 104, whom Alice has retrieved.
class SipLegsColleagueTest : public SipLegsTest {
 protected:
  static AdoptableDialog colleague() {
    AdoptableDialog dialog = adoptable();
    dialog.caller.remote_aor = "104@demo.callpark";
    dialog.caller.remote_identity = {"Carol", "104"};
    return dialog;
  }
  SipMessage refer_of_client(const std::string& user, const std::string& refer_to = "<sip:*68@demo.callpark>") {
    SipMessage refer = client.request("REFER");
    refer.set_header(HeaderName::kReferTo, refer_to);
    if (!user.empty()) trust(refer, user);
    kamailio.deliver(refer);
    return refer;
  }
  SipMessage hold_by_client(const std::string& device) {
    SipMessage hold = client.request("INVITE", with_direction(clients_sdp(), sip::Direction::kSendOnly));
    hold.set_header(park_header::kDevice, device);
    kamailio.deliver(hold);
    kamailio.answer(kamailio.take_request("INVITE"), 200, with_direction(alices_offer(), sip::Direction::kRecvOnly));
    kamailio.deliver(client.ack(hold));
    return hold;
  }
};

TEST_F(SipLegsColleagueTest, S12_SheParksWhoRetrievedHer) {
  park(colleague());
  retrieve();
  const SipMessage refer = refer_of_client("104");
  ASSERT_THAT(said(), ElementsAre("p: refer of caller to *68"));
  legs.swap_parties("p");
  EXPECT_EQ(legs.caller_snapshot("p").remote_uri, "sip:102@demo.callpark");
  EXPECT_EQ(legs.caller_snapshot("p").remote_aor, "102@demo.callpark");
  EXPECT_EQ(legs.peer_snapshot("p")->remote_aor, "104@demo.callpark");

  legs.unbridge("p");
  legs.offer_music("p", 3, mediad_address());
  const SipMessage music = kamailio.take_request("INVITE");
  EXPECT_EQ(music.to_tag(), "alice-tag");
  EXPECT_FALSE(music.header("P-Asserted-Identity")) << "she was told that she talks to Carol";
  kamailio.answer(music, 200, alices_offer());
  EXPECT_THAT(said(), ElementsAre("p: accepted 3"));
  legs.conclude_refer(listener.referrals[0].refer, 200, "OK");
  EXPECT_EQ(kamailio.take_response(refer).status(), 202);
  EXPECT_EQ(kamailio.take_request("NOTIFY").to_tag(), "client-tag");
  kamailio.deliver(client.request("BYE"));
  EXPECT_THAT(said(), ElementsAre("p: peer gone"));
  kamailio.deliver(alice.request("BYE"));
  EXPECT_THAT(said(), ElementsAre("p: caller gone"));
}

TEST_F(SipLegsColleagueTest, S12_N6_WhoRetrievedHerIsTransferredInHerOwnName) {
  park(colleague());
  retrieve();
  legs.swap_parties("p");
  legs.call_target("p", 3, {"demo.callpark", "101", ""});
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_TRUE(std::string(*invite.header("From")).starts_with("\"102\" <sip:102@demo.callpark>;tag="));
  EXPECT_EQ(invite.header(park_header::kCaller), "102@demo.callpark");
  EXPECT_EQ(body_of(invite).media[0].port, alices_offer().media[0].port);
}

TEST_F(SipLegsColleagueTest, S12_TheOtherOneMayParkAfterwards) {
  park(colleague());
  retrieve();
  legs.swap_parties("p");
  SipMessage refer = alice.request("REFER");
  refer.set_header(HeaderName::kReferTo, "<sip:*68@demo.callpark>");
  trust(refer, "102");
  kamailio.deliver(refer);
  refer_of_client("104");
  EXPECT_THAT(said(), ElementsAre("p: refer of caller to *68", "p: refer of peer to *68"));
}

TEST_F(SipLegsColleagueTest, S12_OfACallTakenOverToo) {
  ParkedCallRow row;
  row.park_id = "p";
  row.tenant = "demo.callpark";
  row.state = RowState::kRetrieved;
  row.retriever = "101";
  row.caller = colleague().caller;
  row.peer = colleague().parker;
  row.peer->remote_aor.clear();  // as it was written once
  legs.take_over(row);
  legs.bridge("p");
  refer_of_client("104");
  EXPECT_THAT(said(), ElementsAre("p: refer of caller to *68"));
  legs.swap_parties("p");
  EXPECT_EQ(legs.caller_snapshot("p").remote_aor, "101@demo.callpark");
}

TEST_F(SipLegsColleagueTest, S11_NobodyElseParksInHerDialog) {
  park(colleague());
  EXPECT_EQ(kamailio.take_response(refer_of_client("104")).status(), 603) << "she hears music";
  retrieve();
  for (const char* user : {"", "102", "105"}) {
    EXPECT_EQ(kamailio.take_response(refer_of_client(user)).status(), 603) << user;
  }
  SipMessage refer = client.request("REFER");
  refer.set_header(HeaderName::kReferTo, "<sip:*68@demo.callpark>");
  refer.set_header(park_header::kTenant, "other.callpark");
  refer.set_header(park_header::kUser, "104");
  kamailio.deliver(refer);
  EXPECT_EQ(kamailio.take_response(refer).status(), 603);
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsColleagueTest, S11_ATrunkWhomSomebodyRetrievedParksUnderNobodysName) {
  park();
  retrieve();
  for (const char* user : {"", "101", "102", "client"}) {
    EXPECT_EQ(kamailio.take_response(refer_of_client(user)).status(), 603) << user;
  }
  hold_by_client("udp:127.0.0.12:5060");
  for (const char* user : {"", "101", "102", "client"}) {
    EXPECT_FALSE(legs.call_held_by("demo.callpark", user, "udp:127.0.0.12:5060")) << user;
  }
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsColleagueTest, S7_WhatSheHoldsIsHerHeldCallAndOfThatDevice) {
  park(colleague());
  retrieve();
  EXPECT_FALSE(legs.call_held_by("demo.callpark", "104", ""));
  hold_by_client("udp:127.0.0.12:5060");
  const HeldCall held = legs.call_held_by("demo.callpark", "104", "").value();
  EXPECT_EQ(held.park_id, "p");
  EXPECT_EQ(held.holder, PartyEnd::kCaller);
  EXPECT_EQ(held.hold.device, "udp:127.0.0.12:5060");
  EXPECT_FALSE(legs.call_held_by("demo.callpark", "102", "")) << "she is held";
  legs.swap_parties("p");
  EXPECT_EQ(legs.call_held_by("demo.callpark", "104", "").value().holder, PartyEnd::kPeer);
  EXPECT_EQ(legs.call_held_by("demo.callpark", "104", "").value().hold.device, "udp:127.0.0.12:5060");
  legs.forget("p");
  EXPECT_FALSE(legs.call_held_by("demo.callpark", "104", ""));
}

TEST_F(SipLegsTransferTest, ATransferThatKamailioDidNotVouchForIsForbidden) {
  park();
  retrieve();
  SipMessage refer = alice.request("REFER");
  refer.set_header(HeaderName::kReferTo, "<sip:103@demo.callpark>");
  kamailio.deliver(refer);
  EXPECT_EQ(kamailio.take_response(refer).status(), 403);
}

TEST_F(SipLegsTest, R7_AReferMaySayWhenTheRecallIsDue) {
  SipMessage refer = johns_refer();
  refer.set_header("X-Recall-After", "45");
  kamailio.deliver(refer);
  said();
  EXPECT_EQ(listener.referrals.at(0).recall_after_seconds, 45);
}

TEST_F(SipLegsTest, R7_ATimeThatIsNoneIsRefusedBeforeAnythingIsParked) {
  for (const char* wrong : {"9", "3601", "soon", "45 s", "-45", "99999999999", ""}) {
    SipMessage refer = johns_refer();
    refer.set_header("X-Recall-After", wrong);
    kamailio.deliver(refer);
    EXPECT_EQ(kamailio.take_response(refer).status(), 400) << wrong;
    SipMessage invite = feature_invite("*70");
    invite.set_header("X-Recall-After", wrong);
    kamailio.deliver(invite);
    EXPECT_EQ(kamailio.take_response(invite).status(), 400) << wrong;
  }
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(SipLegsTest, L3_ATrunkThatKamailioNamesMayCall) {
  SipMessage invite = feature_invite("7001");
  invite.remove_header(park_header::kUser);
  invite.set_header(park_header::kTrunk, "site-b");
  kamailio.deliver(invite);
  EXPECT_THAT(said(), ElementsAre("feature call 7001"));
  EXPECT_EQ(listener.calls.back().trunk, "site-b");
  EXPECT_EQ(listener.calls.back().user, "");
}

// ---- taking over ----

TEST_F(SipLegsTest, O4_ACallTakenOverIsReinvitedWithACSeqThatLeavesRoom) {
  legs.take_over(row_of(RowState::kParked));
  EXPECT_FALSE(kamailio.sends("INVITE")) << "the music plays on by itself";
  legs.offer_music("p", 1, mediad_address());
  EXPECT_EQ(kamailio.take_request("INVITE").cseq().number, 1021U);
}

TEST_F(SipLegsTest, O4_WhoHasHungUpMeanwhileIsFound) {
  legs.take_over(row_of(RowState::kRetrieved));
  legs.bridge("p");
  pass(seconds(6));
  const SipMessage first = kamailio.take_request("UPDATE");
  const SipMessage second = kamailio.take_request("UPDATE");
  const bool is_peer_first = first.request_uri_text() == "sip:101@127.0.0.11:5060";
  // A trunk may not know UPDATE.
  kamailio.answer(is_peer_first ? second : first, 501);
  EXPECT_THAT(said(), IsEmpty());
  kamailio.answer(is_peer_first ? first : second, 481);
  EXPECT_THAT(said(), ElementsAre("p: peer gone"));
}

TEST_F(SipLegsTest, O4_WhoeverTakesACallOverKeepsItsSessionTimer) {
  legs.take_over(row_of(RowState::kParked));
  pass(seconds(6));
  kamailio.answer(kamailio.take_request("UPDATE"), 200, std::nullopt, [](SipMessage& response) {
    response.set_header(HeaderName::kSessionExpires, "90;refresher=uas");
    response.set_header(HeaderName::kSupported, "timer");
  });
  EXPECT_FALSE(kamailio.sends("BYE", seconds(55)));
  EXPECT_TRUE(kamailio.sends("BYE", seconds(30)));
  EXPECT_THAT(said(), ElementsAre("p: caller gone"));
}

TEST_F(SipLegsTest, O4_ACallTakenOverAnswersItsCaller) {
  legs.take_over(row_of(RowState::kParked));
  const SipMessage hold = client.request("INVITE", clients_sdp());
  kamailio.deliver(hold);
  EXPECT_EQ(body_of(kamailio.take_response(hold)).media[0].port, mediad_address().port);
  kamailio.deliver(client.request("BYE"));
  EXPECT_THAT(said(), ElementsAre("p: media changed", "p: caller gone"));
}

TEST_F(SipLegsTest, O4_A200ToTheReinviteOfAParkdThatDiedIsAcknowledged) {
  legs.take_over(row_of(RowState::kParked));
  legs.offer_music("p", 1, mediad_address());
  const SipMessage ours = kamailio.take_request("INVITE");
  SipMessage theirs = make_response(ours, 200, {}, "client-tag");
  theirs.remove_top_via();
  sip::Via via;
  via.transport = "UDP";
  via.host = "127.0.0.1";
  via.params.append({"branch", "z9hG4bKof-another-process"});
  theirs.prepend_via(via);
  theirs.set_cseq(121, "INVITE");
  kamailio.deliver(theirs);
  const SipMessage ack = kamailio.take_request("ACK");
  EXPECT_EQ(ack.cseq().number, 121U);
  EXPECT_EQ(ack.to_tag(), "client-tag");
  EXPECT_EQ(ack.request_uri_text(), "sip:client@127.0.0.12:5060");
  kamailio.deliver(theirs);
  EXPECT_EQ(kamailio.copies(ack), 2U) << "each copy again";
  EXPECT_THAT(said(), IsEmpty());
  theirs.set_header(HeaderName::kCallId, "nobody's");
  const auto sent = kamailio.sent.size();
  kamailio.deliver(theirs);
  pass(Duration(20));
  EXPECT_EQ(kamailio.sent.size(), sent);
}

TEST_F(SipLegsTest, O4_ARetrievedCallTakenOverIsBridgedAgain) {
  legs.take_over(row_of(RowState::kRetrieved));
  legs.bridge("p");
  const SipMessage hold = john.request("INVITE", johns_sdp());
  kamailio.deliver(hold);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  EXPECT_EQ(kamailio.take_response(hold).status(), 200);
  kamailio.deliver(john.ack(hold));
  EXPECT_EQ(legs.call_held_by("demo.callpark", "102", "").value().park_id, "p");
}

TEST_F(SipLegsTest, ARetrievedCallWithoutItsPeerStandsAllTheSame) {
  ParkedCallRow row = row_of(RowState::kRetrieved);
  row.peer.reset();
  legs.take_over(row);
  legs.bridge("p");
  const SipMessage info = client.request("INFO");
  const SipMessage hold = client.request("INVITE", clients_sdp());
  kamailio.deliver(info);
  kamailio.deliver(hold);
  EXPECT_EQ(kamailio.take_response(info).status(), 200);
  EXPECT_GE(kamailio.take_response(hold).status(), 400);
  EXPECT_FALSE(legs.call_held_by("demo.callpark", "102", ""));
}

TEST_F(SipLegsTest, WhatIsOpenWhenParkdStopsIsLeftInPeace) {
  {
    ScriptedKamailio other(loop);
    SipLegs dying(UserAgent{loop, other.transactions(), kInside, "<sip:parkd@127.0.0.1:5062>", playable_codecs(), {}});
    RecordedListener deaf;
    dying.set_listener(&deaf);
    dying.set_ready();
    other.transactions().start(dying);
    ASSERT_TRUE(dying.adopt("p", adoptable()));
    dying.offer_music("p", 1, mediad_address());
    other.deliver(feature_invite("*70"));
    ASSERT_TRUE(test::pass_until(loop, [&] { return !deaf.calls.empty(); }));
    ASSERT_TRUE(dying.answer_with_media(deaf.calls[0].call, mediad_address(), Legs::Answer::kFinal));
    other.sent.clear();
  }
  pass(seconds(60));
}

// ---- names ----

TEST_F(SipLegsTest, N6_TheRetrieverIsToldWhoTheCallerIsAndTheCallerNothing) {
  park();
  retrieve();
  const sip::SipMessage answer = kamailio.take_response(alices_invite);
  EXPECT_EQ(answer.header("P-Asserted-Identity"), "\"Client\" <sip:client@demo.callpark>");
  EXPECT_EQ(answer.header("Remote-Party-ID"),
            "\"Client\" <sip:client@demo.callpark>;party=called;screen=yes;privacy=off");
  EXPECT_FALSE(kamailio.sends("UPDATE")) << "her phone does not say that it could make anything of it";
  for (const sip::SipMessage& message : kamailio.sent) {
    if (message.call_id() != "call-1") continue;
    EXPECT_EQ(message.header("P-Asserted-Identity"), std::nullopt);
    EXPECT_EQ(message.header("Remote-Party-ID"), std::nullopt);
  }
}

TEST_F(SipLegsTest, N6_APhoneThatTakesAnotherFromGetsItByUpdate) {
  park();
  alices_invite = feature_invite("*88");
  alices_invite.set_header(sip::HeaderName::kSupported, "timer, from-change");
  alices_invite.set_header(sip::HeaderName::kAllow, "INVITE, ACK, BYE, CANCEL, UPDATE");
  const CallId call = dial(alices_invite);
  legs.end("p", PartyEnd::kPeer);
  kamailio.answer(kamailio.take_request("BYE"), 200);
  legs.offer_call("p", 2, call);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  legs.answer_retriever(call, "p");
  learn_tag(kamailio.take_response(alices_invite));
  kamailio.deliver(alice.ack(alices_invite));
  legs.make_peer("p", call);
  const sip::SipMessage update = kamailio.take_request("UPDATE");
  EXPECT_EQ(update.header("From"), "\"Client\" <sip:client@demo.callpark>;tag=" + alice.parkd_tag);
  EXPECT_EQ(update.call_id(), "call-2");
  EXPECT_EQ(update.body(), "") << "the session is what it was";
  kamailio.answer(update, 200);
  EXPECT_EQ(legs.peer_snapshot("p")->local_uri, "sip:client@demo.callpark");
}

TEST_F(SipLegsTest, N6_ARetrieverIsKnownByTheNameThatHisPhoneOrKamailioSays) {
  const auto name_of = [this](const std::string& from,
                              const std::vector<std::pair<std::string_view, std::string>>& said) {
    FarEnd phone = alice;
    phone.call_id = "call-" + std::to_string(++last_call);
    sip::SipMessage invite = phone.request("INVITE", alices_offer());
    invite.set_request_uri("sip:*88@demo.callpark");
    invite.set_header(sip::HeaderName::kFrom, from + ";tag=" + phone.tag);
    trust(invite, "102");
    for (const auto& [header, value] : said) invite.set_header(header, value);
    const std::string park_id = "p" + std::to_string(last_call);
    AdoptableDialog dialog = adoptable();
    dialog.caller.call_id = dialog.parker.call_id = "parked-" + std::to_string(last_call);
    EXPECT_TRUE(legs.adopt(park_id, dialog));
    legs.make_peer(park_id, dial(invite));
    legs.bridge(park_id);
    const PartyIdentity who = legs.peer_snapshot(park_id)->remote_identity;
    return who.name + " " + who.number;
  };
  EXPECT_EQ(name_of("\"Alice\" <sip:102@demo.callpark>", {{park_header::kName, "Not She"}}), "Alice 102");
  EXPECT_EQ(name_of("<sip:102@demo.callpark>", {{park_header::kName, "Alice B."}}), "Alice B. 102");
  EXPECT_EQ(name_of("<sip:102@demo.callpark>", {}), " 102");
  EXPECT_EQ(name_of("<sip:anonymous@anonymous.invalid>", {{park_header::kName, "Alice B."}}), " ");
  EXPECT_EQ(name_of("\"Alice\" <sip:102@demo.callpark>", {{"Privacy", "critical;ID"}}), " ");
  EXPECT_EQ(name_of("\"Alice\" <sip:102@demo.callpark>", {{"Privacy", "none"}}), "Alice 102");
}

TEST_F(SipLegsTest, N6_WhoWithholdsHisNumberIsCalledBackForAsNobody) {
  AdoptableDialog dialog = adoptable();
  dialog.caller.remote_identity = {};
  ASSERT_TRUE(legs.adopt("p", dialog));
  legs.offer_music("p", 1, mediad_address());
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  legs.call_target("p", 2, {"demo.callpark", "101", "", "102"});
  const sip::SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_TRUE(std::string(*invite.header("From"))
                  .starts_with("\"Recall 102: Anonymous\" <sip:anonymous@anonymous.invalid>;tag="));
  EXPECT_EQ(legs.caller_snapshot("p").remote_identity, PartyIdentity{});
}

TEST_F(SipLegsTest, N6_AnOutsideNumberIsShownNothingButTheFromOfItsInvite) {
  park();
  legs.call_target("p", 2, {"demo.callpark", "+4420", "", ""});
  const sip::SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_TRUE(std::string(*invite.header("From")).starts_with("\"Client\" <sip:client@demo.callpark>;tag="));
  kamailio.answer(invite, 200, alices_offer());
  said();
  EXPECT_EQ(legs.target_user("p"), "+4420");
  legs.offer_target("p", 3);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  legs.make_target_peer("p");
  said();
  for (const sip::SipMessage& message : kamailio.sent) EXPECT_EQ(message.header("P-Asserted-Identity"), std::nullopt);
}

TEST_F(SipLegsTest, N6_AfterATakeOverAnOfferToTheRetrieverStillSaysWhoTheCallerIs) {
  ParkedCallRow row;
  row.park_id = "p";
  row.tenant = "demo.callpark";
  row.state = RowState::kRetrieved;
  row.retriever = "101";
  const AdoptableDialog dialog = adoptable();
  row.caller = dialog.caller;
  row.peer = dialog.parker;
  legs.take_over(row);
  legs.bridge("p");
  sip::SipMessage hold = client.request("INVITE", clients_sdp());
  kamailio.deliver(hold);
  EXPECT_EQ(kamailio.take_request("INVITE").header("P-Asserted-Identity"), "\"Client\" <sip:client@demo.callpark>");
}

}  // namespace
}  // namespace callpark::leg
