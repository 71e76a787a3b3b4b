// A feature call that is to become the peer of a conversation (RFC 3891).
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

// In an attended transfer of which a retrieved call is the target, phones dial the code that it was retrieved with.
class ReplacesTest : public UserAgentScene {
 protected:
  SipMessage invite_for(const std::string& replaced, const std::string& user = "103") {
    SipMessage invite = bob.request("INVITE", alices_offer());
    invite.set_request_uri("sip:*88102@demo.callpark");
    trust(invite, user);
    invite.add_header(HeaderName::kReplaces, replaced);
    return invite;
  }
  static std::string place_of(const FarEnd& party) {
    return party.call_id + ";to-tag=" + party.parkd_tag + ";from-tag=" + party.tag;
  }
  FarEnd bob{"call-3", "bob-tag", "sip:103@demo.callpark", "sip:103@127.0.0.14:5060", "", "sip:*88102@demo.callpark",
             0};
};

TEST_F(ReplacesTest, S12_OfARetrieverGetsThatConversation) {
  park_and_retrieve();
  const SipMessage invite = invite_for(place_of(alice));
  const CallId call = dial(invite);
  ASSERT_EQ(listener.calls.back().takes_place_in, talk);

  set_bridged(false);
  offer_call(9, call);
  const SipMessage offer = kamailio.take_request("INVITE");
  EXPECT_EQ(offer.to_tag(), "client-tag");
  kamailio.answer(offer, 200, clients_sdp());
  EXPECT_THAT(reports(), ElementsAre("accepted 9"));
  calls.answer_with_caller(call, talk);
  const SipMessage answer = kamailio.take_response(invite);
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(body_of(answer).media[0].port, clients_sdp().media[0].port);
  end(PartyEnd::kPeer);
  const SipMessage bye = kamailio.take_request("BYE");
  EXPECT_EQ(bye.to_tag(), "alice-tag") << "RFC 3891 3: the dialog that is replaced ends";
  kamailio.answer(bye, 200);
  bob.parkd_tag = std::string(answer.to_tag());
  kamailio.deliver(bob.ack(invite));
  EXPECT_THAT(reports(), ElementsAre(about("confirmed", call)));
  make_peer(call);
  set_bridged(true);

  const SipMessage hold = bob.request("INVITE", held(alices_offer()));
  kamailio.deliver(hold);
  accept_offer();
  kamailio.deliver(bob.ack(hold));
  EXPECT_TRUE(is_held_by("103"));
  EXPECT_FALSE(held_by("102"));
  kamailio.deliver(bob.request("BYE"));
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
}

TEST_F(ReplacesTest, S12_OfACallerIsDeclined) {
  park_and_retrieve();
  const SipMessage of_caller = invite_for(place_of(client));
  EXPECT_EQ(answer_to(of_caller).status(), 603);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(ReplacesTest, S12_EarlyOnlyIsBusy) {
  park_and_retrieve();
  const SipMessage invite = invite_for(place_of(alice) + ";early-only");
  EXPECT_EQ(answer_to(invite).status(), 486);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(ReplacesTest, S11_OfATrunkIsDeclined) {
  park_and_retrieve();
  SipMessage invite = invite_for(place_of(alice));
  invite.remove_header(kamailio_protocol::kUser);
  invite.set_header(kamailio_protocol::kTrunk, "site-b");
  EXPECT_EQ(answer_to(invite).status(), 603);
  EXPECT_THAT(reports(), IsEmpty());
}

}  // namespace
}  // namespace callpark::leg
