// parkd's user agent between a Kamailio that the test plays and listeners that write down what is reported; and the
// scenes that the tests begin with.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "kamailio_protocol/dialog_codec.h"
#include "kamailio_protocol/headers.h"
#include "parkd/leg/sip_user_agent.h"
#include "parkd/leg/sipfrag.h"
#include "tests/unit/parkd/leg/scripted_kamailio.h"

namespace callpark::leg {

using sip::HeaderName;
using sip::SipMessage;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// "answered 3"
inline std::string about(const std::string& what, CallId call) {
  return what + " " + std::to_string(call.value);
}

struct RecordedListener final : CallListener, ConversationListener, ReferralListener {
  std::vector<std::string> reports;
  std::vector<FeatureCall> calls;
  std::vector<Referral> referrals;
  std::optional<MediaRemote> music;
  park::RefusalReason refusal{};  // of the last offer that was refused
  std::function<void(CallId)> when_confirmed;

  void on_feature_call(FeatureCall call) override {
    reports.push_back("feature call " + call.dialled);
    calls.push_back(std::move(call));
  }
  void on_call_answered(CallId call, const std::optional<MediaRemote>& remote) override {
    reports.push_back(about("answered", call));
    music = remote;
  }
  void on_call_refused(CallId call, int status) override {
    reports.push_back(about("refused " + std::to_string(status), call));
  }
  void on_call_media_changed(CallId call, const MediaRemote& remote) override {
    reports.push_back(about("media of", call));
    music = remote;
  }
  void on_call_key(CallId call, const InfoKey& key) override {
    reports.push_back(about("key " + std::string(1, key.key) + " of", call));
  }
  void on_call_confirmed(CallId call) override {
    reports.push_back(about("confirmed", call));
    if (when_confirmed) when_confirmed(call);
  }
  void on_call_lost(CallId call) override { reports.push_back(about("lost", call)); }
  void on_call_gone(CallId call) override { reports.push_back(about("gone", call)); }

  void on_offer_accepted(ConversationId, park::Question question, const std::optional<MediaRemote>& remote) override {
    reports.push_back("accepted " + std::to_string(question));
    music = remote;
  }
  void on_offer_refused(ConversationId, park::Question question, park::RefusalReason reason, bool changed) override {
    reports.push_back("refused " + std::to_string(question) + (changed ? ", changed" : ""));
    refusal = reason;
  }
  void on_caller_media_changed(ConversationId, const MediaRemote& remote) override {
    reports.push_back("media changed");
    music = remote;
  }
  void on_caller_key(ConversationId, const InfoKey& key) override {
    reports.push_back("key " + std::string(1, key.key) + " of caller");
  }
  void on_party_gone(ConversationId, PartyEnd party) override {
    reports.push_back(party == PartyEnd::kCaller ? "caller gone" : "peer gone");
  }

