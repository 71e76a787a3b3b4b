// What RFC 3264 wants of every offer and answer, tried on some thousand sessions made up by chance from fixed seeds.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <tuple>

#include "parkd/leg/aligned_offer.h"
#include "tests/unit/parkd/leg/sdp_texts.h"

namespace callpark::leg {
namespace {

using sip::Direction;
using sip::Sdp;
using sip::SdpMedia;

constexpr std::uint32_t kSessions = 3000;

/// Makes up descriptions. The two of one session agree in number and type of lines and in nothing else.
class Chance {
 public:
  explicit Chance(std::uint32_t seed) : random_(seed) {}

  std::uint32_t below(std::uint32_t bound) {
    return std::uniform_int_distribution<std::uint32_t>(0, bound - 1)(random_);
  }
  bool one_in(std::uint32_t n) { return below(n) == 0; }
  template <class T>
  T any_of(const std::vector<T>& choices) {
    return choices[below(static_cast<std::uint32_t>(choices.size()))];
  }

  std::vector<std::string> types() {
    std::vector<std::string> result;
    const auto count = below(5);
    for (std::uint32_t i = 0; i < count; ++i) {
      result.push_back(any_of<std::string>({"audio", "audio", "video", "image", "application"}));
    }
    return result;
  }

  Sdp description(const std::vector<std::string>& types) {
    Sdp sdp;
    sdp.origin = {"-", std::to_string(below(100000)), below(1000000), "IN", "IP4", "127.0.0.20"};
    if (!one_in(5)) sdp.connection = connection();
    if (one_in(6)) sdp.attributes.push_back({any_direction(), std::nullopt});
    for (const auto& type : types) {
      sdp.media.push_back(line(type));
      if (!sdp.connection || one_in(6)) sdp.media.back().connection = connection();
    }
    return sdp;
  }

  std::vector<PlayableCodec> playable() {
    std::vector<PlayableCodec> result;
    for (const auto& codec : playable_codecs()) {
      if (!one_in(3)) result.push_back(codec);
    }
    return result.empty() ? playable_codecs() : result;
  }

  template <class T>
  std::optional<T> perhaps(T value) {
    return one_in(5) ? std::nullopt : std::optional<T>(std::move(value));
  }

 private:
  sip::SdpConnection connection() {
    return {"IN", "IP4", any_of<std::string>({"127.0.0.21", "127.0.0.22", "127.0.0.21", "0.0.0.0", "host.example"})};
  }

  std::string any_direction() { return any_of<std::string>({"sendrecv", "sendonly", "recvonly", "inactive"}); }

  SdpMedia line(const std::string& type) {
    SdpMedia line;
    line.media = type;
    line.port = one_in(4) ? std::uint16_t{0} : static_cast<std::uint16_t>(1024 + below(60000));
    line.protocol = any_of<std::string>({"RTP/AVP", "RTP/AVP", "RTP/AVP", "RTP/AVPF", "RTP/SAVP", "UDP/TLS/RTP/SAVPF"});
    if (type == "audio") {
      add_audio_codecs(line);
    } else {
      line.formats = {std::to_string(96 + below(32))};
    }
    if (one_in(2)) line.attributes.push_back({any_direction(), std::nullopt});
    return line;
  }

  void add_audio_codecs(SdpMedia& line) {
    std::set<std::uint8_t> used;
    const auto count = 1 + below(6);
    for (std::uint32_t i = 0; i < count; ++i) {
      sip::Codec codec = any_of<sip::Codec>({{0, "PCMU", 8000, 1, ""},
                                             {8, "pcma", 8000, 1, ""},
                                             {9, "G722", 8000, 1, ""},
                                             {18, "G729", 8000, 1, ""},
                                             {0, "opus", 48000, 2, "useinbandfec=1"},
                                             {0, "iLBC", 8000, 1, "mode=20"},
                                             {0, "telephone-event", 8000, 1, "0-15"},
                                             {0, "telephone-event", 48000, 1, "0-15"}});
      const bool dynamic = codec.payload_type == 0 && codec.name != "PCMU";
      if (dynamic || one_in(8)) codec.payload_type = static_cast<std::uint8_t>(96 + below(6));
      if (used.insert(codec.payload_type).second) sip::add_codec(line, codec);
    }
  }

  std::mt19937 random_;
};

using CodecKey = std::tuple<std::string, std::uint32_t>;

CodecKey key_of(const sip::Codec& codec) {
  std::string name = codec.name;
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return {name, codec.clock_rate};
}

std::map<int, CodecKey> numbers_of(const SdpMedia& line) {
  std::map<int, CodecKey> numbers;
  for (const auto& codec : sip::codecs(line)) numbers[codec.payload_type] = key_of(codec);
  return numbers;
}

void expect_well_formed(const Sdp& sdp) {
  const auto again = sip::parse_sdp(sip::write_sdp(sdp));
  EXPECT_TRUE(again) << sip::write_sdp(sdp);
  if (again) {
    EXPECT_EQ(*again, sdp);
  }
  for (const auto& line : sdp.media) {
    EXPECT_FALSE(line.formats.empty());
    const std::set<std::string> formats(line.formats.begin(), line.formats.end());
    EXPECT_EQ(formats.size(), line.formats.size()) << "a payload type is there twice";
  }
}

void expect_continues(const Sdp& next, const Sdp& previous) {
  auto origin = next.origin;
  EXPECT_GT(origin.version, previous.origin.version);
  origin.version = previous.origin.version;
  EXPECT_EQ(origin, previous.origin);
}

void expect_lines_kept(const Sdp& next, const Sdp& previous) {
  ASSERT_GE(next.media.size(), previous.media.size());
  for (std::size_t i = 0; i < previous.media.size(); ++i) EXPECT_EQ(next.media[i].media, previous.media[i].media);
}

void expect_answers(const Sdp& answer, const Sdp& offer) {
  ASSERT_EQ(answer.media.size(), offer.media.size());
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    EXPECT_EQ(answer.media[i].media, offer.media[i].media);
    if (offer.media[i].port == 0) {
      EXPECT_EQ(answer.media[i].port, 0);
    }
  }
}

class OfferAnswerProperty : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  template <class Try>
  static void for_each_session(Try attempt) {
    for (std::uint32_t i = 0; i < kSessions; ++i) {
      const std::uint32_t seed = GetParam() * kSessions + i;
      SCOPED_TRACE("seed " + std::to_string(seed));
      Chance chance(seed);
      attempt(chance);
      if (::testing::Test::HasFailure()) return;
    }
  }
};

