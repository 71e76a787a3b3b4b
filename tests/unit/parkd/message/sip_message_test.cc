#include "parkd/message/sip_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parkd/message/sip_parser.h"
#include "parkd/message/sip_writer.h"

namespace callpark::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SipMessage message(std::string_view more = "") {
  const std::string text =
      "INVITE sip:*68@demo.callpark SIP/2.0\r\n"
      "v: SIP/2.0/UDP one;branch=z9hG4bK1 , SIP/2.0/UDP two;branch=z9hG4bK2\r\n"
      "Via: SIP/2.0/TCP three;branch=z9hG4bK3\r\n"
      "Record-Route: <sip:r1;lr>,<sip:r2;lr>\r\n"
      "From: \"A\" <sip:101@demo.callpark>;tag=from1\r\n"
      "To: sip:102@demo.callpark;tag=to1\r\n"
      "i: call1\r\n"
      "CSeq: 7 INVITE\r\n" +
      std::string(more) + "\r\n";
  const auto parsed = parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : SipMessage{};
}

std::vector<std::string> hosts(const SipMessage& m) {
  std::vector<std::string> list;
  for (const Via& via : m.vias()) list.push_back(via.host);
  return list;
}

TEST(SipMessage, TypedAccessorsReadTheHeaders) {
  const SipMessage m = message(
      "Contact: <sip:101@h>, <sip:101@g>\r\nRoute: <sip:s;lr>\r\nExpires: 99999999999\r\nMax-Forwards: 7\r\n"
      "r: <sip:*70@h?Replaces=c%3Bto-tag%3Da%3Bfrom-tag%3Db>\r\nReplaces: d;to-tag=e;from-tag=f\r\n"
      "o: dialog;id=1\r\nSubscription-State: active;expires=60\r\nb: <sip:101@h>\r\n");
  EXPECT_TRUE(m.is_request());
  EXPECT_EQ(m.method(), "INVITE");
  EXPECT_EQ(m.request_uri().user(), "*68");
  EXPECT_EQ(m.call_id(), "call1");
  EXPECT_EQ(m.cseq(), (CSeq{7, "INVITE"}));
  EXPECT_EQ(m.from().display, "A");
  EXPECT_EQ(m.from_tag(), "from1");
  EXPECT_EQ(m.to().uri.user(), "102");
  EXPECT_EQ(m.to_tag(), "to1");
  EXPECT_EQ(m.top_via().host, "one");
  EXPECT_EQ(m.top_branch(), "z9hG4bK1");
  EXPECT_THAT(hosts(m), ElementsAre("one", "two", "three"));
  EXPECT_EQ(m.record_routes().size(), 2U);
  EXPECT_EQ(m.routes().size(), 1U);
  EXPECT_EQ(m.contacts().size(), 2U);
  EXPECT_EQ(m.contact()->uri.host(), "h");
  EXPECT_EQ(m.max_forwards(), 7U);
  EXPECT_EQ(m.expires(), 0xffffffffU) << "more than fits means never";
  EXPECT_EQ(parse_replaces(m.refer_to()->uri.header("Replaces").value_or("")), (Replaces{"c", "a", "b", false}));
  EXPECT_EQ(m.replaces(), (Replaces{"d", "e", "f", false}));
  EXPECT_EQ(m.event(), "dialog;id=1");
  EXPECT_EQ(m.subscription_state(), "active;expires=60");
  EXPECT_EQ(m.referred_by()->uri.user(), "101");
}

TEST(SipMessage, WhatIsNotThereIsEmpty) {
  const SipMessage m = make_request("INVITE", "not a uri");
  EXPECT_EQ(m.request_uri(), SipUri{});
  EXPECT_EQ(m.from(), NameAddr{});
  EXPECT_EQ(m.top_via(), Via{});
  EXPECT_EQ(m.cseq(), CSeq{});
  EXPECT_THAT(m.call_id(), IsEmpty());
  EXPECT_THAT(m.from_tag(), IsEmpty());
  EXPECT_EQ(m.contact(), std::nullopt);
  EXPECT_EQ(m.refer_to(), std::nullopt);
  EXPECT_EQ(m.replaces(), std::nullopt);
  EXPECT_EQ(m.expires(), std::nullopt);
  EXPECT_EQ(m.header("Subject"), std::nullopt);
  EXPECT_THAT(m.all_headers("Subject"), IsEmpty());
  EXPECT_EQ(SipMessage{}.method(), "");
}

