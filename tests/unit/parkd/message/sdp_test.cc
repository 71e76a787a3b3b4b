#include "parkd/message/sdp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parkd/message/sdp_codecs.h"

namespace callpark::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kOffer =
    "v=0\r\n"
    "o=101 38927 2890844526 IN IP4 127.0.0.11\r\n"
    "s=call\r\n"
    "i=info\r\n"
    "c=IN IP4 127.0.0.11\r\n"
    "b=AS:84\r\n"
    "t=0 0\r\n"
    "a=tool:phone\r\n"
    "m=audio 11782 RTP/AVP 9 0 96 101 77\r\n"
    "a=rtpmap:9 G722/8000\r\n"
    "a=rtpmap:96 opus/48000/2\r\n"
    "a=fmtp:96 useinbandfec=1; stereo=0\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-15\r\n"
    "a=ptime:20\r\n"
    "a=x-unknown\r\n"
    "a=sendrecv\r\n"
    "m=video 0 RTP/AVP 31\r\n"
    "c=IN IP6 ::1\r\n";

Sdp sdp(std::string_view text = kOffer, SdpForm form = SdpForm::kFull) {
  const auto parsed = parse_sdp(text, form);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Sdp{});
}

std::string with(std::string_view more) {
  return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" + std::string(more);
}

SyntaxError fault_of(std::string_view text) {
  const auto parsed = parse_sdp(text);
  EXPECT_FALSE(parsed) << text;
  return parsed ? SyntaxError{} : parsed.error();
}

TEST(Sdp, HasItsLines) {
  const Sdp s = sdp();
  EXPECT_EQ(s.origin, (SdpOrigin{"101", "38927", 2890844526, "IN", "IP4", "127.0.0.11"}));
  EXPECT_EQ(s.session_name, "call");
  EXPECT_EQ(s.connection->address, "127.0.0.11");
  EXPECT_THAT(s.times, ElementsAre(SdpLine{'t', "0 0"}));
  ASSERT_EQ(s.media.size(), 2U);
  EXPECT_EQ(s.media[0].media, "audio");
  EXPECT_EQ(s.media[0].port, 11782);
  EXPECT_EQ(s.media[0].protocol, "RTP/AVP");
  EXPECT_THAT(s.media[0].formats, ElementsAre("9", "0", "96", "101", "77"));
  EXPECT_EQ(s.media[0].attribute("x-unknown"), "");
  EXPECT_EQ(s.media[0].attribute("missing"), std::nullopt);
  EXPECT_EQ(ptime(s.media[0]), 20U);
  EXPECT_EQ(ptime(s.media[1]), std::nullopt);
  EXPECT_EQ(connection(s, s.media[0])->address, "127.0.0.11");
  EXPECT_EQ(connection(s, s.media[1])->address, "::1");
  EXPECT_EQ(audio(s), &s.media[0]);
}

TEST(Sdp, IsWrittenAsItWasRead) {
  EXPECT_EQ(write_sdp(sdp()), kOffer);
}

TEST(Sdp, LinesThatEndWithLfAloneAreRead) {
  std::string text(kOffer);
  std::erase(text, '\r');
  EXPECT_EQ(sdp(text), sdp());
  text.pop_back();
  EXPECT_EQ(sdp(text), sdp()) << "no line end behind the last line";
}

TEST(Sdp, CodecsAreFilledIn) {
  EXPECT_THAT(codecs(sdp().media[0]), ElementsAre(Codec{9, "G722", 8000, 1, ""}, Codec{0, "PCMU", 8000, 1, ""},
                                                  Codec{96, "opus", 48000, 2, "useinbandfec=1; stereo=0"},
                                                  Codec{101, "telephone-event", 8000, 1, "0-15"}));
  EXPECT_THAT(codecs(sdp(with("m=audio 1 RTP/AVP 8 8 3 18 x 300\r\n")).media[0]),
              ElementsAre(Codec{8, "PCMA", 8000, 1, ""}, Codec{3, "GSM", 8000, 1, ""}, Codec{18, "G729", 8000, 1, ""}));
  EXPECT_THAT(codecs(sdp(with("m=audio 1 RTP/AVP 10\r\n")).media[0]), ElementsAre(Codec{10, "L16", 44100, 2, ""}));
  EXPECT_THAT(codecs(sdp(with("m=audio 1 RTP/SAVP 0\r\na=rtpmap:0 other/16000\r\n")).media[0]),
              ElementsAre(Codec{0, "other", 16000, 1, ""}));
  EXPECT_THAT(codecs(sdp(with("m=audio 1 RTP/AVP 96 97\r\na=rtpmap:96 nothing\r\na=rtpmap:97 x/y\r\n")).media[0]),
              IsEmpty());
  EXPECT_THAT(codecs(sdp(with("m=image 1 udptl 0\r\n")).media[0]), IsEmpty());
}