  void on_referral(Referral referral) override {
    reports.push_back("refer to " + referral.dialled);
    referrals.push_back(std::move(referral));
  }
  void on_referral_of_party(ConversationId, PartyEnd party, Referral referral) override {
    reports.push_back((party == PartyEnd::kCaller ? "refer of caller to " : "refer of peer to ") + referral.dialled);
    referrals.push_back(std::move(referral));
  }
};

inline int sipfrag_status(const SipMessage& notify) {
  const auto line = parse_sipfrag(notify.body());
  return line ? line->status : 0;
}

inline sip::Sdp with_direction(sip::Sdp sdp, sip::Direction direction) {
  sip::set_direction(sdp.media[0], direction);
  return sdp;
}
inline sip::Sdp held(sip::Sdp sdp) {
  return with_direction(std::move(sdp), sip::Direction::kSendOnly);
}
inline sip::Sdp with_port(sip::Sdp sdp, std::uint16_t port) {
  sdp.media[0].port = port;
  return sdp;
}
inline sip::Direction direction_of(const SipMessage& message) {
  const sip::Sdp sdp = body_of(message);
  return sip::direction(sdp, sdp.media[0]);
}

/// As trunks do that send ISUP, and phones that send their place.
inline void put_among_other_parts(SipMessage& message, const std::optional<sip::Sdp>& sdp) {
  std::string body = "--b\r\nContent-Type: application/isup;version=itu-t92+\r\n\r\n\x01\r\n";
  if (sdp) body += "--b\r\nContent-Type: application/sdp\r\n\r\n" + sip::write_sdp(*sdp) + "\r\n";
  message.set_body("multipart/mixed;boundary=b", body + "--b--\r\n");
}

/// What Kamailio knows of the call of John (the parker) with the Client.
inline std::string dialog_json() {
  const auto line = [](const sip::Sdp& sdp) {
    std::string escaped;
    for (const char c : sip::write_sdp(sdp)) {
      if (c != '\r') escaped += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
    return escaped;
  };
  return R"({"call_id":"call-1","parker":"caller","route":"<sip:127.0.0.1:5060;lr;did=a86.f9>",)"
         R"("caller":{"tag":"john-tag","uri":"sip:101@demo.callpark","display":"John",)"
         R"("contact":"sip:101@127.0.0.11:5060","cseq":20,"route_set":"","kind":"extension","sdp":")" +
         line(johns_sdp()) +
         R"("},"callee":{"tag":"client-tag","uri":"sip:client@demo.callpark","display":"Client",)"
         R"("contact":"sip:client@127.0.0.12:5060","cseq":7,"route_set":"","kind":"trunk","sdp":")" +
         line(clients_sdp()) + R"("}})";
}
inline AdoptableDialog adoptable() {
  return *kamailio_protocol::decode_dialog(dialog_json());
}
/// The Client is extension 104.
inline AdoptableDialog colleague() {
  AdoptableDialog dialog = adoptable();
  dialog.caller.remote_party = Extension{"demo.callpark", "104"};
  dialog.caller.remote_identity = {"Carol", "104"};
  return dialog;
}
/// The call of John and the Client in the database, parked or retrieved by 102.
inline ParkedCallRow row_of(RowState state) {
  const AdoptableDialog dialog = *kamailio_protocol::decode_dialog(
      R"({"call_id":"call-1","parker":"caller","route":"<sip:127.0.0.1:5060;lr>",
      "caller":{"tag":"john-tag","uri":"sip:101@demo.callpark","contact":"sip:101@127.0.0.11:5060","cseq":20},
      "callee":{"tag":"client-tag","uri":"sip:client@demo.callpark","contact":"sip:client@127.0.0.12:5060","cseq":7}})");
  ParkedCallRow row;
  row.park_id = ParkId("p");
  row.tenant = "demo.callpark";
  row.orbit = "101";
  row.state = state;
  row.caller = dialog.caller;
  row.peer = dialog.parker;
  if (state == RowState::kRetrieved) row.retriever = Extension{"demo.callpark", "102"};
  row.media = MediaSnapshot{"park-x", mediad_address(), 77, std::nullopt};
  return row;
}

inline void trust(SipMessage& request, const std::string& user) {
  request.set_header(kamailio_protocol::kTenant, "demo.callpark");
  request.set_header(kamailio_protocol::kUser, user);
}

/// John (the parker, 101) talks to the Client; Alice (102) retrieves. The conversation of the scene is `talk`.
class UserAgentScene : public testing::Test {
 protected:
  UserAgentScene() {
    agent.set_listeners({&listener, &listener, &listener});
    kamailio.transactions().start(agent);
    agent.set_ready();
  }

  void pass(Duration duration) { test::pass(loop, duration); }
  /// What was reported since the last time.
  std::vector<std::string> reports() {
    pass(Duration(20));
    return std::exchange(listener.reports, {});
  }

  // ---- the conversation of the scene ----

