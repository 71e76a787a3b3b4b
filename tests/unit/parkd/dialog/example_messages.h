// The messages that the dialog tests begin from.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "parkd/message/sip_message.h"
#include "parkd/message/sip_parser.h"

namespace callpark::sip {

/// `lines` are separated by "\n"; there is no body.
inline SipMessage message_of(const std::string& lines) {
  std::string text;
  for (const char c : lines) {
    if (c == '\n') text += '\r';
    text += c;
  }
  auto parsed = parse(text + "\r\n");
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().sentence()) << "\n" << text;
  return parsed ? *parsed : SipMessage{};
}

/// As it arrives at parkd when John transfers to *68: Kamailio has only put its Via on top.
inline SipMessage johns_refer() {
  return message_of(
      "REFER sip:lin@127.0.0.1:5066;transport=udp SIP/2.0\n"
      "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\n"
      "Via: SIP/2.0/UDP 127.0.0.11;branch=z9hG4bK0\n"
      "Contact: <sip:john-0x5@127.0.0.11:5060;alias=127.0.0.11~5060~1>\n"
      "Route: <sip:127.0.0.1;lr=on;ftag=7cf1;did=c97.3ab>, <sip:beyond.example;lr>\n"
      "Max-Forwards: 70\n"
      "To: \"Lin \\\"L\\\"\" <sip:lin@pbx.test;transport=udp>;tag=theirs\n"
      "From: John <sip:john@pbx.test>;tag=7cf1\n"
      "Call-ID: c543588f7ec7886a\n"
      "CSeq: 46152 REFER\n"
      "Refer-To: sip:*68@pbx.test\n");
}

inline SipMessage incoming_invite() {
  return message_of(
      "INVITE sip:*88@demo.callpark SIP/2.0\n"
      "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK2\n"
      "Record-Route: <sip:127.0.0.1:5061;r2=on;lr>\n"
      "Record-Route: <sip:127.0.0.1:5060;r2=on;lr>\n"
      "Contact: \"Alice\" <sip:alice@127.0.0.13:5060;ob>\n"
      "Max-Forwards: 69\n"
      "To: <sip:*88@demo.callpark>\n"
      "From: Alice <sip:103@demo.callpark>;tag=a1\n"
      "Call-ID: alice-1\n"
      "CSeq: 7 INVITE\n");
}

inline SipMessage outgoing_invite() {
  return message_of(
      "INVITE sip:103@demo.callpark SIP/2.0\n"
      "Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK3\n"
      "Contact: <sip:parkd@127.0.0.1:5062>\n"
      "Max-Forwards: 70\n"
      "To: <sip:103@demo.callpark>\n"
      "From: \"Recall\" <sip:101@demo.callpark>;tag=p1\n"
      "Call-ID: parkd-1\n"
      "CSeq: 20 INVITE\n");
}

inline SipMessage answer_to_outgoing_invite(int status = 200) {
  SipMessage response = make_response(outgoing_invite(), status, {}, "b1");
  response.add_header(HeaderName::kRecordRoute, "<sip:far.example;lr>");
  response.add_header(HeaderName::kRecordRoute, "<sip:near.example;lr>");
  response.add_header(HeaderName::kContact, "<sip:103@127.0.0.14:5080>;expires=60");
  return response;
}

}  // namespace callpark::sip
