// The session timer that the parker and the caller had agreed to, in parkd's hands (RFC 4028 7.4).
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

class AdoptedSessionTest : public UserAgentScene {
 protected:
  static AdoptableDialog with_timer(bool parker_refreshes, int seconds_agreed = 90) {
    AdoptableDialog dialog = adoptable();
    for (DialogSnapshot* half : {&dialog.caller, &dialog.parker}) half->session_seconds = seconds_agreed;
    dialog.caller.session_we_refresh = parker_refreshes;
    dialog.parker.session_we_refresh = !parker_refreshes;
    return dialog;
  }
  static std::function<void(SipMessage&)> agrees(const std::string& value) {
    return [value](SipMessage& response) {
      response.set_header(HeaderName::kSessionExpires, value);
      response.set_header(HeaderName::kSupported, "timer");
    };
  }
  void park_with(const AdoptableDialog& dialog, const std::string& answered) {
    ASSERT_TRUE(adopt(dialog));
    offer_music(1);
    kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), agrees(answered));
    kamailio.take_request("ACK");
    ASSERT_EQ(reports(), std::vector<std::string>{"accepted 1"});
  }
};

TEST_F(AdoptedSessionTest, X12_TheFirstOfferKeepsWhatWasAgreed) {
  for (const bool parker_refreshes : {true, false}) {
    ASSERT_TRUE(adopt(with_timer(parker_refreshes)));
    offer_music(1);
    const SipMessage invite = kamailio.take_request("INVITE");
    EXPECT_EQ(invite.header(HeaderName::kSessionExpires), parker_refreshes ? "90;refresher=uac" : "90;refresher=uas");
    EXPECT_TRUE(invite.has_token(HeaderName::kSupported, "timer"));
    end(PartyEnd::kCaller);
    conversations.forget(talk);
  }
}

TEST_F(AdoptedSessionTest, X12_AReferralBringsTheTimerAlong) {
  SipMessage refer = johns_refer();
  std::string json = dialog_json();
  json.insert(1, R"("session_seconds":90,"session_refresher":"caller",)");
  refer.set_header(kamailio_protocol::kDialog, json);
  kamailio.deliver(refer);
  reports();
  ASSERT_THAT(listener.referrals, SizeIs(1));
  ASSERT_TRUE(adopt(listener.referrals[0].dialog));
  offer_music(1);
  EXPECT_EQ(kamailio.take_request("INVITE").header(HeaderName::kSessionExpires), "90;refresher=uac");
}

TEST_F(AdoptedSessionTest, S12_AReferralOfACallWithATooLongDescriptionIsKnownAsSuch) {
  SipMessage refer = johns_refer();
  std::string json = dialog_json();
  const auto sdp = json.find("\"sdp\":\"") + 7;
  json.replace(sdp, json.find('"', sdp) - sdp, "-");
  refer.set_header(kamailio_protocol::kDialog, json);
  kamailio.deliver(refer);
  reports();
  ASSERT_THAT(listener.referrals, SizeIs(1));
  EXPECT_TRUE(listener.referrals[0].dialog.is_too_long);
}

TEST_F(AdoptedSessionTest, X12_NothingIsOfferedWhereNothingWasAgreed) {
  ASSERT_TRUE(adopt());
  offer_music(1);
  EXPECT_FALSE(kamailio.take_request("INVITE").header(HeaderName::kSessionExpires));
}

TEST_F(AdoptedSessionTest, X12_ParkdRefreshesInTheParkersPlace) {
  park_with(with_timer(true), "90;refresher=uac");
  pass(seconds(44));
  ASSERT_TRUE(kamailio.sends("INVITE", seconds(2)));
  const SipMessage refresh = kamailio.take_request("INVITE");
  EXPECT_EQ(refresh.header(HeaderName::kSessionExpires), "90;refresher=uac");
  kamailio.answer(refresh, 200, clients_sdp(), agrees("90;refresher=uac"));
  EXPECT_FALSE(kamailio.sends("BYE", seconds(40)));
}

TEST_F(AdoptedSessionTest, X12_ACallerThatHasToRefreshAndDoesNotIsGone) {
  park_with(with_timer(false), "90;refresher=uas");
  EXPECT_FALSE(kamailio.sends("BYE", seconds(58)));
  EXPECT_TRUE(kamailio.sends("BYE", seconds(4)));
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
}

TEST_F(AdoptedSessionTest, X12_TheIntervalThatTheCallerAsksForIsTried) {
  ASSERT_TRUE(adopt(with_timer(true)));
  offer_music(1);
  kamailio.answer(kamailio.take_request("INVITE"), 422, std::nullopt,
                  [](SipMessage& response) { response.set_header(HeaderName::kMinSE, "300"); });
  const SipMessage again = kamailio.take_request("INVITE");
  EXPECT_EQ(again.header(HeaderName::kSessionExpires), "300;refresher=uac");
  EXPECT_EQ(again.header(HeaderName::kMinSE), "300");
}

