// What an INVITE or a REFER asks of parkd, read from its text.
#include "parkd/leg/incoming_request.h"

#include <gtest/gtest.h>

#include <string>

#include "parkd/message/sip_parser.h"

namespace callpark::leg {
namespace {

sip::SipMessage parsed(const std::string& text) {
  std::string lines;
  for (const char c : text) lines += c == '\n' ? std::string("\r\n") : std::string(1, c);
  auto message = sip::parse(lines);
  EXPECT_TRUE(message) << text;
  return message ? *std::move(message) : sip::make_request("INVITE", "sip:unread@127.0.0.1");
}

sip::SipMessage invite_with(const std::string& headers, const std::string& body =
                                                            "v=0\no=a 1 1 IN IP4 127.0.0.13\ns=-\n"
                                                            "c=IN IP4 127.0.0.13\nt=0 0\n"
                                                            "m=audio 7004 RTP/AVP 0\n") {
  return parsed(
      "INVITE sip:%2A70333@demo.callpark SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK1\n"
      "From: \"Alice\" <sip:102@demo.callpark>;tag=alice\nTo: <sip:*70333@demo.callpark>\nCall-ID: c9\n"
      "CSeq: 1 INVITE\nContact: <sip:102@127.0.0.13>\n" +
      headers + (body.empty() ? "" : "Content-Type: application/sdp\n") + "\n" + body);
}

constexpr const char* kFromAlice = "X-Callpark-Tenant: demo.callpark\nX-Callpark-User: 102\n";

sip::SipMessage refer_with(const std::string& headers, const std::string& to_tag = "client") {
  return parsed(
      "REFER sip:client@127.0.0.12 SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK2\n"
      "Route: <sip:127.0.0.1:5060;lr>\nFrom: <sip:102@demo.callpark>;tag=alice\nTo: <sip:client@demo.callpark>" +
      (to_tag.empty() ? "" : ";tag=" + to_tag) + "\nCall-ID: c9\nCSeq: 8 REFER\nContact: <sip:102@127.0.0.13>\n" +
      headers + "\n");
}

int status_of_invite(const sip::SipMessage& invite) {
  const auto read = read_feature_invite(invite, "tag");
  return read ? 200 : read.error().status;
}
int status_of_refer(const sip::SipMessage& refer) {
  const auto read = read_referral(refer);
  return read ? 202 : read.error().status;
}

TEST(IncomingRequest, ReadsAFeatureCall) {
  const auto read = read_feature_invite(
      invite_with(std::string(kFromAlice) + "X-Callpark-Device: udp:127.0.0.13:5060\nX-Recall-After: 45\n"), "our-tag");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->call.tenant, "demo.callpark");
  EXPECT_EQ(read->call.caller, Party(Extension{"demo.callpark", "102"}));
  EXPECT_EQ(read->call.device, "udp:127.0.0.13:5060");
  EXPECT_EQ(read->call.dialled, "*70333") << "unescaped";
  EXPECT_EQ(read->call.sip_call_id, "c9");
  EXPECT_EQ(read->call.recall_after_seconds, 45);
  EXPECT_FALSE(read->call.held);
  EXPECT_EQ(read->dialog.id, (sip::DialogId{"c9", "our-tag", "alice"}));
  EXPECT_EQ(read->caller, (PartyIdentity{"Alice", "102"}));
  EXPECT_EQ(read->offer->media.at(0).port, 7004);
  EXPECT_FALSE(read->replaces);
}

TEST(IncomingRequest, B4_F6_ReadsTheNumberThatHasLedToTheMenu) {
  const auto read =
      read_feature_invite(invite_with(std::string(kFromAlice) + "X-Callpark-Dialled: +442030000400\n"), "t");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->call.dialled_first, "+442030000400");
  EXPECT_EQ(read_feature_invite(invite_with(kFromAlice), "t")->call.dialled_first, "");
}