  bool adopt(const AdoptableDialog& dialog = adoptable()) {
    const auto adopted = conversations.adopt(dialog);
    talk = adopted.value_or(ConversationId{});
    return adopted.has_value();
  }
  void take_over(const ParkedCallRow& row) { talk = conversations.take_over(row); }
  void offer_music(park::Question question) {
    conversations.offer_to_caller(talk, question, OfferMusic{mediad_address()});
  }
  void offer_call(park::Question question, CallId call) {
    conversations.offer_to_caller(talk, question, OfferCall{call});
  }
  void offer_peer(park::Question question) { conversations.offer_to_caller(talk, question, OfferPeer{}); }
  void set_bridged(bool bridged) { conversations.set_bridged(talk, bridged); }
  void make_peer(CallId call) { conversations.make_peer(talk, call); }
  void end(PartyEnd party) { conversations.end(talk, party); }
  DialogSnapshot caller_snapshot() const { return conversations.snapshot(talk).caller; }
  std::optional<DialogSnapshot> peer_snapshot() const { return conversations.snapshot(talk).peer; }
  std::optional<HeldConversation> held_by(const std::string& number, const std::string& device = "") const {
    return conversations.held_by({"demo.callpark", number}, device);
  }
  bool is_held_by(const std::string& number) const {
    const auto held = held_by(number);
    return held && held->conversation == talk;
  }

  // ---- requests and answers ----

  /// Kamailio hands the request over; the final answer.
  SipMessage answer_to(const SipMessage& request) {
    kamailio.deliver(request);
    return kamailio.take_response(request);
  }
  /// The next re-INVITE of parkd's is accepted.
  SipMessage accept_offer(const std::optional<sip::Sdp>& answer = clients_sdp()) {
    const SipMessage invite = kamailio.take_request("INVITE");
    kamailio.answer(invite, 200, answer);
    return invite;
  }
  void accept_offer_and_take_ack() {
    accept_offer();
    kamailio.take_request("ACK");
  }
  /// parkd ends the dialog with this tag; the BYE is answered.
  SipMessage take_bye() {
    const SipMessage bye = kamailio.take_request("BYE");
    kamailio.answer(bye, 200);
    return bye;
  }
  SipMessage take_notify(int status) {
    const SipMessage notify = kamailio.take_request("NOTIFY");
    EXPECT_EQ(sipfrag_status(notify), status);
    kamailio.answer(notify, 200);
    return notify;
  }
  /// In a bridge one side holds, and the other answers.
  void hold(FarEnd& holder, const sip::Sdp& description, const std::string& device = "") {
    SipMessage invite = holder.request("INVITE", held(description));
    if (!device.empty()) invite.set_header(kamailio_protocol::kDevice, device);
    kamailio.deliver(invite);
    accept_offer(with_direction(clients_sdp(), sip::Direction::kRecvOnly));
    EXPECT_EQ(kamailio.take_response(invite).status(), 200);
    kamailio.deliver(holder.ack(invite));
  }

  // ---- scenes ----

