#include "parkd/message/sip_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parkd/message/sip_writer.h"

namespace callpark::sip {
namespace {

using ::testing::ElementsAre;

const std::string kHeaders =
    "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
    "From: <sip:a@h>;tag=1\r\n"
    "To: <sip:b@h>\r\n"
    "Call-ID: c\r\n"
    "CSeq: 1 OPTIONS\r\n";

std::string request(std::string_view more = "", std::string_view body = "") {
  return "OPTIONS sip:b@h SIP/2.0\r\n" + kHeaders + std::string(more) + "\r\n" + std::string(body);
}

SyntaxError fault_of(std::string_view text) {
  const auto parsed = parse(text);
  EXPECT_FALSE(parsed) << text;
  return parsed ? SyntaxError{} : parsed.error().code;
}

TEST(SipParser, UnknownHeadersKeepTheirOrder) {
  const auto m = parse(request("X-B: 2\r\nx-a: 1\r\nX-B: 3\r\n"));
  ASSERT_TRUE(m);
  EXPECT_THAT(m->all_headers("x-b"), ElementsAre("2", "3"));
  EXPECT_EQ(m->headers().size(), 8U);
  EXPECT_EQ(m->headers()[6].text, "x-a");
}

TEST(SipParser, FoldedLinesAreOneValue) {
  const auto m = parse(request("Subject: a\r\n  b\r\n\tc \r\n \r\nX: d\r\n"));
  ASSERT_TRUE(m);
  EXPECT_EQ(m->header("Subject"), "a    b  \tc");
  EXPECT_EQ(m->header("X"), "d");
}

TEST(SipParser, LinesThatEndWithLfAloneAreRead) {
  std::string text = request("Content-Length: 3\r\n", "a\nb");
  std::erase(text, '\r');
  const auto m = parse(text);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->body(), "a\nb");
}

TEST(SipParser, ALoneCrIsNoLineEnd) {
  EXPECT_EQ(fault_of(request("X: a\rRoute: <sip:evil>\r\n")), SyntaxError::kHeaderLine);
}

TEST(SipParser, EmptyLinesBeforeTheMessageAreSkipped) {
  EXPECT_TRUE(parse("\r\n\r\n" + request()));
}

TEST(SipParser, BodyEndsWhereContentLengthSays) {
  EXPECT_EQ(parse(request("Content-Length: 2\r\n", "abc"))->body(), "ab");
  EXPECT_EQ(parse(request("", "abc"))->body(), "abc") << "a datagram without Content-Length";
  EXPECT_EQ(parse(request("l: 0\r\n", "abc"))->body(), "");
  EXPECT_EQ(fault_of(request("Content-Length: 4\r\n", "abc")), SyntaxError::kBodyTooShort);
  EXPECT_EQ(fault_of(request("Content-Length: 99999999999\r\n", "abc")), SyntaxError::kContentLength);
  EXPECT_EQ(fault_of(request("Content-Length:\r\n", "abc")), SyntaxError::kContentLength);
}

TEST(SipParser, EachRequiredHeaderIsMissed) {
  for (const std::string_view name : {"Via", "From", "To", "Call-ID", "CSeq"}) {
    std::string text = request();
    text.replace(text.find("\r\n" + std::string(name)) + 2, name.size(), "X");
    EXPECT_EQ(fault_of(text), SyntaxError::kMissingHeader) << name;
  }
}

TEST(SipParser, WhatMayStandOnceMayNotStandTwice) {
  for (const std::string_view line : {"From: <sip:x@h>", "t: <sip:x@h>", "i: x", "CSeq: 1 OPTIONS"}) {
    EXPECT_EQ(fault_of(request(std::string(line) + "\r\n")), SyntaxError::kDuplicateHeader) << line;
  }
  EXPECT_EQ(fault_of(request("Max-Forwards: 1\r\nMax-Forwards: 1\r\n")), SyntaxError::kDuplicateHeader);
}

TEST(SipParser, FaultsHaveTheirNames) {
  EXPECT_EQ(fault_of(""), SyntaxError::kStartLine);
  EXPECT_EQ(fault_of("\r\n"), SyntaxError::kStartLine);
  EXPECT_EQ(fault_of("OPTIONS\r\n\r\n"), SyntaxError::kStartLine);
  EXPECT_EQ(fault_of("OPTIONS sip:b@h\r\n" + kHeaders + "\r\n"), SyntaxError::kStartLine);
  EXPECT_EQ(fault_of("OPTIONS sip:b@h SIP/3.0\r\n" + kHeaders + "\r\n"), SyntaxError::kVersion);
  EXPECT_EQ(fault_of("OPTIONS h SIP/2.0\r\n" + kHeaders + "\r\n"), SyntaxError::kRequestUri);
  EXPECT_EQ(fault_of("BYE sip:b@h SIP/2.0\r\n" + kHeaders + "\r\n"), SyntaxError::kCSeqMethod);
  EXPECT_EQ(fault_of("SIP/2.0 99 x\r\n" + kHeaders + "\r\n"), SyntaxError::kStatusCode);
  EXPECT_EQ(fault_of("SIP/2.0 700 x\r\n" + kHeaders + "\r\n"), SyntaxError::kStatusCode);
  EXPECT_EQ(fault_of("SIP/2.0 200OK\r\n" + kHeaders + "\r\n"), SyntaxError::kStatusCode);
  EXPECT_EQ(fault_of("SIP/2.1 200 OK\r\n" + kHeaders + "\r\n"), SyntaxError::kVersion);
  EXPECT_EQ(fault_of("OPTIONS sip:b@h SIP/2.0\r\n" + kHeaders), SyntaxError::kHeadersUnfinished);
  EXPECT_EQ(fault_of(request("no colon\r\n")), SyntaxError::kHeaderLine);
  EXPECT_EQ(fault_of(request(": x\r\n")), SyntaxError::kHeaderLine);
  EXPECT_EQ(fault_of(request("a b: x\r\n")), SyntaxError::kHeaderLine);
  EXPECT_EQ(fault_of(request("Via: h\r\n")), SyntaxError::kVia);
  EXPECT_EQ(fault_of(request("Contact: h\r\n")), SyntaxError::kAddress);
  EXPECT_EQ(fault_of(request("Route: <sip:a@h>,\r\n")), SyntaxError::kAddress);
  EXPECT_EQ(fault_of(request("Record-Route: *\r\n")), SyntaxError::kAddress);
  EXPECT_EQ(fault_of(request("Max-Forwards: 256\r\n")), SyntaxError::kNumber);
  EXPECT_EQ(fault_of(std::string(kMessageBytesMax + 1, 'a')), SyntaxError::kTooLong);
  for (int i = 0; i <= static_cast<int>(SyntaxError::kSdpMissingLine); ++i) {
    EXPECT_FALSE(sentence(static_cast<SyntaxError>(i)).empty()) << i;
  }
}

TEST(SipParser, AStatusLineMayEndBehindTheCode) {
  const auto m = parse("SIP/2.0 200\r\n" + kHeaders + "\r\n");
  ASSERT_TRUE(m);
  EXPECT_EQ(m->status(), 200);
  EXPECT_EQ(m->method(), "OPTIONS");
}

TEST(SipParser, ABadRequestCanBeAnswered) {
  const auto parsed = parse(request("Max-Forwards: many\r\n"));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().status, 400);
  ASSERT_TRUE(parsed.error().request);
  const SipMessage response = make_response(*parsed.error().request, 400, parsed.error().sentence(), "2");
  EXPECT_EQ(write(response),
            "SIP/2.0 400 A number is malformed or too large\r\n"
            "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
            "From: <sip:a@h>;tag=1\r\n"
            "To: <sip:b@h>;tag=2\r\n"
            "Call-ID: c\r\n"
            "CSeq: 1 OPTIONS\r\n"
            "Content-Length: 0\r\n\r\n");
}

