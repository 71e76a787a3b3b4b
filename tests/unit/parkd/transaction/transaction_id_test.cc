#include "parkd/transaction/transaction_id.h"

#include <gtest/gtest.h>

namespace callpark::sip {
namespace {

SipMessage request(std::string_view method, const Via& via, std::string_view to_tag = {}) {
  SipMessage message = make_request(method, "sip:102@demo.callpark");
  message.prepend_via(via);
  message.add_header("From", "<sip:101@demo.callpark>;tag=a");
  message.add_header("To",
                     "<sip:102@demo.callpark>" + (to_tag.empty() ? std::string() : ";tag=" + std::string(to_tag)));
  message.add_header("Call-ID", "call-1");
  message.set_cseq(7, method);
  return message;
}

Via via(std::string_view branch, std::string_view host = "127.0.0.1", std::optional<std::uint16_t> port = 5061) {
  return {"UDP", std::string(host), port, {{"branch", std::string(branch)}}};
}

TEST(ClientBranches, AreReadBackByTheirOwnerOnly) {
  const ClientBranches ours(0x1234);
  const ClientBranches theirs(0x12345);
  EXPECT_EQ(ours.branch(77).substr(0, 7), kMagicCookie);
  EXPECT_EQ(ours.number(ours.branch(77)), 77U);
  EXPECT_EQ(ours.number(theirs.branch(77)), std::nullopt);
  EXPECT_EQ(theirs.number(ours.branch(77)), std::nullopt);
}

TEST(ClientBranches, WhatIsNotWrittenByUsNamesNothing) {
  const ClientBranches ours(0x1234);
  for (const char* branch : {"", "z9hG4bK", "z9hG4bK1234.", "z9hG4bK1234.g", "z9hG4bK1234.1 ", "z9hG4bK1234.-1",
                             "z9hG4bK1234.11111111111111111"}) {
    EXPECT_EQ(ours.number(branch), std::nullopt) << branch;
  }
}

TEST(ServerTransactionId, IsBranchSentByAndMethodWithTheMagicCookie) {
  const auto id = [](const SipMessage& message) { return server_transaction_id(message, message.method()); };
  const auto invite = id(request("INVITE", via("z9hG4bK1")));
  EXPECT_EQ(invite, id(request("INVITE", via("z9hG4bK1"), "b")));
  EXPECT_NE(invite, id(request("INVITE", via("z9hG4bK2"))));
  EXPECT_NE(invite, id(request("INVITE", via("z9hG4bK1", "127.0.0.2"))));
  EXPECT_NE(invite, id(request("INVITE", via("z9hG4bK1", "127.0.0.1", 5062))));
  EXPECT_NE(invite, id(request("CANCEL", via("z9hG4bK1"))));
  EXPECT_EQ(invite, server_transaction_id(request("ACK", via("z9hG4bK1"), "b"), "INVITE"));
  EXPECT_EQ(invite, server_transaction_id(request("CANCEL", via("z9hG4bK1")), "INVITE"));
}

TEST(ServerTransactionId, ComparesHostsWithoutCaseAndPortsWithTheirDefault) {
  EXPECT_EQ(server_transaction_id(request("BYE", via("z9hG4bK1", "Phone.example", 5060)), "BYE"),
            server_transaction_id(request("BYE", via("z9hG4bK1", "phone.EXAMPLE", std::nullopt)), "BYE"));
}

TEST(ServerTransactionId, IgnoresWhatTheServerItselfWroteIntoTheVia) {
  Via noted = via("z9hG4bK1");
  noted.params.set("received", "127.0.0.9");
  EXPECT_EQ(server_transaction_id(request("BYE", via("z9hG4bK1")), "BYE"),
            server_transaction_id(request("BYE", noted), "BYE"));
}

TEST(ServerTransactionId, ComparesTheFieldsOfRfc2543WithoutTheMagicCookie) {
  const auto invite = server_transaction_id(request("INVITE", via("1")), "INVITE");
  EXPECT_EQ(invite, server_transaction_id(request("ACK", via("1"), "b"), "INVITE"));
  SipMessage other = request("INVITE", via("1"));
  other.set_header("Call-ID", "call-2");
  EXPECT_NE(invite, server_transaction_id(other, "INVITE"));
  other = request("INVITE", via("1"));
  other.set_cseq(8, "INVITE");
  EXPECT_NE(invite, server_transaction_id(other, "INVITE"));
  other = request("INVITE", via("1"));
  other.set_request_uri("sip:103@demo.callpark");
  EXPECT_NE(invite, server_transaction_id(other, "INVITE"));
}

}  // namespace
}  // namespace callpark::sip
