#include <gtest/gtest.h>

#include "parkd/leg/aligned_offer.h"
#include "tests/unit/parkd/leg/sdp_texts.h"

namespace callpark::leg {
namespace {

using sip::Direction;
using sip::Sdp;

constexpr const char* kHead = "v=0\no=other 9 9 IN IP4 127.0.0.14\ns=-\nc=IN IP4 127.0.0.14\nt=0 0\n";

Sdp lines(const std::string& text) {
  return sdp_of(kHead + text);
}

Direction direction_at(const Sdp& sdp, std::size_t index) {
  return sip::direction(sdp, sdp.media[index]);
}

/// What parkd has sent while the party was parked: video switched off.
Sdp music() {
  return make_music_offer(johns_sdp(), clients_sdp(), mediad_address(), playable_codecs());
}

// -------------------------------------------------------------------------------------------------------------- offers

TEST(AlignOffer, P3_TheRetrieversMediaIsOfferedUnderJohnsOrigin) {
  const Sdp offer = align_offer(alices_offer(), music(), clients_sdp());
  EXPECT_EQ(offer.origin.username, "john");
  EXPECT_EQ(offer.origin.version, music().origin.version + 1);
  EXPECT_EQ(offer.connection->address, "127.0.0.13");
  EXPECT_EQ(lines_text(offer), "audio 7004, video 0");
  EXPECT_EQ(codecs_text(offer.media[0]), codecs_text(alices_offer().media[0]));
  EXPECT_EQ(offer.media[0].attribute("fmtp"), "101 0-15");
}

TEST(AlignOffer, S12_VideoIsOfferedAgainInItsOldLine) {
  const Sdp offer = align_offer(lines("m=video 8006 RTP/AVP 96\na=rtpmap:96 VP8/90000\nm=audio 8004 RTP/AVP 0\n"),
                                music(), clients_sdp());
  EXPECT_EQ(lines_text(offer), "audio 8004, video 8006");
  EXPECT_EQ(offer.media[1].attribute("rtpmap"), "96 VP8/90000");
}

TEST(AlignOffer, S12_VideoThatTheSessionNeverHadIsAddedAtTheEnd) {
  const Sdp audio_only = lines("m=audio 4000 RTP/AVP 0\n");
  const Sdp offer = align_offer(lines("m=video 8006 RTP/AVP 34\nm=audio 8004 RTP/AVP 0\n"), audio_only, audio_only);
  EXPECT_EQ(lines_text(offer), "audio 8004, video 8006");
}

TEST(AlignOffer, LinesOfOneTypeKeepTheirOrderAndSwitchedOffOnesAreNotPassedOn) {
  const Sdp session = lines("m=audio 1 RTP/AVP 0\nm=image 0 udptl t38\nm=audio 2 RTP/AVP 0\n");
  const Sdp offer =
      align_offer(lines("m=audio 0 RTP/AVP 0\nm=audio 11 RTP/AVP 0\nm=audio 12 RTP/AVP 0\nm=audio 13 RTP/AVP 0\n"),
                  session, session);
  EXPECT_EQ(lines_text(offer), "audio 11, image 0, audio 12, audio 13");
}

TEST(AlignOffer, AudioOnceAnsweredToSomebodyElseBecomesSendrecv) {
  EXPECT_EQ(direction_at(align_offer(lines("m=audio 1 RTP/AVP 0\na=recvonly\n"), music(), clients_sdp()), 0),
            Direction::kSendRecv);
}

TEST(AlignOffer, S12_HoldIsPassedOn) {
  EXPECT_EQ(direction_at(align_offer(lines("m=audio 1 RTP/AVP 0\na=sendonly\n"), music(), clients_sdp()), 0),
            Direction::kSendOnly);
  EXPECT_EQ(direction_at(align_offer(lines("m=audio 1 RTP/AVP 0\na=inactive\n"), music(), clients_sdp()), 0),
            Direction::kInactive);
  const Sdp old_way = align_offer(lines("m=audio 1 RTP/AVP 0\nc=IN IP4 0.0.0.0\n"), music(), clients_sdp());
  EXPECT_EQ(sip::connection(old_way, old_way.media[0])->address, "0.0.0.0");
}

TEST(AlignOffer, VideoStaysAsOneWayAsItIs) {
  const Sdp offer = align_offer(lines("m=video 3 RTP/AVP 34\na=recvonly\n"), music(), clients_sdp());
  EXPECT_EQ(direction_at(offer, 1), Direction::kRecvOnly);
}

TEST(AlignOffer, HoldOfTheWholeSessionIsWrittenAtTheLines) {
  const Sdp offer = align_offer(
      sdp_of("v=0\no=- 9 9 IN IP4 127.0.0.14\ns=-\nc=IN IP4 127.0.0.14\nt=0 0\na=sendonly\nm=audio 1 RTP/AVP 0\n"),
      music(), clients_sdp());
  EXPECT_EQ(offer.attributes.size(), 0u);
  EXPECT_EQ(direction_at(offer, 0), Direction::kSendOnly);
  EXPECT_EQ(direction_at(offer, 1), Direction::kSendRecv);
}

TEST(AlignOffer, WhatTheOtherSaysOfItsSessionIsKept) {
  EXPECT_EQ(align_offer(alices_offer(), music(), clients_sdp()).attributes, alices_offer().attributes);
}

TEST(AlignOffer, LinesWithAConnectionOfTheirOwnLeaveNoneWithout) {
  const Sdp offer =
      align_offer(sdp_of("v=0\no=- 9 9 IN IP4 127.0.0.14\ns=-\nt=0 0\nm=audio 1 RTP/AVP 0\nc=IN IP4 127.0.0.15\n"),
                  music(), clients_sdp());
  ASSERT_EQ(lines_text(offer), "audio 1, video 0");
  EXPECT_EQ(sip::connection(offer, offer.media[0])->address, "127.0.0.15");
  EXPECT_TRUE(sip::connection(offer, offer.media[1]));
}

TEST(AlignOffer, WithoutASessionItIsTheOthersOwnDescription) {
  Sdp alices = alices_offer();
  EXPECT_EQ(align_offer(alices, std::nullopt, std::nullopt), alices);
}

// ------------------------------------------------------------------------------------------------------------- answers

TEST(AlignAnswer, P3_TheLinesComeBackInTheRetrieversOrder) {
  const Sdp alices = lines("m=video 8006 RTP/AVP 34\nm=audio 8004 RTP/AVP 0\n");
  const Sdp offer = align_offer(alices, music(), clients_sdp());
  ASSERT_EQ(lines_text(offer), "audio 8004, video 8006");
  const Sdp answer = lines("m=audio 6004 RTP/AVP 0\nm=video 6006 RTP/AVP 34\n");
  const Sdp back = align_answer(answer, alices, std::nullopt);
  EXPECT_EQ(lines_text(back), "video 6006, audio 6004");
  EXPECT_EQ(back.connection->address, "127.0.0.14");
}

TEST(AlignAnswer, WhatWasRefusedOrNeverAnsweredIsRefused) {
  const Sdp alices = lines("m=audio 1 RTP/SAVP 0 8\nm=audio 2 RTP/AVP 0\nm=video 3 RTP/AVP 34\nm=image 0 udptl t38\n");
  const Sdp back = align_answer(lines("m=audio 0 RTP/SAVP 0\nm=audio 22 RTP/AVP 0\n"), alices, std::nullopt);
  EXPECT_EQ(lines_text(back), "audio 0, audio 22, video 0, image 0");
  EXPECT_EQ(back.media[0].protocol, "RTP/SAVP");
  EXPECT_EQ(back.media[0].formats, alices.media[0].formats);
}

TEST(AlignAnswer, ALineThatTheRetrieverSwitchedOffDoesNotShiftTheOthers) {
  const Sdp alices = lines("m=audio 0 RTP/AVP 0\nm=audio 2 RTP/AVP 0\n");
  EXPECT_EQ(lines_text(align_answer(lines("m=audio 22 RTP/AVP 0\n"), alices, std::nullopt)), "audio 0, audio 22");
}

TEST(AlignAnswer, LinesWithAConnectionOfTheirOwnLeaveNoneWithout) {
  const Sdp answer = sdp_of("v=0\no=- 9 9 IN IP4 127.0.0.14\ns=-\nt=0 0\nm=audio 1 RTP/AVP 0\nc=IN IP4 127.0.0.15\n");
  const Sdp back = align_answer(answer, lines("m=video 3 RTP/AVP 34\nm=audio 1 RTP/AVP 0\n"), std::nullopt);
  ASSERT_EQ(lines_text(back), "video 0, audio 1");
  EXPECT_TRUE(sip::connection(back, back.media[0]));
}

TEST(AlignAnswer, DirectionsStayWithinTheOriginalOffer) {
  const Sdp answer = lines("m=audio 6004 RTP/AVP 0\n");
  EXPECT_EQ(direction_at(align_answer(answer, lines("m=audio 1 RTP/AVP 0\na=recvonly\n"), std::nullopt), 0),
            Direction::kSendOnly);
  EXPECT_EQ(direction_at(align_answer(answer, lines("m=audio 1 RTP/AVP 0\na=sendonly\n"), std::nullopt), 0),
            Direction::kRecvOnly);
  EXPECT_EQ(direction_at(align_answer(answer, lines("m=audio 1 RTP/AVP 0\na=inactive\n"), std::nullopt), 0),
            Direction::kInactive);
  EXPECT_EQ(direction_at(align_answer(lines("m=audio 1 RTP/AVP 0\na=sendonly\n"), answer, std::nullopt), 0),
            Direction::kSendOnly);
}

TEST(AlignAnswer, OurOriginGoesOn) {
  const sip::SdpOrigin ours{"-", "77", 4, "IN", "IP4", "127.0.0.3"};
  const Sdp back = align_answer(clients_sdp(), alices_offer(), ours);
  EXPECT_EQ(back.origin.session_id, "77");
  EXPECT_EQ(back.origin.version, 5u);
  EXPECT_EQ(align_answer(clients_sdp(), alices_offer(), std::nullopt).origin, clients_sdp().origin);
}

}  // namespace
}  // namespace callpark::leg