TEST(IncomingRequest, S11_NeedsOneCallerThatKamailioVouchesFor) {
  EXPECT_EQ(status_of_invite(invite_with("")), 403);
  EXPECT_EQ(status_of_invite(invite_with("X-Callpark-User: 102\n")), 403);
  EXPECT_EQ(status_of_invite(invite_with("X-Callpark-Tenant: demo.callpark\n")), 403);
  EXPECT_EQ(status_of_invite(invite_with(std::string(kFromAlice) + "X-Callpark-Trunk: site-b\n")), 403);
  const auto trunk =
      read_feature_invite(invite_with("X-Callpark-Tenant: demo.callpark\nX-Callpark-Trunk: site b@x\n"), "tag");
  ASSERT_TRUE(trunk);
  EXPECT_EQ(trunk->call.caller, Party(Trunk{"site b@x"})) << "whatever its name looks like";
}

TEST(IncomingRequest, RefusesABadRecallTimeBeforeABadDescription) {
  const auto read = read_feature_invite(invite_with(std::string(kFromAlice) + "X-Recall-After: soon\n", ""), "tag");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().status, 400);
  EXPECT_EQ(read.error().reason, "X-Recall-After: 10 to 3600");
  EXPECT_EQ(status_of_invite(invite_with(kFromAlice, "v=0\nm=nonsense\n")), 400);
}

TEST(IncomingRequest, X7_ReadsAFeatureCallWithoutAnOffer) {
  const auto read = read_feature_invite(invite_with(kFromAlice, ""), "our-tag");
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->offer);
}

TEST(IncomingRequest, N6_KeepsAWithheldIdentity) {
  const auto read = read_feature_invite(invite_with(std::string(kFromAlice) + "Privacy: id\n"), "tag");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->caller, PartyIdentity{});
}

TEST(IncomingRequest, ReadsTheDialogToReplace) {
  const auto read =
      read_feature_invite(invite_with(std::string(kFromAlice) + "Replaces: c1;to-tag=a;from-tag=b\n"), "tag");
  ASSERT_TRUE(read && read->replaces);
  EXPECT_EQ(read->replaces->call_id, "c1");
}

TEST(IncomingRequest, ReadsAReferralWithItsDialog) {
  const auto read = read_referral(
      refer_with(std::string(kFromAlice) + "Refer-To: <sip:*68103@demo.callpark>\nX-Recall-After: 3600\n"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->referrer, (Extension{"demo.callpark", "102"}));
  EXPECT_EQ(read->dialled, "*68103");
  EXPECT_EQ(read->recall_after_seconds, 3600);
  EXPECT_EQ(read->dialog.caller.local_cseq, 8u);
  EXPECT_EQ(read->dialog.parker.remote_target, "sip:102@127.0.0.13");
}

TEST(IncomingRequest, RefusesReferralsByTheirFirstFault) {
  EXPECT_EQ(status_of_refer(refer_with("Refer-To: <mailto:a@b>\n")), 481) << "no authenticated referrer";
  EXPECT_EQ(status_of_refer(refer_with(std::string(kFromAlice) + "Refer-To: <mailto:a@b>\nX-Recall-After: 1\n")), 416);
  EXPECT_EQ(status_of_refer(refer_with(std::string(kFromAlice) + "Refer-To: <sip:*68@x>\nX-Recall-After: 1\n")), 400);
  EXPECT_EQ(status_of_refer(refer_with(kFromAlice)), 400);
  EXPECT_EQ(status_of_refer(refer_with(std::string(kFromAlice) + "Refer-To: <sip:*68@x>\n", "")), 400) << "no dialog";
}

TEST(IncomingRequest, ReadsAnAttendedTransferWithinAConversation) {
  const std::string to =
      "Refer-To: <sip:103-0x5f@127.0.0.14:5060;transport=udp?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>\n";
  const auto within = read_referral_of_party(refer_with(kFromAlice + to));
  ASSERT_TRUE(within);
  EXPECT_EQ(within->contact, "sip:103-0x5f@127.0.0.14:5060");
  EXPECT_EQ(within->replaces, "a;to-tag=b;from-tag=c");
  const auto outside = read_referral(refer_with(kFromAlice + to));
  ASSERT_TRUE(outside);
  EXPECT_EQ(outside->contact, "");
  EXPECT_EQ(outside->replaces, "");
  const auto unauthenticated = read_referral_of_party(refer_with(to));
  ASSERT_FALSE(unauthenticated);
  EXPECT_EQ(unauthenticated.error().status, 403);
}

}  // namespace
}  // namespace callpark::leg
