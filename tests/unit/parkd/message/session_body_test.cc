#include "parkd/message/session_body.h"

#include <gtest/gtest.h>

#include <string>

#include "parkd/message/sdp.h"
#include "parkd/message/sip_parser.h"

namespace callpark::sip {
namespace {

const std::string kSdp = "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0";
const std::string kIsup = "Content-Type: application/isup;version=itu-t92+\r\n\r\n\x01\x11\r\n--not-b\r\n";

std::string with_type(std::string_view type, std::string_view body, std::string_view more_headers = "") {
  return "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n"
         "Call-ID: c\r\nCSeq: 1 INVITE\r\n" +
         (type.empty() ? "" : "Content-Type: " + std::string(type) + "\r\n") + std::string(more_headers) + "\r\n" +
         std::string(body);
}

std::string found_in(std::string_view type, std::string_view body, std::string_view more_headers = "") {
  const auto message = parse(with_type(type, body, more_headers));
  EXPECT_TRUE(message);
  return message ? std::string(session_description(*message)) : "not a message";
}

std::string sdp_part(const std::string& more_headers = "", const std::string& boundary = "b") {
  return "--" + boundary + "\r\nContent-Type: application/sdp\r\n" + more_headers + "\r\n" + kSdp + "\r\n";
}

TEST(SessionBody, ABodyMayBeOne) {
  EXPECT_EQ(found_in("application/sdp", kSdp), kSdp);
  EXPECT_EQ(found_in("Application/SDP ;charset=utf-8", kSdp), kSdp);
  EXPECT_EQ(found_in("", kSdp), kSdp) << "what else should it be";
  EXPECT_EQ(found_in("application/sdp", ""), "");
  EXPECT_EQ(found_in("", ""), "");
}

TEST(SessionBody, AnotherBodyHasNone) {
  EXPECT_EQ(found_in("text/plain", kSdp), "");
  EXPECT_EQ(found_in("application/sdpx", kSdp), "");
  EXPECT_EQ(found_in("application/sdp", kSdp, "Content-Disposition: early-session\r\n"), "");
}

TEST(SessionBody, ItIsOneOfTheParts) {
  for (const char* type : {"multipart/mixed;boundary=b", "Multipart/Related; type=\"a;b\"; BOUNDARY = \"b\"",
                           "multipart/alternative;boundary=b ;start=x"}) {
    EXPECT_EQ(found_in(type, sdp_part() + "--b\r\n" + kIsup + "--b--\r\n"), kSdp) << type;
    EXPECT_EQ(found_in(type, "--b\r\n" + kIsup + sdp_part() + "--b--\r\n"), kSdp) << type;
    EXPECT_EQ(found_in(type, "--b\r\n" + kIsup + "--b--\r\n"), "") << type;
  }
  EXPECT_TRUE(parse_sdp(kSdp)) << "the end of the last line belongs to the boundary";
}

TEST(SessionBody, BoundariesOfAllKindsAreFound) {
  for (const std::string boundary : {"uniqueBoundary", "----=_Part_1_2.3", "a b", "'()+_,-./:=?", "--"}) {
    EXPECT_EQ(
        found_in("multipart/mixed;boundary=\"" + boundary + "\"", sdp_part("", boundary) + "--" + boundary + "--"),
        kSdp)
        << boundary;
  }
  EXPECT_EQ(found_in("multipart/mixed;boundary=----=_Part_1", sdp_part("", "----=_Part_1") + "------=_Part_1--"), kSdp)
      << "unquoted";
}

TEST(SessionBody, WhatStandsAroundThePartsIsNobodys) {
  const std::string type = "multipart/mixed;boundary=b";
  EXPECT_EQ(found_in(type, "Content-Type: application/sdp\r\n\r\nv=1\r\n" + sdp_part() + "--b--\r\n"), kSdp);
  EXPECT_EQ(found_in(type, "--b\r\n" + kIsup + "--b--\r\n" + sdp_part()), "") << "behind the last boundary";
  EXPECT_EQ(found_in(type, kSdp), "");
}

TEST(SessionBody, ABoundaryIsAWholeLine) {
  const std::string type = "multipart/mixed;boundary=b";
  EXPECT_EQ(found_in(type, "--bc\r\nContent-Type: application/sdp\r\n\r\nv=1\r\n" + sdp_part() + "--b--"), kSdp);
  EXPECT_EQ(found_in(type, "x--b\r\nContent-Type: application/sdp\r\n\r\nv=1\r\n" + sdp_part() + "--b--"), kSdp);
  EXPECT_EQ(found_in(type, "--b \t\r\nContent-Type: application/sdp\r\n\r\n" + kSdp + "\r\n--b--  \r\n"), kSdp);
}

TEST(SessionBody, LinesMayEndWithLfAndThePartsWithTheBody) {
  std::string body = "--b\r\n" + kIsup + sdp_part() + "--b--\r\n";
  std::erase(body, '\r');
  std::string sdp = kSdp;
  std::erase(sdp, '\r');
  EXPECT_EQ(found_in("multipart/mixed;boundary=b", body), sdp);
  EXPECT_EQ(found_in("multipart/mixed;boundary=b", sdp_part()), kSdp + "\r\n") << "without the last boundary";
}

TEST(SessionBody, HeadersOfAPartAreReadAsTheyAreWritten) {
  const std::string type = "multipart/mixed;boundary=b";
  const auto part = [](const std::string& headers) { return "--b\r\n" + headers + "\r\n" + kSdp + "\r\n--b--\r\n"; };
  for (const char* headers :
       {"content-TYPE :application/sdp\r\n", "Content-Type:\r\n application/sdp;\r\n\tx=y\r\n",
        "Content-ID: <1@h>\r\nContent-Type: application/sdp\r\nContent-Length: 70\r\n",
        "Content-Disposition: session;handling=required\r\nContent-Type: application/sdp\r\n",
        "Content-Type: application/sdp\r\nContent-Transfer-Encoding: 8BIT\r\n",
        " x\r\nContent-Type: application/sdp\r\n", "Content-Type\r\nContent-Type: application/sdp\r\n"}) {
    EXPECT_EQ(found_in(type, part(headers)), kSdp) << headers;
  }
  for (const char* headers : {"", "Content-Type: text/plain\r\n", "Content-Type\r\n", ":\r\n",
                              "Content-Type: application/sdp\r\nContent-Transfer-Encoding: base64\r\n",
                              "Content-Type: application/sdp\r\nContent-Disposition: Early-Session;x=y\r\n"}) {
    EXPECT_EQ(found_in(type, part(headers)), "") << headers;
  }
}

TEST(SessionBody, TheFirstThatCountsIsTaken) {
  EXPECT_EQ(found_in("multipart/mixed;boundary=b",
                     "--b\r\nContent-Type: application/sdp\r\nContent-Disposition: "
                     "early-session\r\n\r\nv=1\r\n" +
                         sdp_part() + "--b\r\nContent-Type: application/sdp\r\n\r\nv=2\r\n--b--\r\n"),
            kSdp);
}

TEST(SessionBody, APartMayHavePartsButNotForEver) {
  std::string body = kSdp;
  std::string type = "application/sdp";
  for (int depth = 1; depth <= 8; ++depth) {
    const std::string boundary = "b" + std::to_string(depth);
    body = "--" + boundary + "\r\nContent-Type: " + type + "\r\n\r\n" + body + "\r\n--" + boundary + "--";
    type = "multipart/mixed;\r\n boundary=" + boundary;
    EXPECT_EQ(found_in(type, body), depth <= 4 ? kSdp : "") << depth;
  }
}

TEST(SessionBody, JunkHasNone) {
  for (const char* type :
       {"multipart/mixed", "multipart/mixed;boundary", "multipart/mixed;boundary=", "multipart/mixed;boundary=\"\"",
        "multipart/mixed;boundary=\"b", "multipart/", "multipart", ";", ";;boundary=b", "multipart/mixed;=b"}) {
    for (const std::string& body : {sdp_part(), std::string("--"), std::string("--b"), std::string("--b--"),
                                    std::string("--b\n--b\n--b\r\n\r\n--b\n\r")}) {
      EXPECT_EQ(found_in(type, body), "") << type << "\n" << body;
    }
  }
  for (const char* body :
       {"", "--", "--b", "--b--", "--b\n", "--b\n--b\n--b\r\n\r\n--b\n\r", "\n\n\n", "--b\r\n \r\n:"}) {
    EXPECT_EQ(found_in("multipart/mixed;boundary=b", body), "") << body;
  }
}

}  // namespace
}  // namespace callpark::sip
