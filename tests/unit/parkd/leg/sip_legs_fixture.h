// parkd's user agent between a Kamailio that the test plays and a listener that writes down what it is told.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "parkd/leg/adoptable_dialog_codec.h"
#include "parkd/leg/park_headers.h"
#include "parkd/leg/sip_legs.h"
#include "tests/unit/parkd/leg/scripted_kamailio.h"

namespace callpark::leg {

struct RecordedListener final : LegsListener {
  std::vector<std::string> said;
  std::vector<FeatureCall> calls;
  std::vector<Referral> referrals;
  std::optional<MediaRemote> music;
  std::function<void(CallId)> when_confirmed;

  void on_feature_call(FeatureCall call) override {
    said.push_back("feature call " + call.dialled);
    calls.push_back(std::move(call));
  }
  void on_refer(Referral referral) override {
    said.push_back("refer to " + referral.dialled);
    referrals.push_back(std::move(referral));
  }
  void on_refer_of_party(const ParkId& park_id, PartyEnd party, Referral referral) override {
    said.push_back(park_id + (party == PartyEnd::kCaller ? ": refer of caller to " : ": refer of peer to ") +
                   referral.dialled);
    referrals.push_back(std::move(referral));
  }
  void on_offer_accepted(const ParkId& park_id, park::Question question,
                         const std::optional<MediaRemote>& remote) override {
    said.push_back(park_id + ": accepted " + std::to_string(question));
    music = remote;
  }
  void on_offer_refused(const ParkId& park_id, park::Question question, bool changed) override {
    said.push_back(park_id + ": refused " + std::to_string(question) + (changed ? ", changed" : ""));
  }
  void on_caller_media_changed(const ParkId& park_id, const MediaRemote& remote) override {
    said.push_back(park_id + ": media changed");
    music = remote;
  }
  void on_target_answered(const ParkId& park_id, park::Question question) override {
    said.push_back(park_id + ": target answered " + std::to_string(question));
  }
  void on_target_refused(const ParkId& park_id, park::Question question, int status) override {
    said.push_back(park_id + ": target refused " + std::to_string(question) + " " + std::to_string(status));
  }
  void on_party_gone(const ParkId& park_id, PartyEnd party) override {
    said.push_back(park_id + (party == PartyEnd::kCaller ? ": caller gone" : ": peer gone"));
  }
  void on_call_confirmed(CallId call) override {
    said.push_back("confirmed " + std::to_string(call));
    if (when_confirmed) when_confirmed(call);
  }
  void on_call_lost(CallId call) override { said.push_back("lost " + std::to_string(call)); }
  void on_call_gone(CallId call) override { said.push_back("gone " + std::to_string(call)); }
  void on_extension_answered(CallId call, const MediaRemote& remote) override {
    said.push_back("answered " + std::to_string(call));
    music = remote;
  }
};

/// John (the parker) talks to the Client; Alice retrieves.
class SipLegsTest : public testing::Test {
 protected:
  SipLegsTest() {
    legs.set_listener(&listener);
    kamailio.transactions().start(legs);
    legs.set_ready();
  }

  void pass(Duration duration) { test::pass(loop, duration); }
  /// What was said since the last time.
  std::vector<std::string> said() {
    pass(Duration(20));
    return std::exchange(listener.said, {});
  }

  static std::string dialog_json() {
    const auto line = [](const sip::Sdp& sdp) {
      std::string text = sip::write_sdp(sdp);
      std::string escaped;
      for (const char c : text) {
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
  static AdoptableDialog adoptable() { return *decode_adoptable_dialog(dialog_json()); }

  void trust(sip::SipMessage& request, const std::string& user) {
    request.set_header(park_header::kTenant, "demo.callpark");
    request.set_header(park_header::kUser, user);
  }

  // ---- steps ----

  /// John's REFER as Kamailio hands it over.
  sip::SipMessage johns_refer(const std::string& refer_to = "<sip:*68@demo.callpark>") {
    sip::SipMessage refer = john.request("REFER");
    refer.set_request_uri("sip:client@127.0.0.12:5060");
    refer.add_header(sip::HeaderName::kRoute, "<sip:127.0.0.1:5060;lr;did=a86.f9>");
    refer.set_header(sip::HeaderName::kReferTo, refer_to);
    trust(refer, "101");
    refer.set_header(park_header::kDialog, dialog_json());
    return refer;
  }
  /// The Client hears music; `said` is empty.
  void park() { park(adoptable()); }
  void park(const AdoptableDialog& dialog) {
    ASSERT_TRUE(legs.adopt("p", dialog));
    legs.offer_music("p", 1, mediad_address());
    kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
    kamailio.take_request("ACK");
    ASSERT_EQ(said(), std::vector<std::string>{"p: accepted 1"});
  }
  sip::SipMessage feature_invite(const std::string& dialled, const std::string& user = "102",
                                 const std::optional<sip::Sdp>& offer = alices_offer()) {
    sip::SipMessage invite = alice.request("INVITE", offer);
    invite.set_request_uri("sip:" + dialled + "@demo.callpark");
    trust(invite, user);
    return invite;
  }
  /// Her call as parkd names it; her dialog is complete as soon as there is an answer with a tag.
  CallId dial(const sip::SipMessage& invite) {
    kamailio.deliver(invite);
    said();
    return listener.calls.empty() ? 0 : listener.calls.back().call;
  }
  void learn_tag(const sip::SipMessage& response) { alice.parkd_tag = std::string(response.to_tag()); }
  /// Alice and the Client are joined and bridged; `said` is empty.
  void retrieve() {
    alices_invite = feature_invite("*88");
    const CallId call = dial(alices_invite);
    legs.end("p", PartyEnd::kPeer);
    kamailio.answer(kamailio.take_request("BYE"), 200);
    legs.offer_call("p", 2, call);
    kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
    kamailio.take_request("ACK");
    legs.answer_retriever(call, "p");
    learn_tag(kamailio.take_response(alices_invite));
    kamailio.deliver(alice.ack(alices_invite));
    legs.make_peer("p", call);
    legs.bridge("p");
    said();
    ASSERT_FALSE(HasFailure());
  }

  int last_call = 100;
  test::VirtualTime time;
  EventLoop loop;
  RecordedListener listener;
  ScriptedKamailio kamailio{loop};
  SipLegs legs{UserAgent{loop, kamailio.transactions(), kInside, "<sip:parkd@127.0.0.1:5062>", playable_codecs(), {}}};
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
  sip::SipMessage alices_invite;
};

}  // namespace callpark::leg
