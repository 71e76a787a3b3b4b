// Payload types that keep their meaning when one party's media go into the session of another.
#include "parkd/leg/payload_numbers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "parkd/leg/aligned_offer.h"
#include "parkd/leg/codec_choice.h"
#include "tests/unit/parkd/leg/sdp_texts.h"

namespace callpark::leg {
namespace {

using sip::Codec;
using sip::Sdp;

constexpr const char* kHead = "v=0\no=x 9 9 IN IP4 127.0.0.14\ns=-\nc=IN IP4 127.0.0.14\nt=0 0\n";

Sdp with_lines(const std::string& lines) {
  return sdp_of(kHead + lines);
}

PayloadNumbers numbers_of(const std::vector<Sdp>& descriptions) {
  PayloadNumbers numbers;
  for (const Sdp& sdp : descriptions) numbers.note(sdp);
  return numbers;
}

/// 96 is telephone-event, on both sides.
const Sdp& events_at_96() {
  static const Sdp sdp = with_lines("m=audio 6004 RTP/AVP 0 8 96\na=rtpmap:96 telephone-event/8000\n");
  return sdp;
}
/// 96 is opus.
const Sdp& opus_at_96() {
  static const Sdp sdp = with_lines(
      "m=audio 7004 RTP/AVP 96 0 97\na=rtpmap:96 opus/48000/2\na=fmtp:96 useinbandfec=1\na=rtcp-fb:96 nack\n"
      "a=rtpmap:97 telephone-event/8000\na=fmtp:97 0-15\n");
  return sdp;
}

Sdp offered(const Sdp& other, const Sdp& session) {
  return align_offer(other, session, session, numbers_of({session}));
}

TEST(PayloadNumbers, X11_ANumberKeepsItsMeaningInTheSession) {
  const Sdp offer = offered(opus_at_96(), events_at_96());
  EXPECT_EQ(codecs_text(offer.media[0]), "98 opus, 0 PCMU, 97 telephone-event");
  EXPECT_EQ(offer.media[0].attribute("fmtp"), "98 useinbandfec=1");
  EXPECT_EQ(offer.media[0].attribute("rtcp-fb"), "98 nack");
}

TEST(PayloadNumbers, X11_EventsGetTheNumberThatTheSessionHasForThem) {
  const Sdp session =
      with_lines("m=audio 6004 RTP/AVP 0 101 96\na=rtpmap:101 iLBC/8000\na=rtpmap:96 telephone-event/8000\n");
  const Sdp other = with_lines("m=audio 7004 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n");
  const Sdp offer = offered(other, session);
  EXPECT_EQ(codecs_text(offer.media[0]), "0 PCMU, 96 telephone-event");
  EXPECT_EQ(offer.media[0].attribute("fmtp"), "96 0-15");
}

TEST(PayloadNumbers, X11_NumbersThatDoNotCollideStay) {
  const Sdp session = with_lines("m=audio 6004 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\n");
  EXPECT_EQ(offered(opus_at_96(), session).media[0].formats, opus_at_96().media[0].formats);
  EXPECT_EQ(align_offer(opus_at_96(), std::nullopt, std::nullopt).media[0].formats, opus_at_96().media[0].formats);
}

TEST(PayloadNumbers, X11_AnEarlierMeaningCountsToo) {
  const Sdp later = with_lines("m=audio 6004 RTP/AVP 0\n");
  const Sdp offer = align_offer(opus_at_96(), later, later, numbers_of({events_at_96(), later}));
  EXPECT_EQ(codecs_text(offer.media[0]), "98 opus, 0 PCMU, 97 telephone-event");
}

TEST(PayloadNumbers, X11_VideoAndWhatRefersToItMoveTogether) {
  const Sdp session = with_lines("m=audio 1 RTP/AVP 0\nm=video 6006 RTP/AVP 97\na=rtpmap:97 VP8/90000\n");
  const Sdp other = with_lines(
      "m=audio 1 RTP/AVP 0\nm=video 7006 RTP/AVP 97 98\na=rtpmap:97 H264/90000\na=fmtp:97 profile-level-id=42801f\n"
      "a=rtpmap:98 rtx/90000\na=fmtp:98 apt=97\n");
  const Sdp offer = offered(other, session);
  EXPECT_THAT(offer.media[1].formats, testing::ElementsAre("96", "98"));
  EXPECT_EQ(offer.media[1].attribute("rtpmap"), "96 H264/90000");
  EXPECT_EQ(offer.media[1].attributes.at(3).value, "98 apt=96");
}

TEST(PayloadNumbers, X11_RedundantAudioNamesTheNewNumber) {
  const Sdp session = with_lines("m=audio 6004 RTP/AVP 0 96\na=rtpmap:96 iLBC/8000\n");
  const Sdp other = with_lines(
      "m=audio 7004 RTP/AVP 121 96 0\na=rtpmap:121 red/48000/2\na=fmtp:121 96/96\na=rtpmap:96 opus/48000/2\n");
  const Sdp offer = offered(other, session);
  EXPECT_THAT(offer.media[0].formats, testing::ElementsAre("121", "97", "0"));
  EXPECT_EQ(offer.media[0].attribute("fmtp"), "121 97/97");
}

TEST(PayloadNumbers, X11_TheMusicTakesNoNumberThatWasInUseEarlier) {
  const Sdp now = with_lines("m=audio 6004 RTP/AVP 0\n");
  const Sdp theirs = with_lines("m=audio 6004 RTP/AVP 0 96\na=rtpmap:96 opus/48000/2\n");
  const Sdp offer =
      make_music_offer(now, theirs, mediad_address(), playable_codecs(), numbers_of({events_at_96(), now}));
  for (const Codec& codec : sip::codecs(offer.media[0])) {
    EXPECT_FALSE(codec.payload_type == 96 && is_opus(codec)) << codecs_text(offer.media[0]);
  }
}

TEST(PayloadNumbers, X11_AnAnswerGivesNoNumberOfTheOfferAnotherMeaning) {
  const Sdp answer = with_lines("m=audio 6004 RTP/AVP 0 97\na=rtpmap:97 iLBC/8000\n");
  EXPECT_EQ(codecs_text(align_answer(answer, opus_at_96(), std::nullopt).media[0]), "0 PCMU");
}

TEST(PayloadNumbers, X11_AnAnswerWithNothingElseStays) {
  const Sdp answer = with_lines("m=audio 6004 RTP/AVP 97\na=rtpmap:97 iLBC/8000\n");
  EXPECT_EQ(codecs_text(align_answer(answer, opus_at_96(), std::nullopt).media[0]), "97 iLBC");
}

TEST(PayloadNumbers, X11_KnowsWhenTwoPartiesHaveDifferentNumbers) {
  const Sdp told = offered(opus_at_96(), events_at_96());
  const Sdp accepted =
      with_lines("m=audio 6004 RTP/AVP 98 97\na=rtpmap:98 opus/48000/2\na=rtpmap:97 telephone-event/8000\n");
  EXPECT_FALSE(numbers_agree(told, accepted, opus_at_96()));
  const Sdp plain = with_lines("m=audio 6004 RTP/AVP 0 97\na=rtpmap:97 telephone-event/8000\n");
  EXPECT_TRUE(numbers_agree(told, plain, opus_at_96())) << "what is not used needs no number";
  EXPECT_TRUE(numbers_agree(opus_at_96(), accepted, opus_at_96()));
}

// ---- any session, any party ----

class Chance {
 public:
  explicit Chance(std::uint32_t seed) : random_(seed) {}
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