  /// John's REFER as Kamailio hands it over.
  SipMessage johns_refer(const std::string& refer_to = "<sip:*68@demo.callpark>") {
    SipMessage refer = john.request("REFER");
    refer.set_request_uri("sip:client@127.0.0.12:5060");
    refer.add_header(HeaderName::kRoute, "<sip:127.0.0.1:5060;lr;did=a86.f9>");
    refer.set_header(HeaderName::kReferTo, refer_to);
    trust(refer, "101");
    refer.set_header(kamailio_protocol::kDialog, dialog_json());
    return refer;
  }
  /// A REFER within a dialog of parkd's; Kamailio vouches for `user`, unless it is "".
  SipMessage refer_within(FarEnd& referrer, const std::string& refer_to, const std::string& user) {
    SipMessage refer = referrer.request("REFER");
    refer.set_header(HeaderName::kReferTo, refer_to);
    if (!user.empty()) trust(refer, user);
    return refer;
  }
  /// The Client hears music; nothing is left to report.
  void park(const AdoptableDialog& dialog = adoptable()) {
    ASSERT_TRUE(adopt(dialog));
    offer_music(1);
    accept_offer_and_take_ack();
    ASSERT_EQ(reports(), std::vector<std::string>{"accepted 1"});
  }
  SipMessage feature_invite(const std::string& dialled, const std::string& user = "102",
                            const std::optional<sip::Sdp>& offer = alices_offer()) {
    SipMessage invite = alice.request("INVITE", offer);
    invite.set_request_uri("sip:" + dialled + "@demo.callpark");
    trust(invite, user);
    return invite;
  }
  /// John dials a park code while the Client is on hold.
  SipMessage hold_park_invite() {
    SipMessage invite = feature_invite("*70", "101");
    invite.set_header(kamailio_protocol::kDialog, dialog_json());
    return invite;
  }
  /// The call's id; its dialog is complete as soon as there is an answer with a tag.
  CallId dial(const SipMessage& invite) {
    kamailio.deliver(invite);
    reports();
    return listener.calls.empty() ? CallId{} : listener.calls.back().call;
  }
  void learn_tag(const SipMessage& response) { alice.parkd_tag = std::string(response.to_tag()); }
  /// Alice's call is answered with mediad's media; without an ACK yet.
  CallId answer_with_media(const SipMessage& invite, Calls::Answer answer = Calls::Answer::kFinal) {
    const CallId call = dial(invite);
    EXPECT_TRUE(calls.answer_with_media(call, mediad_address(), answer));
    learn_tag(kamailio.take_response(invite, answer == Calls::Answer::kFinal ? 200 : 183));
    return call;
  }
  /// Alice dials, John's phone gets its BYE, and the Client accepts Alice's media.
  CallId win_call(const SipMessage& invite) {
    alices_invite = invite;
    const CallId call = dial(invite);
    end(PartyEnd::kPeer);
    take_bye();
    offer_call(2, call);
    accept_offer_and_take_ack();
    calls.answer_with_caller(call, talk);
    learn_tag(kamailio.take_response(invite));
    return call;
  }
  /// Alice and the Client are bridged; nothing is left to report.
  void retrieve() {
    const CallId call = win_call(feature_invite("*88"));
    kamailio.deliver(alice.ack(alices_invite));
    make_peer(call);
    set_bridged(true);
    reports();
    ASSERT_FALSE(HasFailure());
  }
  void park_and_retrieve(const AdoptableDialog& dialog = adoptable()) {
    park(dialog);
    retrieve();
  }
  /// A call in the caller's name.
  CallId call_target(const std::string& number, callpark::OutgoingCall::InNameOfCaller from = {}) {
    from.conversation = talk;
    return calls.start({"demo.callpark", number, std::move(from)});
  }
  static callpark::OutgoingCall::InNameOfCaller as_recall(const std::string& orbit) {
    return {{}, "", "", callpark::OutgoingCall::InNameOfCaller::Recall{ParkId("p"), orbit}};
  }
  /// The phone that answers an INVITE of parkd's.
  static FarEnd phone_called_by(const SipMessage& invite) {
    return {std::string(invite.call_id()),
            "far-tag",
            invite.to().uri.to_string(),
            "sip:103@127.0.0.14:5060",
            std::string(invite.from_tag()),
            invite.from().uri.to_string(),
            0};
  }

  int last_call = 100;
  test::VirtualTime time;
  EventLoop loop;
  RecordedListener listener;
  ScriptedKamailio kamailio{loop};
  SipUserAgent agent{
      UserAgent{loop, kamailio.transactions(), kInside, "<sip:parkd@127.0.0.1:5062>", playable_codecs(), {}}};
  Calls& calls = agent.calls();
  Conversations& conversations = agent.conversations();
  Referrals& referrals = agent.referrals();
  ConversationId talk;
  FarEnd john{"call-1",
              "john-tag",
              "sip:101@demo.callpark",
              "sip:101@127.0.0.11:5060",
              "client-tag",
              "sip:client@demo.callpark",
              20};
  FarEnd client{"call-1",
                "client-tag",
                "sip:client@demo.callpark",
                "sip:client@127.0.0.12:5060",
                "john-tag",
                "sip:101@demo.callpark",
                7};
  FarEnd alice{"call-2", "alice-tag", "sip:102@demo.callpark", "sip:102@127.0.0.13:5060", "", "sip:*88@demo.callpark",
               0};
  SipMessage alices_invite;
};

}  // namespace callpark::leg
