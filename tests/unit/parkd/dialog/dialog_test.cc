#include "parkd/dialog/dialog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/dialog/example_messages.h"

namespace callpark::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Dialog, TheCalledEndTakesRecordRouteInOrderAndContactAsTarget) {
  const auto dialog = from_incoming_invite(incoming_invite(), "ours");
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->id, (DialogId{"alice-1", "ours", "a1"}));
  EXPECT_EQ(dialog->local_uri, "sip:*88@demo.callpark");
  EXPECT_EQ(dialog->local_display, "");
  EXPECT_EQ(dialog->remote_uri, "sip:103@demo.callpark");
  EXPECT_EQ(dialog->remote_display, "Alice");
  EXPECT_EQ(dialog->remote_cseq, 7u);
  EXPECT_EQ(dialog->remote_target, "sip:alice@127.0.0.13:5060;ob");
  EXPECT_THAT(dialog->route_set, ElementsAre("<sip:127.0.0.1:5061;r2=on;lr>", "<sip:127.0.0.1:5060;r2=on;lr>"));
}

TEST(Dialog, TheCallingEndTakesRecordRouteReversed) {
  const auto dialog = from_outgoing_invite(outgoing_invite(), answer_to_outgoing_invite());
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->id, (DialogId{"parkd-1", "p1", "b1"}));
  EXPECT_EQ(dialog->local_display, "Recall");
  EXPECT_EQ(dialog->local_cseq, 20u);
  EXPECT_EQ(dialog->remote_cseq, std::nullopt);
  EXPECT_EQ(dialog->remote_target, "sip:103@127.0.0.14:5080");
  EXPECT_THAT(dialog->route_set, ElementsAre("<sip:near.example;lr>", "<sip:far.example;lr>"));
}

TEST(Dialog, AnAnswerWithoutContactIsReachedByItsRoute) {
  SipMessage no_contact = answer_to_outgoing_invite();
  no_contact.remove_header(HeaderName::kContact);
  const auto dialog = from_outgoing_invite(outgoing_invite(), no_contact);
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->remote_target, outgoing_invite().request_uri_text());
}

TEST(Dialog, AnAnswerWithoutTagMakesNone) {
  EXPECT_EQ(from_outgoing_invite(outgoing_invite(), make_response(outgoing_invite(), 180)).error(),
            DialogError::kNoTag);
}

TEST(Dialog, AnInviteWithoutContactMakesNone) {
  SipMessage invite = incoming_invite();
  invite.remove_header(HeaderName::kContact);
  EXPECT_EQ(from_incoming_invite(invite, "ours").error(), DialogError::kNoContact);
}

TEST(Dialog, AnOldCallerWithoutTagHasAnEmptyOne) {
  SipMessage invite = incoming_invite();
  invite.set_header(HeaderName::kFrom, "<sip:103@demo.callpark>");
  const auto dialog = from_incoming_invite(invite, "ours");
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->id.remote_tag, "");
}

TEST(Dialog, P1_TheReferItselfShowsTheWayToTheOtherParty) {
  const auto dialog = in_place_of_referrer(johns_refer());
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->id, (DialogId{"c543588f7ec7886a", "7cf1", "theirs"}));
  EXPECT_EQ(dialog->local_uri, "sip:john@pbx.test");
  EXPECT_EQ(dialog->local_display, "John");
  EXPECT_EQ(dialog->remote_uri, "sip:lin@pbx.test;transport=udp");
  EXPECT_EQ(dialog->remote_display, "Lin \"L\"");
  EXPECT_EQ(dialog->local_cseq, 46152u);
  EXPECT_EQ(dialog->remote_cseq, std::nullopt);
  EXPECT_EQ(dialog->remote_target, "sip:lin@127.0.0.1:5066;transport=udp");
  EXPECT_THAT(dialog->route_set, ElementsAre("<sip:127.0.0.1;lr=on;ftag=7cf1;did=c97.3ab>", "<sip:beyond.example;lr>"));
}