// parkd does not read it, and a phone with a wrong clock can park all the same.
TEST(SipParser, HowADateIsWrittenDoesNotMatter) {
  for (const std::string_view date : {"Fri, 01 Jan 2010 16:00:00 EST", "Sat, 13 Nov 2010 23:29:00 +0000", "soon", ""}) {
    EXPECT_TRUE(parse(request("Date: " + std::string(date) + "\r\n"))) << date;
    EXPECT_TRUE(parse("SIP/2.0 200 OK\r\n" + kHeaders + "Date: " + std::string(date) + "\r\n\r\n")) << date;
  }
}

// RFC 3261 17.1.1.3, 18.3: an ACK and a response are never answered.
TEST(SipParser, ABadAckOrResponseIsNotAnswered) {
  std::string ack = request("Max-Forwards: many\r\n");
  ack.replace(ack.find("CSeq: 1 OPTIONS"), 15, "CSeq: 1 ACK");
  ack.replace(0, 7, "ACK");
  EXPECT_FALSE(parse(ack).error().request);
  EXPECT_FALSE(parse("SIP/2.0 200 OK\r\n" + kHeaders + "Max-Forwards: many\r\n\r\n").error().request);
}

TEST(SipParser, ARequestWhoseTopViaIsUnusableIsNotAnswered) {
  std::string text = request("Via: SIP/2.0/UDP g;branch=z9hG4bK2\r\n");
  text.replace(text.find("SIP/2.0/UDP h"), 13, "SIP/2.0/UDP ;");
  const auto parsed = parse(text);
  ASSERT_FALSE(parsed);
  EXPECT_FALSE(parsed.error().request);
}

TEST(SipParser, ANulIsJustACharacter) {
  const std::string text = request(std::string("X: a\0b\r\n", 8));
  EXPECT_EQ(parse(text)->header("X"), std::string("a\0b", 3));
}

}  // namespace
}  // namespace callpark::sip
