#include <gtest/gtest.h>

#include "tests/unit/parkd/leg/sdp_texts.h"

namespace callpark::leg {
namespace {

using sip::Direction;
using sip::Sdp;

constexpr const char* kHead = "v=0\no=- 1 1 IN IP4 127.0.0.12\ns=-\nc=IN IP4 127.0.0.12\nt=0 0\n";

Result<MediaAnswer, OfferError> answer_to(const std::string& lines) {
  return answer_with_media(sdp_of(kHead + lines), mediad_address(), playable_codecs(), std::nullopt);
}

Sdp music() {
  return make_music_offer(johns_sdp(), std::nullopt, mediad_address(), playable_codecs());
}

Sdp party_at(const std::string& address) {
  return sdp_of("v=0\no=- 1 1 IN IP4 127.0.0.12\ns=-\nc=IN " + address + "\nt=0 0\nm=audio 4000 RTP/AVP 0\n");
}

Direction direction_of_answer(const std::string& line) {
  const auto made = answer_to("m=audio 4000 RTP/AVP 0\n" + line);
  return sip::direction(made->answer, made->answer.media[0]);
}

TEST(MediaAnswer, TakesTheCallersFirstCodecThatMediadCanPlayUnderTheCallersNumbers) {
  const auto made =
      answer_to("m=audio 4000 RTP/AVP 18 111 0 100\na=rtpmap:111 OPUS/48000/2\na=rtpmap:100 telephone-event/8000\n");
  ASSERT_TRUE(made);
  EXPECT_EQ(codecs_text(made->answer.media[0]), "111 OPUS, 100 telephone-event");
  EXPECT_EQ(made->remote, (MediaRemote{{"127.0.0.12", 4000}, {"opus", 111, 48000, 100}, true}));
  EXPECT_EQ(made->answer.media[0].port, 40002);
}

TEST(MediaAnswer, EventsWithTheClockOfTheCodecAreTaken) {
  const auto made = answer_to(
      "m=audio 4000 RTP/AVP 96 101 102\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000\n"
      "a=rtpmap:102 telephone-event/48000\n");
  EXPECT_EQ(made->remote.codec.telephone_event, 102);
}

TEST(MediaAnswer, WithoutEventsThereAreNoDigits) {
  EXPECT_EQ(answer_to("m=audio 4000 RTP/AVP 8\n")->remote.codec.telephone_event, std::nullopt);
}

TEST(MediaAnswer, S12_EveryLineIsAnsweredAndVideoRefused) {
  const auto made = answer_to(
      "m=video 5000 RTP/AVP 34\nm=audio 4000 RTP/SAVP 0\nm=audio 4002 RTP/AVP 0\nm=audio 4004 RTP/AVP 8\n"
      "m=application 9 UDP/BFCP *\n");
  ASSERT_TRUE(made);
  EXPECT_EQ(lines_text(made->answer), "video 0, audio 0, audio 40002, audio 0, application 0");
  EXPECT_EQ(made->answer.media[1].protocol, "RTP/SAVP");
  EXPECT_EQ(made->answer.media[4].formats, (std::vector<std::string>{"*"}));
  EXPECT_EQ(made->remote.remote.port, 4002);
}

// RFC 3264 6.1 and, of the last, 8.4
TEST(MediaAnswer, HoldIsAnsweredAsTheRfcWants) {
  EXPECT_EQ(direction_of_answer(""), Direction::kSendRecv);
  EXPECT_EQ(direction_of_answer("a=sendonly\n"), Direction::kRecvOnly);
  EXPECT_EQ(direction_of_answer("a=recvonly\n"), Direction::kSendOnly);
  EXPECT_EQ(direction_of_answer("a=inactive\n"), Direction::kInactive);
  EXPECT_EQ(direction_of_answer("c=IN IP4 0.0.0.0\n"), Direction::kRecvOnly);
}

TEST(MediaAnswer, NothingIsToBeSentToOneWhoHolds) {
  EXPECT_FALSE(answer_to("m=audio 4000 RTP/AVP 0\na=sendonly\n")->remote.listens);
  EXPECT_FALSE(answer_to("m=audio 4000 RTP/AVP 0\na=inactive\n")->remote.listens);
  EXPECT_FALSE(answer_to("m=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0\n")->remote.listens);
  EXPECT_TRUE(answer_to("m=audio 4000 RTP/AVP 0\na=recvonly\n")->remote.listens);
}

// ---- the length of packets (RFC 4566 6) ----

constexpr const char* kTwoCodecs =
    "m=audio 4000 RTP/AVP 111 8 101\na=rtpmap:111 opus/48000/2\na=rtpmap:101 telephone-event/8000\n";

TEST(MediaAnswer, X18_NoPacketIsLongerThanMaxptime) {
  for (const auto& [maxptime, packet_ms] : {std::pair{"10", 10}, {"15", 10}, {"19", 10}, {"20", 20}, {"240", 20}}) {
    const auto made = answer_to("m=audio 4000 RTP/AVP 8\na=maxptime:" + std::string(maxptime) + "\n");
    ASSERT_TRUE(made) << maxptime;
    EXPECT_EQ(made->remote.codec.packet_ms, packet_ms) << maxptime;
  }
  EXPECT_EQ(answer_to("m=audio 4000 RTP/AVP 8\n")->remote.codec.packet_ms, 20);
  EXPECT_EQ(answer_to("m=audio 4000 RTP/AVP 8\na=maxptime:soon\n")->remote.codec.packet_ms, 20);
}

TEST(MediaAnswer, X18_ShortPacketsAreNoOpus) {
  const auto made = answer_to(kTwoCodecs + std::string("a=maxptime:10\n"));
  ASSERT_TRUE(made);
  EXPECT_EQ(codecs_text(made->answer.media[0]), "8 PCMA, 101 telephone-event");
  EXPECT_EQ(made->remote.codec.packet_ms, 10);
  EXPECT_EQ(answer_to(kTwoCodecs + std::string("a=maxptime:20\n"))->remote.codec.name, "opus");
}

TEST(MediaAnswer, X18_ShorterPacketsThanThoseOfMediadAreRefusedWithWords) {
  EXPECT_EQ(answer_to("m=audio 4000 RTP/AVP 8\na=maxptime:9\n").error(), OfferError::kShortPackets);
  EXPECT_EQ(answer_to("m=audio 4000 RTP/AVP 111\na=rtpmap:111 opus/48000/2\na=maxptime:10\n").error(),
            OfferError::kShortPackets);
  EXPECT_EQ(answer_to("m=audio 4000 RTP/AVP 18\na=maxptime:9\n").error(), OfferError::kNoCommonCodec);
  EXPECT_NE(sentence(OfferError::kShortPackets), "");
}

TEST(MediaAnswer, X18_AWishForShortPacketsIsGrantedWhereItCanBe) {
  EXPECT_EQ(answer_to("m=audio 4000 RTP/AVP 8\na=ptime:10\n")->remote.codec.packet_ms, 10);
  EXPECT_EQ(answer_to("m=audio 4000 RTP/AVP 8\na=ptime:30\n")->remote.codec.packet_ms, 20);
  EXPECT_EQ(answer_to(kTwoCodecs + std::string("a=ptime:10\n"))->remote.codec.packet_ms, 20) << "opus cannot be cut";
}

TEST(ReadAnswer, X18_TheAnswerToTheMusicMayWantShortPackets) {
  const Sdp offer = music();
  Sdp answer = offer;
  answer.media[0].attributes.push_back({"maxptime", "10"});
  const auto remote = read_answer(offer, answer);
  ASSERT_TRUE(remote);
  EXPECT_NE(remote->codec.name, "opus");
  EXPECT_EQ(remote->codec.packet_ms, 10);
}

TEST(MediaAnswer, OurOriginGoesOnWithTheNextVersion) {
  const sip::SdpOrigin ours{"-", "77", 4, "IN", "IP4", "127.0.0.3"};
  const auto made = answer_with_media(alices_offer(), mediad_address(), playable_codecs(), ours);
  EXPECT_EQ(made->answer.origin.session_id, "77");
  EXPECT_EQ(made->answer.origin.version, 5u);
}

TEST(MediaAnswer, WhatCannotBeServedSaysWhy) {
  EXPECT_EQ(answer_to("").error(), OfferError::kNoAudio);
  EXPECT_EQ(answer_to("m=video 5000 RTP/AVP 34\nm=audio 0 RTP/AVP 0\n").error(), OfferError::kNoAudio);
  EXPECT_EQ(answer_to("m=audio 4000 RTP/SAVP 0\n").error(), OfferError::kNotPlainRtp);
  EXPECT_EQ(answer_to("m=audio 4000 RTP/SAVP 0\nm=audio 4000 RTP/AVP 18\n").error(), OfferError::kNoCommonCodec);
  EXPECT_EQ(answer_to("m=audio 4000 RTP/AVP 18\nm=audio 4000 RTP/SAVP 0\n").error(), OfferError::kNoCommonCodec);
  EXPECT_EQ(answer_to("m=audio 4000 RTP/AVP 0\nc=IN IP4 phone.example\n").error(), OfferError::kNoAddress);
  for (const auto* nobody : {"IP4 224.2.1.1/127", "IP4 239.255.0.1", "IP6 ff02::1", "IP6 10.0.0.1", "IP4 ::1"}) {
    EXPECT_EQ(answer_to(std::string("m=audio 4000 RTP/AVP 0\nc=IN ") + nobody + "\n").error(), OfferError::kNoAddress)
        << nobody;
  }
}

TEST(MediaAnswer, X37_ASipSocketOfOursGetsNoSound) {
  const std::vector<sip::Endpoint> own{*sip::Endpoint::parse("udp:127.0.0.1:5062"),
                                       *sip::Endpoint::parse("udp:[::1]:5061")};
  const auto at = [](const std::string& address, int port) {
    return sdp_of("v=0\no=- 1 1 IN " + address + "\ns=-\nc=IN " + address + "\nt=0 0\nm=audio " + std::to_string(port) +
                  " RTP/AVP 0\n");
  };
  for (const int port : {5061, 5062}) {
    EXPECT_EQ(answer_with_media(at("IP4 127.0.0.1", port), mediad_address(), playable_codecs(), {}, own).error(),
              OfferError::kOwnSocket)
        << port;
    EXPECT_EQ(read_answer(music(), at("IP4 127.0.0.1", port), own).error(), OfferError::kOwnSocket) << port;
  }
  EXPECT_EQ(answer_with_media(at("IP6 0:0::1", 5061), {"2001:db8::2", 30000}, playable_codecs(), {}, own).error(),
            OfferError::kOwnSocket);
  EXPECT_TRUE(answer_with_media(at("IP4 127.0.0.1", 5063), mediad_address(), playable_codecs(), {}, own));
  EXPECT_TRUE(answer_with_media(at("IP4 127.0.0.2", 5062), mediad_address(), playable_codecs(), {}, own));
  EXPECT_NE(sentence(OfferError::kOwnSocket), "");
}

TEST(MediaAnswer, X9_PartyOfTheOtherFamilyIsRefusedAndNotMute) {
  const Sdp six = party_at("IP6 2001:db8::1");
  EXPECT_EQ(answer_with_media(six, mediad_address(), playable_codecs(), std::nullopt).error(),
            OfferError::kOtherFamily);
  EXPECT_TRUE(answer_with_media(six, {"2001:db8::2", 30000}, playable_codecs(), std::nullopt));
  EXPECT_EQ(read_answer(music(), six).error(), OfferError::kOtherFamily);
}

TEST(MediaAnswer, X9_PartyWithoutAnAddressIsOnHoldInBothFamilies) {
  for (const auto* nowhere : {"IP4 0.0.0.0", "IP6 ::", "IP6 0:0:0:0:0:0:0:0"}) {
    const auto remote = read_answer(music(), party_at(nowhere));
    ASSERT_TRUE(remote) << nowhere;
    EXPECT_FALSE(remote->listens) << nowhere;
    EXPECT_EQ(remote->remote.address, "0.0.0.0") << nowhere;
  }
}

TEST(MediaAnswer, TelephoneEventAloneIsNoCodec) {
  EXPECT_EQ(answer_to("m=audio 4000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000\n").error(),
            OfferError::kNoCommonCodec);
}

TEST(MediaAnswer, StereoPcmIsNotWhatMediadPlays) {
  EXPECT_EQ(answer_to("m=audio 4000 RTP/AVP 96\na=rtpmap:96 PCMU/8000/2\n").error(), OfferError::kNoCommonCodec);
  EXPECT_TRUE(answer_to("m=audio 4000 RTP/AVP 96\na=rtpmap:96 opus/48000\n"));
}

// ----------------------------------------------------------------------------------------------- answers to our offers

TEST(ReadAnswer, FindsCodecAndAddress) {
  const auto remote = read_answer(music(), clients_sdp());
  ASSERT_TRUE(remote);
  EXPECT_EQ(*remote, (MediaRemote{{"127.0.0.12", 6004}, {"PCMU", 0, 8000, 101}, true}));
}

TEST(ReadAnswer, AnAnswerThatHoldsIsAccepted) {
  Sdp answer = clients_sdp();
  sip::set_direction(answer.media[0], Direction::kSendOnly);
  const auto remote = read_answer(music(), answer);
  ASSERT_TRUE(remote);
  EXPECT_FALSE(remote->listens);
}

TEST(ReadAnswer, TheAnswersOwnNumberCounts) {
  const auto remote = read_answer(
      music(),
      sdp_of(std::string(kHead) + "m=audio 4000 RTP/AVP 120\na=rtpmap:120 opus/48000/2\nm=video 0 RTP/AVP 97\n"));
  ASSERT_TRUE(remote);
  EXPECT_EQ(remote->codec.payload_type, 120);
}

TEST(ReadAnswer, ANumberWithAnotherMeaningMeansWhatTheAnswerSays) {
  const auto remote =
      read_answer(music(), sdp_of(std::string(kHead) + "m=audio 4000 RTP/AVP 96\na=rtpmap:96 PCMA/8000\n"));
  ASSERT_TRUE(remote);
  EXPECT_EQ(remote->codec.name, "PCMA");
}

TEST(ReadAnswer, ANumberWithoutMeaningMeansWhatItMeantInTheOffer) {
  const auto remote =
      read_answer(music(), sdp_of(std::string(kHead) + "m=audio 4000 RTP/AVP 96 101\nm=video 0 RTP/AVP 97\n"));
  ASSERT_TRUE(remote);
  EXPECT_EQ(remote->codec.name, "opus");
  EXPECT_EQ(remote->codec.telephone_event, 101);
}

TEST(ReadAnswer, ARefusedOrMissingLineIsNoAudio) {
  EXPECT_EQ(read_answer(music(), sdp_of(std::string(kHead) + "m=audio 0 RTP/AVP 0\n")).error(), OfferError::kNoAudio);
  EXPECT_EQ(read_answer(music(), sdp_of(std::string(kHead) + "m=video 4 RTP/AVP 0\n")).error(), OfferError::kNoAudio);
  EXPECT_EQ(read_answer(music(), sdp_of(kHead)).error(), OfferError::kNoAudio);
}

TEST(ReadAnswer, ACodecThatWasNotOfferedIsNone) {
  EXPECT_EQ(read_answer(music(), sdp_of(std::string(kHead) + "m=audio 4000 RTP/AVP 18\n")).error(),
            OfferError::kNoCommonCodec);
}

}  // namespace
}  // namespace callpark::leg
