#include "parkd/transport/response_routing.h"

#include <gtest/gtest.h>

#include "parkd/message/sip_parser.h"

namespace callpark::sip {
namespace {

const Endpoint kUdpSource = *Endpoint::parse("udp:10.1.2.3:40000");
const Endpoint kTcpSource = *Endpoint::parse("tcp:10.1.2.3:40000");

SipMessage request_with(const std::string& via) {
  auto parsed = parse("OPTIONS sip:parkd@10.0.0.1 SIP/2.0\r\nVia: " + via +
                      "\r\nVia: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bK9\r\n"
                      "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
                      "Content-Length: 0\r\n\r\n");
  EXPECT_TRUE(parsed);
  return parsed ? *parsed : SipMessage();
}

std::string noted(const std::string& via, const Endpoint& source = kUdpSource) {
  SipMessage request = request_with(via);
  note_source(request, source);
  EXPECT_EQ(request.vias().size(), 2U);
  return request.top_via().to_string();
}

std::string answered_to(const std::string& via, const Endpoint& source) {
  SipMessage request = request_with(via);
  note_source(request, source);
  return response_endpoint(request, source).to_string();
}

TEST(NoteSource, LeavesAViaAloneThatIsRight) {
  EXPECT_EQ(noted("SIP/2.0/UDP 10.1.2.3:5060;branch=z9hG4bK1"), "SIP/2.0/UDP 10.1.2.3:5060;branch=z9hG4bK1");
}

TEST(NoteSource, AddsReceivedWhenSentByIsANameOrAnotherAddress) {
  EXPECT_EQ(noted("SIP/2.0/UDP 10.1.2.4;branch=z9hG4bK1"), "SIP/2.0/UDP 10.1.2.4;branch=z9hG4bK1;received=10.1.2.3");
  EXPECT_EQ(noted("SIP/2.0/UDP phone.example;branch=z9hG4bK1"),
            "SIP/2.0/UDP phone.example;branch=z9hG4bK1;received=10.1.2.3");
}

TEST(NoteSource, FillsInRportAndThenAlwaysReceived) {
  EXPECT_EQ(noted("SIP/2.0/UDP 10.1.2.3;rport;branch=z9hG4bK1"),
            "SIP/2.0/UDP 10.1.2.3;rport=40000;branch=z9hG4bK1;received=10.1.2.3");
}

TEST(NoteSource, BelievesNobodyElsesReceived) {
  EXPECT_EQ(noted("SIP/2.0/UDP 10.1.2.3;branch=z9hG4bK1;received=10.6.6.6"), "SIP/2.0/UDP 10.1.2.3;branch=z9hG4bK1");
  EXPECT_EQ(noted("SIP/2.0/UDP a.b;branch=z9hG4bK1;received=10.6.6.6"),
            "SIP/2.0/UDP a.b;branch=z9hG4bK1;received=10.1.2.3");
}

TEST(ResponseEndpoint, OverUdpIsReceivedAndRportOrThePortOfSentBy) {
  EXPECT_EQ(answered_to("SIP/2.0/UDP 10.1.2.3:5070;branch=z9hG4bK1", kUdpSource), "udp:10.1.2.3:5070");
  EXPECT_EQ(answered_to("SIP/2.0/UDP 10.1.2.3;branch=z9hG4bK1", kUdpSource), "udp:10.1.2.3:5060");
  EXPECT_EQ(answered_to("SIP/2.0/UDP a.example:5070;branch=z9hG4bK1", kUdpSource), "udp:10.1.2.3:5070");
  EXPECT_EQ(answered_to("SIP/2.0/UDP a.example:5070;rport;branch=z9hG4bK1", kUdpSource), "udp:10.1.2.3:40000");
}

TEST(ResponseEndpoint, OverTcpIsTheConnectionOfTheRequest) {
  EXPECT_EQ(answered_to("SIP/2.0/TCP 10.1.2.3:5070;branch=z9hG4bK1", kTcpSource), "tcp:10.1.2.3:40000");
}

TEST(ResponseEndpoint, ByAViaOfTcpIsWhereThePeerListens) {
  SipMessage request = request_with("SIP/2.0/TCP a.example:5070;rport;branch=z9hG4bK1");
  note_source(request, kTcpSource);
  EXPECT_EQ(response_endpoint(request.top_via())->to_string(), "tcp:10.1.2.3:5070");
}

TEST(ResponseEndpoint, OfAViaThatLiesAboutItsTransportIsTheSource) {
  EXPECT_EQ(answered_to("SIP/2.0/TCP 10.1.2.3:5070;branch=z9hG4bK1", kUdpSource), "udp:10.1.2.3:40000");
  EXPECT_EQ(answered_to("SIP/2.0/WS 10.1.2.3:5070;branch=z9hG4bK1", kUdpSource), "udp:10.1.2.3:40000");
}

}  // namespace
}  // namespace callpark::sip