  Sdp description() {
    static const std::vector<Codec> kKnown = {{0, "PCMU", 8000, 1, ""},
                                              {8, "PCMA", 8000, 1, ""},
                                              {0, "opus", 48000, 2, "minptime=10"},
                                              {0, "iLBC", 8000, 1, "mode=20"},
                                              {0, "telephone-event", 8000, 1, "0-15"},
                                              {0, "telephone-event", 48000, 1, "0-15"},
                                              {0, "speex", 16000, 1, ""}};
    Sdp sdp = with_lines("m=audio 7004 RTP/AVP\n");
    std::set<std::uint8_t> used;
    for (Codec codec : kKnown) {
      if (below(3) == 0) continue;
      if (codec.payload_type == 0 && codec.name != "PCMU") {
        codec.payload_type = static_cast<std::uint8_t>(96 + below(7));
      }
      if (used.insert(codec.payload_type).second) sip::add_codec(sdp.media[0], codec);
    }
    if (sdp.media[0].formats.empty()) sip::add_codec(sdp.media[0], kKnown[0]);
    return sdp;
  }

 private:
  std::mt19937 random_;
};

TEST(PayloadNumbers, X11_NoSequenceOfOffersChangesTheMeaningOfANumber) {
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chance chance(seed);
    std::optional<Sdp> ours = chance.description();
    PayloadNumbers numbers = numbers_of({*ours});
    std::map<int, Codec> meaning;
    for (const Codec& codec : sip::codecs(ours->media[0])) meaning.emplace(codec.payload_type, codec);
    for (int offer_number = 0; offer_number < 6; ++offer_number) {
      const Sdp other = chance.description();
      const bool is_music = chance.below(4) == 0;
      const Sdp offer = is_music ? make_music_offer(ours, ours, mediad_address(), playable_codecs(), numbers)
                                 : align_offer(other, ours, ours, numbers);
      std::set<int> there;
      for (const Codec& codec : sip::codecs(offer.media[0])) {
        EXPECT_TRUE(there.insert(codec.payload_type).second) << "twice";
        const auto [known, is_new] = meaning.emplace(codec.payload_type, codec);
        EXPECT_TRUE(is_new || is_same_codec(known->second, codec)) << codecs_text(offer.media[0]);
      }
      if (!is_music) {
        EXPECT_EQ(offer.media[0].formats.size(), other.media[0].formats.size()) << "nothing is lost";
      }
      EXPECT_TRUE(sip::parse_sdp(sip::write_sdp(offer)));
      numbers.note(offer);
      ours = offer;
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace callpark::leg
