// Requests that no call and no conversation is asked: dialogs that parkd does not have, and the time before it is
// ready.
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

using SipUserAgentTest = UserAgentScene;

/// A user agent that has not read its rows yet.
class SipUserAgentNotReadyTest : public UserAgentScene {
 protected:
  SipUserAgentNotReadyTest() {
    early.set_listeners({&listener, &listener, &listener});
    other.transactions().start(early);
  }
  ScriptedKamailio other{loop};
  SipUserAgent early{
      UserAgent{loop, other.transactions(), kInside, "<sip:parkd@127.0.0.1:5062>", playable_codecs(), {}}};
};

TEST_F(SipUserAgentTest, AnswersUnknownDialogs481) {
  for (const char* method : {"INVITE", "BYE", "INFO", "UPDATE", "NOTIFY", "MESSAGE"}) {
    const SipMessage request = john.request(method);
    EXPECT_EQ(answer_to(request).status(), 481) << method;
  }
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(SipUserAgentTest, O4_EndsACallOfAnEarlierParkdThatIsAnsweredNow) {
  SipMessage invite = sip::make_request("INVITE", "sip:102@demo.callpark");
  invite.add_header(HeaderName::kVia, "SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKearlier");
  invite.add_header(HeaderName::kFrom, "<sip:101@demo.callpark>;tag=earlier");
  invite.add_header(HeaderName::kTo, "<sip:102@demo.callpark>");
  invite.add_header(HeaderName::kCallId, "call-of-an-earlier-parkd");
  invite.add_header(HeaderName::kCSeq, "1 INVITE");
  SipMessage ok = sip::make_response(invite, 200, "OK", "phone-tag");
  ok.add_header(HeaderName::kContact, "<sip:102@127.0.0.12:5060>");
  kamailio.deliver(ok);
  EXPECT_EQ(kamailio.take_request("ACK").to_tag(), "phone-tag");
  const SipMessage bye = kamailio.take_request("BYE");
  EXPECT_EQ(bye.request_uri_text(), "sip:102@127.0.0.12:5060");
  EXPECT_EQ(bye.cseq().number, 2U);
  ok.set_header(HeaderName::kCSeq, "1001 INVITE");
  kamailio.deliver(ok);
  EXPECT_FALSE(kamailio.sends("ACK")) << "another node may have that dialog";
}

TEST_F(SipUserAgentTest, X31_ServesAnUnprovenSenderOnlyWhereItsPartyIsReached) {
  park();
  for (const char* method : {"INVITE", "UPDATE", "INFO", "NOTIFY", "BYE"}) {
    SipMessage request = client.request(method);
    request.set_header(kamailio_protocol::kUnproven, "192.0.2.99");
    EXPECT_EQ(answer_to(request).status(), 403) << method;
  }
  EXPECT_THAT(reports(), IsEmpty());
  SipMessage bye = client.request("BYE");
  bye.set_header(kamailio_protocol::kUnproven, sip::parse_uri(client.contact)->host());
  EXPECT_EQ(answer_to(bye).status(), 200);
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
}

TEST_F(SipUserAgentTest, Answers420ToUnknownExtensions) {
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
  EXPECT_THAT(reports(), IsEmpty());
  SipMessage bye = john.request("BYE");
  bye.add_header(HeaderName::kRequire, "nothingSupportsThis");
  EXPECT_EQ(answer_to(bye).status(), 200);
}

TEST_F(SipUserAgentTest, AnswersOptions) {
  alice.parkd_tag = "";
  const SipMessage options = alice.request("OPTIONS");
  EXPECT_EQ(answer_to(options).status(), 200);
}

TEST_F(SipUserAgentTest, MakesDialogsByInviteOnly) {
  const SipMessage message = alice.request("MESSAGE");
  kamailio.deliver(message);
  const SipMessage response = kamailio.take_response(message);
  EXPECT_EQ(response.status(), 405);
  EXPECT_TRUE(response.header(HeaderName::kAllow));
}

TEST_F(SipUserAgentNotReadyTest, O4_SendsKamailioAwayUntilItHasTakenOver) {
  alice.parkd_tag = "";
  const SipMessage options = alice.request("OPTIONS");
  const SipMessage invite = feature_invite("*88");
  const SipMessage refer = johns_refer();
  for (const SipMessage* request : {&options, &invite, &refer}) {
    other.deliver(*request);
    EXPECT_EQ(other.take_response(*request).status(), 503) << request->method();
  }
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(SipUserAgentNotReadyTest, O4_AnswersEarlyRequestsWhenItHasTakenOver) {
  const SipMessage hold = client.request("INVITE", held(clients_sdp()));
  const SipMessage bye = client.request("BYE");
  other.deliver(hold);
  other.deliver(bye);
  EXPECT_THAT(reports(), IsEmpty());
  early.conversations().take_over(row_of(RowState::kParked));
  early.set_ready();
  EXPECT_EQ(other.take_response(hold).status(), 200);
  EXPECT_EQ(other.take_response(bye).status(), 200);
  EXPECT_THAT(reports(), ElementsAre("media changed", "caller gone"));
  alice.parkd_tag = "unknown";
  const SipMessage strangers = alice.request("BYE");
  other.deliver(strangers);
  EXPECT_EQ(other.take_response(strangers).status(), 481);
}

TEST_F(SipUserAgentTest, LeavesOpenCallsInPeaceWhenItStops) {
  {
    ScriptedKamailio other(loop);
    SipUserAgent dying(
        UserAgent{loop, other.transactions(), kInside, "<sip:parkd@127.0.0.1:5062>", playable_codecs(), {}});
    RecordedListener deaf;
    dying.set_listeners({&deaf, &deaf, &deaf});
    dying.set_ready();
    other.transactions().start(dying);
    const auto adopted = dying.conversations().adopt(adoptable());
    ASSERT_TRUE(adopted);
    dying.conversations().offer_to_caller(*adopted, 1, OfferMusic{mediad_address()});
    other.deliver(feature_invite("*70"));
    ASSERT_TRUE(test::pass_until(loop, [&] { return !deaf.calls.empty(); }));
    ASSERT_TRUE(dying.calls().answer_with_media(deaf.calls[0].call, mediad_address(), Calls::Answer::kFinal));
    AdoptableDialog unknown_media = adoptable();
    unknown_media.caller.call_id = unknown_media.parker.call_id = "call-8";
    unknown_media.caller.remote_sdp.clear();
    const auto second = dying.conversations().adopt(unknown_media);
    ASSERT_TRUE(second);
    dying.calls().start({"demo.callpark", "103", callpark::OutgoingCall::InNameOfCaller{*adopted}});
    dying.calls().start({"demo.callpark", "103", callpark::OutgoingCall::InNameOfCaller{*second}});
    deaf.reports.clear();
    other.sent.clear();
  }
  pass(seconds(60));
}

}  // namespace
}  // namespace callpark::leg
