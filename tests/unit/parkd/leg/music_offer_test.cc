#include <gtest/gtest.h>

#include "tests/unit/parkd/leg/sdp_texts.h"

namespace callpark::leg {
namespace {

using sip::Direction;
using sip::Sdp;

/// A session with this one audio line.
Sdp with_audio(Sdp sdp, const std::string& line) {
  sdp.media[0] = sdp_of("v=0\no=- 1 1 IN IP4 127.0.0.12\ns=-\nc=IN IP4 127.0.0.12\nt=0 0\n" + line).media[0];
  return sdp;
}

Sdp offer_to_client(const std::optional<Sdp>& johns = johns_sdp(), const std::optional<Sdp>& clients = clients_sdp()) {
  return make_music_offer(johns, clients, mediad_address(), playable_codecs());
}

TEST(MusicOffer, P1_JohnsOriginGoesOnWithTheNextVersionAndTheMediaComesFromMediad) {
  const Sdp offer = offer_to_client();
  auto origin = johns_sdp().origin;
  ++origin.version;
  EXPECT_EQ(offer.origin, origin);
  ASSERT_TRUE(offer.connection);
  EXPECT_EQ(offer.connection->address, "127.0.0.3");
  EXPECT_EQ(offer.media[0].port, 40002);
  EXPECT_EQ(sip::direction(offer, offer.media[0]), Direction::kSendRecv);
}

TEST(MusicOffer, S12_VideoKeepsItsLineWithPortZeroWhileParked) {
  const Sdp offer = offer_to_client();
  EXPECT_EQ(lines_text(offer), "audio 40002, video 0");
  EXPECT_EQ(offer.media[1].formats, (std::vector<std::string>{"97"}));
}

TEST(MusicOffer, OnlyCodecsThatThePartyHasShownInItsOrder) {
  EXPECT_EQ(codecs_text(offer_to_client().media[0]), "0 PCMU, 96 opus, 101 telephone-event");
}

TEST(MusicOffer, JohnsNumbersStayAndOfOtherCodecsThePartysNumbersAreUsed) {
  const Sdp clients = with_audio(clients_sdp(),
                                 "m=audio 6004 RTP/AVP 107 97\n"
                                 "a=rtpmap:107 opus/48000/2\na=rtpmap:97 telephone-event/48000\n");
  // The video line's 97 is another stream's.
  EXPECT_EQ(codecs_text(offer_to_client(johns_sdp(), clients).media[0]), "96 opus, 97 telephone-event");
}

/// "97/8000" of each telephone-event of the line.
std::string events_text(const sip::SdpMedia& line) {
  std::string text;
  for (const auto& codec : sip::codecs(line)) {
    if (!is_telephone_event(codec)) continue;
    text += (text.empty() ? "" : " ") + std::to_string(codec.payload_type) + "/" + std::to_string(codec.clock_rate);
  }
  return text;
}

// RFC 4733 2.1: events have the clock of the audio that they go with.
TEST(MusicOffer, F3_EventsAreOfferedWithTheClockOfEachCodec) {
  EXPECT_EQ(events_text(offer_to_client(std::nullopt, std::nullopt).media[0]), "97/8000 98/48000");
  const Sdp both = with_audio(clients_sdp(),
                              "m=audio 6004 RTP/AVP 107 0 97 101\na=rtpmap:107 opus/48000/2\n"
                              "a=rtpmap:97 telephone-event/48000\na=rtpmap:101 telephone-event/8000\n");
  EXPECT_EQ(events_text(offer_to_client(std::nullopt, both).media[0]), "97/48000 101/8000");
  const Sdp one = with_audio(clients_sdp(),
                             "m=audio 6004 RTP/AVP 107 0 101\na=rtpmap:107 opus/48000/2\n"
                             "a=rtpmap:101 telephone-event/8000\n");
  EXPECT_EQ(events_text(offer_to_client(std::nullopt, one).media[0]), "101/8000");
  const Sdp other = with_audio(clients_sdp(), "m=audio 6004 RTP/AVP 0 101\na=rtpmap:101 telephone-event/16000\n");
  EXPECT_EQ(events_text(offer_to_client(std::nullopt, other).media[0]), "101/16000");
  const Sdp none = with_audio(clients_sdp(), "m=audio 6004 RTP/AVP 0\n");
  EXPECT_EQ(events_text(offer_to_client(std::nullopt, none).media[0]), "");
}

// RFC 3264 8.3.2
TEST(MusicOffer, ANumberThatJohnHasUsedDoesNotChangeItsMeaning) {
  const Sdp clients = with_audio(clients_sdp(),
                                 "m=audio 6004 RTP/AVP 101 96\n"
                                 "a=rtpmap:101 opus/48000/2\na=rtpmap:96 telephone-event/8000\n");
  // On John's side 101 is telephone-event and 96 opus.
  EXPECT_EQ(codecs_text(offer_to_client(johns_sdp(), clients).media[0]), "96 opus, 101 telephone-event");
}

TEST(MusicOffer, ANewNumberIsTakenWhenTheKnownOnesHaveAnotherMeaning) {
  const Sdp johns = with_audio(johns_sdp(),
                               "m=audio 5004 RTP/AVP 96 101\n"
                               "a=rtpmap:96 iLBC/8000\na=rtpmap:101 speex/16000\n");
  EXPECT_EQ(codecs_text(offer_to_client(johns, clients_sdp()).media[0]), "0 PCMU, 97 opus, 98 telephone-event");
}

TEST(MusicOffer, ANewNumberIsOneThatNeitherSideUses) {
  const Sdp johns = with_audio(johns_sdp(),
                               "m=audio 5004 RTP/AVP 96\n"
                               "a=rtpmap:96 iLBC/8000\n");
  const Sdp clients = with_audio(clients_sdp(),
                                 "m=audio 6004 RTP/AVP 96 97\n"
                                 "a=rtpmap:96 opus/48000/2\na=rtpmap:97 iLBC/8000\n");
  EXPECT_EQ(codecs_text(offer_to_client(johns, clients).media[0]), "98 opus");
}

TEST(MusicOffer, AStaticNumberThatThePartyGaveAnotherMeaningIsUsedOnce) {
  const Sdp johns = with_audio(johns_sdp(),
                               "m=audio 5004 RTP/AVP 96\n"
                               "a=rtpmap:96 iLBC/8000\n");
  const Sdp clients = with_audio(clients_sdp(),
                                 "m=audio 6004 RTP/AVP 96 0\n"
                                 "a=rtpmap:96 PCMU/8000\na=rtpmap:0 opus/48000/2\n");
  EXPECT_EQ(codecs_text(offer_to_client(johns, clients).media[0]), "0 PCMU, 97 opus");
}

TEST(MusicOffer, ALineWithoutFormatsGetsOne) {
  const Sdp odd = sdp_of(
      "v=0\no=- 1 1 IN IP4 127.0.0.12\ns=-\nc=IN IP4 127.0.0.12\nt=0 0\nm=audio 4 RTP/AVP 0\nm=video 0 RTP/AVP\n");
  EXPECT_EQ(offer_to_client(odd, odd).media[1].formats.size(), 1u);
}

TEST(MusicOffer, EverythingIsOfferedToAPartyThatHasShownNothingWeCanPlay) {
  Sdp clients = clients_sdp();
  clients.media[0].formats = {"18"};
  clients.media[0].attributes = {};
  EXPECT_EQ(codecs_text(offer_to_client(johns_sdp(), clients).media[0]), "0 PCMU, 8 PCMA, 9 G722, 96 opus");
}

TEST(MusicOffer, WithoutAnyDescriptionAllCodecsAreOfferedInAFirstOne) {
  const Sdp offer = offer_to_client(std::nullopt, std::nullopt);
  EXPECT_EQ(lines_text(offer), "audio 40002");
  EXPECT_EQ(codecs_text(offer.media[0]), "0 PCMU, 8 PCMA, 9 G722, 96 opus, 97 telephone-event, 98 telephone-event");
  EXPECT_EQ(offer.origin.address, "127.0.0.3");
  EXPECT_EQ(offer.origin.version, 1u);
  EXPECT_TRUE(sip::parse_sdp(sip::write_sdp(offer)));
}

TEST(MusicOffer, WithOnlyTheOtherSidesDescriptionItsLinesAreKept) {
  const Sdp offer = offer_to_client(std::nullopt, clients_sdp());
  EXPECT_EQ(lines_text(offer), "audio 40002, video 0");
  EXPECT_EQ(codecs_text(offer.media[0]), "0 PCMU, 96 opus, 101 telephone-event");
}

TEST(MusicOffer, TheAudioLineThatIsInUseIsTaken) {
  const std::string lines =
      "v=0\no=- 1 1 IN IP4 127.0.0.12\ns=-\nc=IN IP4 127.0.0.12\nt=0 0\n"
      "m=audio 0 RTP/SAVP 0\nm=video 0 RTP/AVP 34\nm=audio 4000 RTP/AVPF 8\n";
  const Sdp offer = offer_to_client(sdp_of(lines), sdp_of(lines));
  EXPECT_EQ(lines_text(offer), "audio 0, video 0, audio 40002");
  EXPECT_EQ(offer.media[0].protocol, "RTP/SAVP");
  EXPECT_EQ(offer.media[2].protocol, "RTP/AVPF");
  EXPECT_EQ(codecs_text(offer.media[2]), "8 PCMA");
}

TEST(MusicOffer, ASessionWithoutAudioGetsALineMore) {
  const Sdp video =
      sdp_of("v=0\no=- 1 1 IN IP4 127.0.0.12\ns=-\nc=IN IP4 127.0.0.12\nt=0 0\nm=video 4000 RTP/AVP 34\n");
  EXPECT_EQ(lines_text(offer_to_client(video, video)), "video 0, audio 40002");
}

TEST(MusicOffer, AnAudioLineForSrtpBecomesOneForRtp) {
  const Sdp srtp = sdp_of(
      "v=0\no=- 1 1 IN IP4 127.0.0.12\ns=-\nc=IN IP4 127.0.0.12\nt=0 0\nm=audio 4000 RTP/SAVP 8\n"
      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\n");
  const Sdp offer = offer_to_client(srtp, srtp);
  EXPECT_EQ(offer.media[0].protocol, "RTP/AVP");
  EXPECT_FALSE(offer.media[0].attribute("crypto"));
}

TEST(MusicOffer, AnIpv6MediadIsWrittenAsSuch) {
  const Sdp offer = make_music_offer(std::nullopt, std::nullopt, {"2001:db8::1", 4000}, playable_codecs());
  EXPECT_EQ(offer.connection->address_type, "IP6");
  EXPECT_EQ(offer.origin.address_type, "IP6");
}

TEST(SdpDigest, WhatKamailioKeepsIsEnoughForAnOffer) {
  const auto johns = read_sdp_digest(
      "o=- 2704906608 44770662 IN IP4 127.0.0.11\nc=IN IP4 127.0.0.11\n"
      "m=audio 5004 RTP/AVP 96 0 101\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000\na=sendonly\n"
      "m=video 5006 RTP/AVP 97\na=inactive");
  ASSERT_TRUE(johns);
  const Sdp offer = offer_to_client(johns, std::nullopt);
  EXPECT_EQ(offer.origin.version, 44770663u);
  EXPECT_EQ(lines_text(offer), "audio 40002, video 0");
}

TEST(SdpDigest, AFullDescriptionIsReadTheSameWay) {
  EXPECT_EQ(read_sdp_digest(sip::write_sdp(johns_sdp())), johns_sdp());
}

TEST(SdpDigest, ALastLineThatWasCutOffIsLeftOut) {
  const std::string digest = "o=- 27 44 IN IP4 127.0.0.11\nc=IN IP4 127.0.0.11\nm=audio 5004 RTP/AVP 0\n";
  const auto whole = read_sdp_digest(digest);
  ASSERT_TRUE(whole);
  EXPECT_EQ(read_sdp_digest(digest + "m=vid"), whole);
  EXPECT_EQ(read_sdp_digest(digest + "a"), whole);
}

TEST(SdpDigest, NothingAndJunkAreNone) {
  EXPECT_FALSE(read_sdp_digest(""));
  EXPECT_FALSE(read_sdp_digest("\n"));
  EXPECT_FALSE(read_sdp_digest("junk"));
  EXPECT_FALSE(read_sdp_digest("c=IN IP4 127.0.0.1\nm=audio 1 RTP/AVP 0\n"));
}

}  // namespace
}  // namespace callpark::leg