TEST(Sdp, AddedCodecsAreReadBack) {
  SdpMedia media{"audio", 4000, 1, "RTP/AVP", {}, {}, {}, {}};
  const std::vector<Codec> list = {{0, "PCMU", 8000, 1, ""}, {96, "opus", 48000, 2, "a=1"}};
  for (const Codec& codec : list) add_codec(media, codec);
  EXPECT_EQ(codecs(media), list);
}

TEST(Sdp, DirectionIsTheMediasThenTheSessionsThenBoth) {
  const Sdp s = sdp(with("a=recvonly\r\nm=audio 1 RTP/AVP 0\r\nm=audio 2 RTP/AVP 0\r\na=sendonly\r\n"));
  EXPECT_EQ(direction(s, s.media[0]), Direction::kRecvOnly);
  EXPECT_EQ(direction(s, s.media[1]), Direction::kSendOnly);
  EXPECT_EQ(direction(sdp(), sdp().media[1]), Direction::kSendRecv);
}

TEST(Sdp, SetDirectionLeavesOneDirection) {
  Sdp s = sdp(with("m=audio 1 RTP/AVP 0\r\na=sendonly\r\na=x\r\na=inactive\r\n"));
  set_direction(s.media[0], Direction::kRecvOnly);
  EXPECT_THAT(s.media[0].attributes, ElementsAre(SdpAttribute{"x", {}}, SdpAttribute{"recvonly", {}}));
  EXPECT_EQ(reversed(Direction::kRecvOnly), Direction::kSendOnly);
  EXPECT_EQ(reversed(Direction::kSendOnly), Direction::kRecvOnly);
  EXPECT_EQ(reversed(Direction::kInactive), Direction::kInactive);
  EXPECT_EQ(reversed(Direction::kSendRecv), Direction::kSendRecv);
}

TEST(Sdp, HoldIsSendonlyInactiveOrTheNullAddress) {
  const auto held = [](std::string_view more) {
    const Sdp s = sdp(with("m=audio 1 RTP/AVP 0\r\n" + std::string(more)));
    return is_hold(s, s.media[0]);
  };
  EXPECT_TRUE(held("a=sendonly\r\n"));
  EXPECT_TRUE(held("a=inactive\r\n"));
  EXPECT_TRUE(held("c=IN IP4 0.0.0.0\r\n"));
  EXPECT_FALSE(held("a=recvonly\r\n"));
  EXPECT_FALSE(held(""));
}

TEST(Sdp, X9_HoldIsNoAddressInAnySpellingOfBothFamilies) {
  const auto held = [](std::string_view of_session, std::string_view of_line) {
    const Sdp s = sdp("v=0\r\no=- 1 2 IN IP4 192.0.2.31\r\ns=-\r\n" + std::string(of_session) +
                      "t=0 0\r\nm=audio 1 RTP/AVP 0\r\n" + std::string(of_line));
    return is_hold(s, s.media[0]);
  };
  for (const std::string address : {"IP4 0.0.0.0", "IP6 ::", "IP6 0:0:0:0:0:0:0:0", "IP6 ::0", "IP6 0::0",
                                    "IP6 0000:0000:0000:0000:0000:0000:0000:0000", "IP6 ::0.0.0.0"}) {
    const std::string line = "c=IN " + address + "\r\n";
    EXPECT_TRUE(held(line, "")) << address;
    EXPECT_TRUE(held("c=IN IP4 192.0.2.31\r\n", line)) << address;
    EXPECT_FALSE(held(line, "c=IN IP4 192.0.2.31\r\n")) << address;
  }
  for (const std::string address : {"IP4 10.0.0.0", "IP6 ::1", "IP6 2001:db8::", "IP6 0:0:0:0:0:0:0:1"}) {
    EXPECT_FALSE(held("c=IN " + address + "\r\n", "")) << address;
  }
}