TEST(SipMessage, AStarIsNoContact) {
  EXPECT_EQ(message("Contact: *\r\n").contact(), std::nullopt);
}

// RFC 3515 2.1: exactly one Refer-To.
TEST(SipMessage, TwoReferTosAreNone) {
  EXPECT_EQ(message("Refer-To: <sip:1@h>\r\nr: <sip:2@h>\r\n").refer_to(), std::nullopt);
}

TEST(SipMessage, HeadersAreFoundByLongAndCompactName) {
  const SipMessage m = message("k: replaces\r\nSupported: timer,100rel\r\n");
  EXPECT_EQ(m.header("SUPPORTED"), "replaces");
  EXPECT_EQ(m.header("k"), "replaces");
  EXPECT_EQ(m.header(HeaderName::kSupported), "replaces");
  EXPECT_THAT(m.all_headers("k"), ElementsAre("replaces", "timer", "100rel"));
  EXPECT_TRUE(m.has_token(HeaderName::kSupported, "TIMER"));
  EXPECT_FALSE(m.has_token(HeaderName::kSupported, "time"));
  EXPECT_FALSE(m.has_token(HeaderName::kRequire, "timer"));
}

// RFC 3261 7.3.1: commas separate only where the grammar makes a list of it.
TEST(SipMessage, OnlyListsAreSplitAtCommas) {
  const SipMessage m = message("Authorization: Digest a=\"1\", b=2\r\nX-Any: a, b\r\nUser-Agent: (a, b)\r\n");
  EXPECT_THAT(m.all_headers("Authorization"), ElementsAre("Digest a=\"1\", b=2"));
  EXPECT_THAT(m.all_headers("X-Any"), ElementsAre("a, b"));
  EXPECT_THAT(m.all_headers(HeaderName::kUserAgent), ElementsAre("(a, b)"));
}

TEST(SipMessage, SetReplacesAllOfANameAtThePlaceOfTheFirst) {
  SipMessage m = make_request("INFO", "sip:a@h");
  m.add_header("X-A", "1");
  m.add_header("X-B", "2");
  m.add_header("x-a", "3");
  m.set_header("X-A", "4");
  m.set_header("X-C", "5");
  m.prepend_header("X-D", "6");
  m.remove_header("max-forwards");
  std::string order;
  for (const HeaderField& field : m.headers()) order += std::string(field.text) + "=" + std::string(field.value) + " ";
  EXPECT_EQ(order, "X-D=6 X-A=4 X-B=2 X-C=5 ");
}

TEST(SipMessage, ValuesMayComeOutOfTheMessageItself) {
  SipMessage m = message();
  for (int i = 0; i < 200; ++i) {
    m.add_header(HeaderName::kWarning, *m.header("From"));
    m.set_header("X-Last", m.headers().back().value);
  }
  EXPECT_EQ(m.headers().back().value, m.header("From"));
  EXPECT_EQ(m.header("X-Last"), m.header("From"));
}

TEST(SipMessage, TopViaIsTakenOffChangedAndPutBack) {
  SipMessage m = message();
  Via top = m.top_via();
  top.params.set("received", "127.0.0.9");
  m.set_top_via(top);
  EXPECT_EQ(m.top_via().received(), "127.0.0.9");
  EXPECT_THAT(hosts(m), ElementsAre("one", "two", "three"));
  m.remove_top_via();
  EXPECT_THAT(hosts(m), ElementsAre("two", "three"));
  m.remove_top_via();
  m.remove_top_via();
  m.remove_top_via();
  EXPECT_THAT(hosts(m), IsEmpty());
  m.prepend_via(top);
  EXPECT_THAT(hosts(m), ElementsAre("one"));
}

