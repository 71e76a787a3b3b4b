// One leg of parkd's: an adopted dialog with the Client, beyond a Kamailio that the test plays.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parkd/leg/dialog_leg.h"
#include "parkd/leg/offer_answer.h"
#include "tests/unit/parkd/leg/scripted_kamailio.h"

namespace callpark::leg {

using sip::HeaderName;
using sip::SipMessage;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

inline constexpr std::string_view kContact = "<sip:parkd@127.0.0.1:5062>";

/// The adopted dialog: parkd speaks as John to the Client.
inline DialogSnapshot johns_half() {
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

/// Gives the Client's requests to the leg, as the user agent does.
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
               [this, name](OfferOutcome outcome, const sip::Sdp*, const sip::Sdp* answer) {
                 static constexpr const char* kWords[] = {
                     " accepted", " refused for its media", " not answered", " refused", " unusable", " gone"};
                 outcomes.push_back(name + kWords[static_cast<int>(outcome)]);
                 EXPECT_EQ(answer != nullptr, outcome == OfferOutcome::kAccepted);
               });
  }
  /// An INVITE of the Client that is answered at once.
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

}  // namespace callpark::leg