TEST(Sdp, AudioPrefersALineWithAPort) {
  const Sdp s = sdp(with("m=video 1 RTP/AVP 31\r\nm=audio 0 RTP/AVP 0\r\nm=audio 9 RTP/AVP 0\r\n"));
  EXPECT_EQ(audio(s), &s.media[2]);
  const Sdp refused = sdp(with("m=audio 0 RTP/AVP 0\r\n"));
  EXPECT_EQ(audio(refused), &refused.media[0]);
  EXPECT_EQ(audio(Sdp{}), nullptr);
}

TEST(Sdp, TheDigestNeedsNoVersionNameOrTime) {
  constexpr std::string_view kDigest =
      "o=101 1 41 IN IP4 127.0.0.11\nc=IN IP4 127.0.0.11\nm=audio 4000 RTP/AVP 0 8 101\n"
      "a=rtpmap:101 telephone-event/8000\na=sendonly";
  const Sdp s = sdp(kDigest, SdpForm::kDigest);
  EXPECT_EQ(s.origin.version, 41U);
  EXPECT_EQ(codecs(s.media[0]).size(), 3U);
  EXPECT_EQ(direction(s, s.media[0]), Direction::kSendOnly);
  EXPECT_EQ(fault_of(kDigest), SyntaxError::kSdpMissingLine);
  EXPECT_EQ(sdp(write_sdp(s)), s) << "written, it is a full description";
}

TEST(Sdp, WhatIsMalformedIsRefused) {
  EXPECT_EQ(fault_of(""), SyntaxError::kSdpMissingLine);
  EXPECT_EQ(fault_of("v=1\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n"), SyntaxError::kSdpMissingLine);
  EXPECT_EQ(fault_of(with("m =audio 1 RTP/AVP 0\r\n")), SyntaxError::kSdpLine);
  EXPECT_EQ(fault_of(with("a=x\ry\r\n")), SyntaxError::kSdpLine);
  EXPECT_EQ(fault_of(with("x\r\n")), SyntaxError::kSdpLine);
  EXPECT_EQ(fault_of(with("m=audio 492170 RTP/AVP 0\r\n")), SyntaxError::kSdpMedia);
  EXPECT_EQ(fault_of(with("m=audio\r\n")), SyntaxError::kSdpMedia);
  EXPECT_EQ(fault_of(with("m=audio 1/x RTP/AVP 0\r\n")), SyntaxError::kSdpMedia);
  EXPECT_EQ(fault_of("o=- 1 x IN IP4 h\r\n"), SyntaxError::kSdpOrigin);
  EXPECT_EQ(fault_of("o=- 1 18446744073709551616 IN IP4 h\r\n"), SyntaxError::kSdpOrigin);
  EXPECT_EQ(fault_of("o=- 1 1 IN IP4\r\n"), SyntaxError::kSdpOrigin);
  EXPECT_EQ(fault_of("c=IN IP4\r\n"), SyntaxError::kSdpConnection);
  EXPECT_EQ(fault_of("v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 1 RTP/AVP 0\r\n"),
            SyntaxError::kSdpMissingLine)
      << "no c= anywhere";
}

TEST(Sdp, NoValueCanAddALine) {
  Sdp s = sdp();
  s.session_name = "a\r\nm=evil 1 RTP/AVP 0";
  s.media[0].attributes.push_back({"b\nc", "d\re"});
  const std::string text = write_sdp(s);
  EXPECT_EQ(text.find("\r\nm=evil"), std::string::npos);
  EXPECT_NE(text.find("a=b c:d e\r\n"), std::string::npos);
  EXPECT_EQ(sdp(text).media.size(), 2U);
}

TEST(Sdp, ABuiltDescriptionIsWhole) {
  Sdp s;
  s.origin = {"parkd", "1", 2, "IN", "IP4", "127.0.0.1"};
  s.connection = SdpConnection{"IN", "IP4", "127.0.0.1"};
  add_codec(s.media.emplace_back(SdpMedia{"audio", 4000, 1, "RTP/AVP", {}, {}, {}, {}}), {0, "PCMU", 8000, 1, ""});
  EXPECT_EQ(write_sdp(s),
            "v=0\r\no=parkd 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n");
}

}  // namespace
}  // namespace callpark::sip