TEST(SipMessage, BodyHasATypeAndAnyOctets) {
  SipMessage m = message();
  m.set_body("Application/SDP;charset=utf-8", std::string("a\r\n\0b", 5));
  EXPECT_EQ(m.body(), std::string("a\r\n\0b", 5));
  EXPECT_TRUE(m.has_content_type("application/sdp"));
  EXPECT_FALSE(m.has_content_type("application"));
  m.set_body(m.content_type(), m.body());
  EXPECT_EQ(m.body().size(), 5U);
  m.set_body("", "");
  EXPECT_EQ(m.header("Content-Type"), std::nullopt);
  EXPECT_THAT(m.body(), IsEmpty());
}

TEST(SipMessage, CopiesAndMovedOnesStandOnTheirOwn) {
  SipMessage original = message("X: long enough to need its own memory, certainly\r\n");
  const SipMessage copy = original;
  const SipMessage moved = std::move(original);
  original = make_request("BYE", "sip:b@h");
  EXPECT_EQ(copy, moved);
  EXPECT_EQ(copy.header("X"), "long enough to need its own memory, certainly");
  EXPECT_EQ(original.method(), "BYE");
}

TEST(SipMessage, AMovedFromOneIsEmptyAndStillSafe) {
  SipMessage original = message();
  const SipMessage moved = std::move(original);
  EXPECT_EQ(original, SipMessage{});  // NOLINT(bugprone-use-after-move): the promise under test
  EXPECT_EQ(original.method(), "");
  EXPECT_EQ(original.request_uri_text(), "");
}

TEST(SipMessage, EqualityLooksAtStartLineHeadersAndBody) {
  EXPECT_EQ(message(), message());
  EXPECT_NE(message(), message("X: 1\r\n"));
  SipMessage other = message();
  other.set_body("", "x");
  EXPECT_NE(message(), other);
  other = message();
  other.set_request_uri("sip:x@h");
  EXPECT_NE(message(), other);
}

TEST(MakeRequest, HasAStartLineAndMaxForwards) {
  SipMessage m = make_request(method::kBye, SipUri("101", "h"));
  m.set_cseq(4, m.method());
  EXPECT_EQ(write(m), "BYE sip:101@h SIP/2.0\r\nMax-Forwards: 70\r\nCSeq: 4 BYE\r\nContent-Length: 0\r\n\r\n");
}

// RFC 3261 8.2.6.2
TEST(MakeResponse, CopiesWhatAResponseHasToCarry) {
  const SipMessage request = message("Timestamp: 54\r\nX-Other: 1\r\n");
  SipMessage response = make_response(request, 180);
  EXPECT_TRUE(response.is_response());
  EXPECT_EQ(response.status(), 180);
  EXPECT_EQ(response.reason(), "Ringing");
  EXPECT_EQ(response.method(), "INVITE");
  EXPECT_EQ(response.vias(), request.vias());
  EXPECT_EQ(response.from(), request.from());
  EXPECT_EQ(response.to(), request.to());
  EXPECT_EQ(response.call_id(), request.call_id());
  EXPECT_EQ(response.cseq(), request.cseq());
  EXPECT_EQ(response.headers().size(), 6U);
  copy_record_route(request, response);
  EXPECT_EQ(response.record_routes(), request.record_routes());
  EXPECT_EQ(make_response(request, 100).header("Timestamp"), "54");
}

TEST(MakeResponse, AddsATagOnlyWhereThereIsNone) {
  EXPECT_EQ(make_response(message(), 200, "Fine", "x").to_tag(), "to1");
  SipMessage request = message();
  request.set_header("To", "sip:102@h");
  const SipMessage response = make_response(request, 200, "Fine", "x");
  EXPECT_EQ(response.to_tag(), "x");
  EXPECT_EQ(response.reason(), "Fine");
  EXPECT_EQ(make_response(request, 200).to_tag(), "");
}

}  // namespace
}  // namespace callpark::sip