TEST(Dialog, P1_TowardsTheReferrerTheRolesAreExchanged) {
  const auto dialog = towards_referrer(johns_refer(), {"<sip:127.0.0.1;lr>"}, 500);
  ASSERT_TRUE(dialog);
  EXPECT_EQ(dialog->id, (DialogId{"c543588f7ec7886a", "theirs", "7cf1"}));
  EXPECT_EQ(dialog->local_uri, "sip:lin@pbx.test;transport=udp");
  EXPECT_EQ(dialog->remote_uri, "sip:john@pbx.test");
  EXPECT_EQ(dialog->local_cseq, 500u);
  EXPECT_EQ(dialog->remote_cseq, 46152u);
  EXPECT_EQ(dialog->remote_target, "sip:john-0x5@127.0.0.11:5060;alias=127.0.0.11~5060~1");
  EXPECT_THAT(dialog->route_set, ElementsAre("<sip:127.0.0.1;lr>"));
}

TEST(Dialog, AReferOutsideOfADialogGivesNone) {
  SipMessage refer = johns_refer();
  refer.set_header(HeaderName::kTo, "<sip:lin@pbx.test>");
  EXPECT_EQ(in_place_of_referrer(refer).error(), DialogError::kNoTag);
  EXPECT_EQ(towards_referrer(refer, {}, 1).error(), DialogError::kNoTag);
}

TEST(Dialog, AReferWithoutContactStillShowsTheWayToTheOtherPartyOnly) {
  SipMessage refer = johns_refer();
  refer.remove_header(HeaderName::kContact);
  EXPECT_TRUE(in_place_of_referrer(refer));
  EXPECT_EQ(towards_referrer(refer, {}, 1).error(), DialogError::kNoContact);
}

TEST(RouteSet, IsReadFromAHeadersTextAndWrittenBack) {
  const std::string text = "<sip:a.example;lr>, \"B, the second\" <sip:b.example;lr>;x=\"1,2\"";
  const auto routes = parse_route_set(text);
  ASSERT_TRUE(routes);
  EXPECT_EQ(routes->size(), 2u);
  EXPECT_EQ(to_string(*routes), text);
  EXPECT_THAT(*parse_route_set(""), IsEmpty());
}

TEST(RouteSet, AnEntryThatIsNoAddressInBracketsIsAnError) {
  EXPECT_FALSE(parse_route_set("<sip:a.example;lr>, junk"));
  EXPECT_FALSE(parse_route_set("sip:a.example;lr"));
  EXPECT_FALSE(parse_route_set("<sip:a.example;lr"));
}

TEST(RouteSet, LooseRoutersLeaveTheTargetInTheRequestUri) {
  SipMessage request = make_request("BYE", "sip:before.example");
  request.add_header(HeaderName::kRoute, "<sip:before.example;lr>");
  route(request, {"<sip:a.example;lr>", "<sip:b.example>"}, "sip:lin@127.0.0.1:5066");
  EXPECT_EQ(request.request_uri_text(), "sip:lin@127.0.0.1:5066");
  EXPECT_THAT(request.all_headers(HeaderName::kRoute), ElementsAre("<sip:a.example;lr>", "<sip:b.example>"));
}

// RFC 3261 12.2.1.1, the example after the rule.
TEST(RouteSet, AStrictRouterGetsTheRequestUriAndTheTargetBecomesTheLastRoute) {
  SipMessage request = make_request("BYE", "sip:before.example");
  route(request, {"<sip:proxy1;method=BYE;x=1?Subject=a>", "<sip:proxy2>", "<sip:proxy3;lr>", "<sip:proxy4>"},
        "sip:user@remoteua");
  EXPECT_EQ(request.request_uri_text(), "sip:proxy1;x=1");
  EXPECT_THAT(request.all_headers(HeaderName::kRoute),
              ElementsAre("<sip:proxy2>", "<sip:proxy3;lr>", "<sip:proxy4>", "<sip:user@remoteua>"));
}

TEST(RouteSet, WithoutRoutesTheRequestGoesStraightToTheTarget) {
  SipMessage request = make_request("BYE", "sip:before.example");
  route(request, {}, "sip:user@remoteua");
  EXPECT_EQ(request.request_uri_text(), "sip:user@remoteua");
  EXPECT_FALSE(request.header(HeaderName::kRoute));
}

}  // namespace
}  // namespace callpark::sip