TEST_P(OfferAnswerProperty, AMusicOfferFitsTheSession) {
  for_each_session([](Chance& chance) {
    const auto types = chance.types();
    const auto ours = chance.perhaps(chance.description(types));
    const auto theirs = chance.perhaps(chance.description(types));
    const Sdp offer = make_music_offer(ours, theirs, mediad_address(), chance.playable());
    expect_well_formed(offer);
    std::size_t active = 0;
    for (const auto& line : offer.media) active += line.port != 0 ? 1 : 0;
    EXPECT_EQ(active, 1u);
    const SdpMedia* audio = sip::audio(offer);
    ASSERT_TRUE(audio && audio->port == mediad_address().port);
    EXPECT_FALSE(sip::codecs(*audio).empty());
    const auto index = static_cast<std::size_t>(audio - offer.media.data());
    if (theirs) expect_lines_kept(offer, *theirs);
    if (!ours) return;
    expect_lines_kept(offer, *ours);
    expect_continues(offer, *ours);
    if (index >= ours->media.size()) return;
    const auto before = numbers_of(ours->media[index]);
    for (const auto& [number, codec] : numbers_of(*audio)) {
      const auto used = before.find(number);
      if (used == before.end()) continue;
      EXPECT_EQ(used->second, codec) << "number " << number << " has changed its meaning";
    }
  });
}

TEST_P(OfferAnswerProperty, MusicCanBeOfferedAgainAndAgain) {
  for_each_session([](Chance& chance) {
    const auto types = chance.types();
    const Sdp theirs = chance.description(types);
    const Sdp first = make_music_offer(chance.description(types), theirs, mediad_address(), playable_codecs());
    const Sdp second = make_music_offer(first, theirs, mediad_address(), playable_codecs());
    expect_continues(second, first);
    EXPECT_EQ(second.media, first.media);
  });
}

TEST_P(OfferAnswerProperty, AMediaAnswerFitsItsOffer) {
  for_each_session([](Chance& chance) {
    const Sdp offer = chance.description(chance.types());
    const auto made = answer_with_media(offer, mediad_address(), chance.playable(), std::nullopt);
    if (!made) return;
    expect_well_formed(made->answer);
    expect_answers(made->answer, offer);
    const SdpMedia* audio = sip::audio(made->answer);
    ASSERT_TRUE(audio && audio->port != 0);
    const SdpMedia& offered = offer.media[static_cast<std::size_t>(audio - made->answer.media.data())];
    EXPECT_EQ(audio->protocol, offered.protocol);
    const auto numbers = numbers_of(offered);
    for (const auto& [number, codec] : numbers_of(*audio)) EXPECT_EQ(numbers.at(number), codec);
    EXPECT_EQ(made->remote.remote.port, offered.port);
    // The offerer reads the same out of it that we put in.
    const auto seen = read_answer(offer, made->answer);
    if (seen) {
      EXPECT_EQ(seen->codec.payload_type, made->remote.codec.payload_type);
    }
  });
}

TEST_P(OfferAnswerProperty, WhatIsOfferedOnwardsFitsTheSessionAndItsAnswerTheOffer) {
  for_each_session([](Chance& chance) {
    const auto types = chance.types();
    const auto ours = chance.perhaps(chance.description(types));
    const auto theirs = chance.perhaps(chance.description(types));
    const Sdp alices = chance.description(chance.types());
    const Sdp offer = align_offer(alices, ours, theirs);
    if (!offer.media.empty() && offer.connection) expect_well_formed(offer);
    if (ours) {
      expect_lines_kept(offer, *ours);
      expect_continues(offer, *ours);
    }
    if (theirs) expect_lines_kept(offer, *theirs);

    Sdp answer = chance.description({});
    if (!answer.connection) answer.connection = {"IN", "IP4", "127.0.0.21"};
    // Each line accepted on the port it was offered with, which shows afterwards where it came from; some refused.
    std::set<std::uint16_t> refused;
    for (const auto& line : offer.media) {
      answer.media.push_back(line);
      if (chance.one_in(4)) refused.insert(std::exchange(answer.media.back().port, std::uint16_t{0}));
    }
    const Sdp back = align_answer(answer, alices, std::nullopt);
    expect_well_formed(back);
    expect_answers(back, alices);
    for (std::size_t i = 0; i < alices.media.size(); ++i) {
      if (refused.count(alices.media[i].port) > 0) continue;
      EXPECT_EQ(back.media[i].port, alices.media[i].port);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Seeds, OfferAnswerProperty, ::testing::Range(0u, 4u));

}  // namespace
}  // namespace callpark::leg