TEST_F(AdoptedSessionTest, X12_TheTimerIsInTheRowAndGoesOnAfterATakeover) {
  park_with(with_timer(true), "90;refresher=uac");
  ParkedCallRow row = row_of(RowState::kParked);
  row.caller = caller_snapshot();
  EXPECT_EQ(row.caller.session_seconds, 90);
  EXPECT_TRUE(row.caller.session_we_refresh);
  conversations.forget(talk);
  take_over(row);
  // It is not known when it was refreshed last.
  ASSERT_TRUE(kamailio.sends("INVITE", seconds(6)));
  const SipMessage refresh = kamailio.take_request("INVITE");
  EXPECT_EQ(refresh.header(HeaderName::kSessionExpires), "90;refresher=uac");
  kamailio.answer(refresh, 200, clients_sdp(), agrees("90;refresher=uac"));
  pass(seconds(40));
  EXPECT_TRUE(kamailio.sends("INVITE", seconds(10)));
}

TEST_F(AdoptedSessionTest, X12_AfterATakeoverAnUpdateRefreshesWhereItIsAllowed) {
  park_with(with_timer(true), "90;refresher=uac");
  ParkedCallRow row = row_of(RowState::kParked);
  row.caller = caller_snapshot();
  row.caller.remote_allow = "INVITE UPDATE";
  conversations.forget(talk);
  take_over(row);
  ASSERT_TRUE(kamailio.sends("UPDATE", seconds(6)));
  EXPECT_EQ(kamailio.take_request("UPDATE").header(HeaderName::kSessionExpires), "90;refresher=uac");
}

TEST_F(AdoptedSessionTest, X12_ATakenOverCallerThatIsNeverRefreshedIsGone) {
  ParkedCallRow row = row_of(RowState::kParked);
  row.caller = with_timer(false).caller;
  take_over(row);
  EXPECT_TRUE(kamailio.sends("BYE", seconds(65)));
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
}

TEST_F(AdoptedSessionTest, X12_ARefusedParkLeavesBothTimersToParkd) {
  ASSERT_TRUE(adopt(with_timer(true)));
  offer_music(1);
  kamailio.answer(kamailio.take_request("INVITE"), 488);
  reports();
  set_bridged(true);
  pass(seconds(44));
  ASSERT_TRUE(kamailio.sends("INVITE", seconds(2)));
  const SipMessage refresh = kamailio.take_request("INVITE");
  EXPECT_EQ(refresh.to_tag(), "client-tag");
  kamailio.answer(refresh, 200, clients_sdp(), agrees("90;refresher=uac"));
  // John's phone expects the Client's refreshes, and gets parkd's word that it is there.
  EXPECT_TRUE(kamailio.sends("BYE", seconds(20))) << "John's dialog was never refreshed";
  EXPECT_EQ(kamailio.take_request("BYE").to_tag(), "john-tag");
}

TEST_F(AdoptedSessionTest, X12_TwoBridgedDialogsHaveTimersOfTheirOwn) {
  park_with(with_timer(true), "90;refresher=uac");
  SipMessage invite = feature_invite("*88");
  invite.set_header(HeaderName::kSessionExpires, "600;refresher=uas");
  invite.set_header(HeaderName::kSupported, "timer");
  alices_invite = invite;
  const CallId call = dial(invite);
  end(PartyEnd::kPeer);
  take_bye();
  offer_call(2, call);
  const SipMessage joined = kamailio.take_request("INVITE");
  EXPECT_EQ(joined.header(HeaderName::kSessionExpires), "90;refresher=uac");
  kamailio.answer(joined, 200, clients_sdp(), agrees("90;refresher=uac"));
  calls.answer_with_caller(call, talk);
  const SipMessage ok = kamailio.take_response(alices_invite);
  EXPECT_EQ(ok.header(HeaderName::kSessionExpires), "600;refresher=uas");
  learn_tag(ok);
  kamailio.deliver(alice.ack(alices_invite));
  make_peer(call);
  set_bridged(true);
  pass(seconds(44));
  ASSERT_TRUE(kamailio.sends("INVITE", seconds(2)));
  const SipMessage refresh = kamailio.take_request("INVITE");
  EXPECT_EQ(refresh.call_id(), "call-1");
  kamailio.answer(refresh, 200, clients_sdp(), agrees("1800;refresher=uac"));
  pass(seconds(250));
  ASSERT_TRUE(kamailio.sends("INVITE", seconds(10)));
  EXPECT_EQ(kamailio.take_request("INVITE").call_id(), "call-2");
}

}  // namespace
}  // namespace callpark::leg
