#include "parkd/dialog/dialog_requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parkd/message/sip_writer.h"
#include "tests/unit/parkd/dialog/example_messages.h"

namespace callpark::sip {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kContact = "<sip:parkd@127.0.0.1:5062>";

DialogState johns_place() {
  return *in_place_of_referrer(johns_refer());
}

SipMessage request_with_cseq(std::uint32_t number, std::string_view method) {
  SipMessage request = johns_refer();
  request.set_cseq(number, method);
  SipMessage result = make_request(method, "sip:parkd@127.0.0.1:5062");
  for (const auto& field : request.headers()) {
    if (field.name != HeaderName::kMaxForwards) result.add_header(field.text, field.value);
  }
  return result;
}

TEST(DialogRequests, P1_AReInviteInJohnsPlaceIsWhatJohnWouldHaveSent) {
  DialogState dialog = johns_place();
  const SipMessage invite = make_request_in(dialog, method::kInvite, kContact);
  EXPECT_EQ(invite.request_uri_text(), "sip:lin@127.0.0.1:5066;transport=udp");
  EXPECT_EQ(invite.from(), johns_refer().from());
  EXPECT_EQ(invite.to(), johns_refer().to());
  EXPECT_EQ(invite.call_id(), "c543588f7ec7886a");
  EXPECT_EQ(invite.cseq(), (CSeq{46153, "INVITE"}));
  EXPECT_EQ(invite.max_forwards(), 70u);
  EXPECT_EQ(invite.header(HeaderName::kContact), kContact);
  EXPECT_THAT(invite.all_headers(HeaderName::kRoute),
              ElementsAre("<sip:127.0.0.1;lr=on;ftag=7cf1;did=c97.3ab>", "<sip:beyond.example;lr>"));
  EXPECT_FALSE(invite.header(HeaderName::kVia));
}

TEST(DialogRequests, EachRequestCountsUp) {
  DialogState dialog = johns_place();
  EXPECT_EQ(make_request_in(dialog, method::kUpdate, kContact).cseq().number, 46153u);
  const SipMessage bye = make_request_in(dialog, method::kBye, "");
  EXPECT_EQ(bye.cseq(), (CSeq{46154, "BYE"}));
  EXPECT_FALSE(bye.header(HeaderName::kContact));
}

TEST(DialogRequests, TheAckOfA2xxHasTheNumberOfItsInviteAndCountsNothing) {
  DialogState dialog = johns_place();
  make_request_in(dialog, method::kInvite, kContact);
  const DialogState before = dialog;
  const SipMessage ack = make_ack_for_2xx(dialog, 46153);
  EXPECT_EQ(ack.cseq(), (CSeq{46153, "ACK"}));
  EXPECT_EQ(ack.all_headers(HeaderName::kRoute).size(), 2u);
  EXPECT_EQ(dialog, before);
}

TEST(DialogRequests, AnOldPeerWithoutTagGetsNone) {
  DialogState dialog = johns_place();
  dialog.id.remote_tag.clear();
  const SipMessage bye = make_request_in(dialog, method::kBye, "");
  EXPECT_FALSE(bye.to().params.has("tag"));
}

TEST(DialogRequests, WhatIsMadeCanBeParsed) {
  DialogState dialog = johns_place();
  SipMessage invite = make_request_in(dialog, method::kInvite, kContact);
  invite.add_header(HeaderName::kVia, "SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK9");
  const auto parsed = parse(write(invite));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, invite);
}

TEST(DialogRequests, ALowerCSeqIsOutOfOrderAndChangesNothing) {
  DialogState dialog = johns_place();
  EXPECT_TRUE(accept_cseq(dialog, request_with_cseq(10, method::kInvite)));
  EXPECT_TRUE(accept_cseq(dialog, request_with_cseq(500, method::kUpdate)));
  EXPECT_FALSE(accept_cseq(dialog, request_with_cseq(499, method::kBye)));
  EXPECT_EQ(dialog.remote_cseq, 500u);
}

// RFC 3261 12.2.2 refuses the lower ones only.
TEST(DialogRequests, TheSameCSeqAgainIsInOrder) {
  DialogState dialog = johns_place();
  dialog.remote_cseq = 500;
  EXPECT_TRUE(accept_cseq(dialog, request_with_cseq(500, method::kInfo)));
}

TEST(DialogRequests, AckAndCancelAreInOrderWhateverTheirNumber) {
  DialogState dialog = johns_place();
  dialog.remote_cseq = 500;
  EXPECT_TRUE(accept_cseq(dialog, request_with_cseq(10, method::kAck)));
  EXPECT_TRUE(accept_cseq(dialog, request_with_cseq(10, method::kCancel)));
  EXPECT_EQ(dialog.remote_cseq, 500u);
}

TEST(DialogRequests, InviteAndUpdateAndTheir2xxMoveTheTarget) {
  DialogState dialog = johns_place();
  const RouteSet routes = dialog.route_set;
  SipMessage invite = request_with_cseq(10, method::kInvite);
  invite.set_header(HeaderName::kContact, "<sip:lin@127.0.0.9:5070>;expires=5");
  refresh_target(dialog, invite);
  EXPECT_EQ(dialog.remote_target, "sip:lin@127.0.0.9:5070");

  SipMessage update = request_with_cseq(11, method::kUpdate);
  update.set_header(HeaderName::kContact, "<sip:lin@127.0.0.10>");
  refresh_target(dialog, update);
  EXPECT_EQ(dialog.remote_target, "sip:lin@127.0.0.10");

  SipMessage answer = make_response(invite, 200);
  answer.set_header(HeaderName::kContact, "<sip:lin@127.0.0.11>");
  answer.set_header(HeaderName::kRecordRoute, "<sip:other.example;lr>");
  refresh_target(dialog, answer);
  EXPECT_EQ(dialog.remote_target, "sip:lin@127.0.0.11");
  EXPECT_EQ(dialog.route_set, routes);
}

TEST(DialogRequests, NothingElseMovesTheTarget) {
  DialogState dialog = johns_place();
  const DialogState before = dialog;
  SipMessage refused = make_response(request_with_cseq(10, method::kInvite), 488);
  refused.set_header(HeaderName::kContact, "<sip:elsewhere.example>");
  refresh_target(dialog, refused);
  refresh_target(dialog, request_with_cseq(11, method::kInfo));
  SipMessage without = request_with_cseq(12, method::kInvite);
  without.remove_header(HeaderName::kContact);
  refresh_target(dialog, without);
  EXPECT_EQ(dialog, before);
}

}  // namespace
}  // namespace callpark::sip
