#include "parkd/leg/payload_numbers.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "parkd/leg/codec_choice.h"

namespace callpark::leg {

using sip::Codec;
using sip::SdpMedia;

namespace {

using Number = std::uint8_t;
using NewNumbers = std::map<Number, std::optional<Number>>;  // none for a codec that is left out

// RFC 3551 6; RFC 5761 4 leaves 64 to 95 to RTCP, and RFC 3551 3 allows the unassigned ones when those are used up.
constexpr std::array<std::pair<Number, Number>, 2> kDynamic = {std::pair<Number, Number>{96, 127}, {35, 63}};

bool has_other_meaning(const std::vector<Codec>& used, const Codec& codec) {
  return std::any_of(used.begin(), used.end(), [&](const Codec& one) {
    return one.payload_type == codec.payload_type && !is_same_codec(one, codec);
  });
}

std::optional<Number> free_number(const std::set<Number>& taken) {
  for (const auto& [first, last] : kDynamic) {
    for (Number number = first; number <= last; ++number) {
      if (taken.count(number) == 0) return number;
    }
  }
  return std::nullopt;
}

std::optional<Number> number_of(std::string_view digits) {
  if (digits.empty() || digits.size() > 3) return std::nullopt;
  int value = 0;
  for (const char c : digits) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
    value = 10 * value + (c - '0');
  }
  return value < 128 ? std::optional(static_cast<Number>(value)) : std::nullopt;
}

std::set<Number> numbers_in(const SdpMedia& line) {
  std::set<Number> numbers;
  for (const auto& format : line.formats) {
    if (const auto number = number_of(format)) numbers.insert(*number);
  }
  return numbers;
}

NewNumbers choose(const SdpMedia& line, const std::vector<Codec>& used) {
  const std::set<Number> own = numbers_in(line);
  std::set<Number> taken = own;
  for (const Codec& one : used) taken.insert(one.payload_type);
  std::set<Number> given;
  NewNumbers chosen;
  for (const Codec& codec : sip::codecs(line)) {
    if (!has_other_meaning(used, codec)) continue;
    const auto known = std::find_if(used.begin(), used.end(), [&](const Codec& one) {
      return is_same_codec(one, codec) && own.count(one.payload_type) == 0 && given.count(one.payload_type) == 0;
    });
    const auto number = known != used.end() ? std::optional(known->payload_type) : free_number(taken);
    if (number) {
      given.insert(*number);
      taken.insert(*number);
    }
    chosen.emplace(codec.payload_type, number);
  }
  return chosen;
}

// The digits at `from`, and where they end.
std::pair<std::string_view, std::size_t> digits_at(std::string_view text, std::size_t from) {
  std::size_t end = from;
  while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
  return {text.substr(from, end - from), end};
}

// Writes the number at `from` anew. False if it is that of a codec that is left out.
bool replace_number(std::string& text, std::size_t from, const NewNumbers& chosen) {
  const auto [digits, end] = digits_at(text, from);
  const auto number = number_of(digits);
  const auto found = number ? chosen.find(*number) : chosen.end();
  if (found == chosen.end()) return true;
  if (!found->second) return false;
  text.replace(from, end - from, std::to_string(*found->second));
  return true;
}

// RFC 4588 8.1: the codec of the packets that are sent again. RFC 2198 5: the codecs of redundant audio.
bool replace_references(std::string& fmtp, const NewNumbers& chosen) {
  constexpr std::string_view kApt = "apt=";
  if (const auto apt = fmtp.find(kApt); apt != std::string::npos) {
    return replace_number(fmtp, apt + kApt.size(), chosen);
  }
  const std::size_t list = std::min(fmtp.find(' '), fmtp.size() - 1) + 1;
  if (fmtp.find_first_not_of("0123456789/", list) != std::string::npos || fmtp.find('/', list) == std::string::npos) {
    return true;
  }
  for (std::size_t at = list; at < fmtp.size(); ++at) {
    if (!replace_number(fmtp, at, chosen)) return false;
    at = digits_at(fmtp, at).second;
  }
  return true;
}

bool begins_with_number(std::string_view attribute) {
  constexpr std::array<std::string_view, 5> kNames = {"rtpmap", "fmtp", "rtcp-fb", "imageattr", "framesize"};
  return std::find(kNames.begin(), kNames.end(), attribute) != kNames.end();
}

SdpMedia with(const SdpMedia& line, const NewNumbers& chosen) {
  if (chosen.empty()) return line;
  SdpMedia result = line;
  result.formats.clear();
  for (std::string format : line.formats) {
    if (replace_number(format, 0, chosen)) result.formats.push_back(std::move(format));
  }
  result.attributes.clear();
  for (sip::SdpAttribute attribute : line.attributes) {
    bool stays = true;
    if (attribute.value && begins_with_number(attribute.name)) {
      if (attribute.name == "fmtp") stays = replace_references(*attribute.value, chosen);
      stays = stays && replace_number(*attribute.value, 0, chosen);
    }
    if (stays) result.attributes.push_back(std::move(attribute));
  }
  return result;
}

std::optional<Number> number_for(const std::vector<Codec>& codecs, const Codec& wanted) {
  for (const Codec& one : codecs) {
    if (is_same_codec(one, wanted)) return one.payload_type;
  }
  return std::nullopt;
}

std::vector<Codec> audio_codecs(const sip::Sdp& sdp) {
  const SdpMedia* line = sip::audio(sdp);
  return line ? sip::codecs(*line) : std::vector<Codec>{};
}

}  // namespace

void PayloadNumbers::note(const sip::Sdp& sdp) {
  if (lines_.size() < sdp.media.size()) lines_.resize(sdp.media.size());
  for (std::size_t index = 0; index < sdp.media.size(); ++index) {
    std::vector<Codec>& line = lines_[index];
    for (Codec& codec : sip::codecs(sdp.media[index])) {
      const bool is_known = std::any_of(line.begin(), line.end(),
                                        [&](const Codec& one) { return one.payload_type == codec.payload_type; });
      if (!is_known) line.push_back(std::move(codec));
    }
  }
}

const std::vector<Codec>& PayloadNumbers::at(std::size_t line) const {
  static const std::vector<Codec> kNone;
  return line < lines_.size() ? lines_[line] : kNone;
}

SdpMedia renumbered(const SdpMedia& line, const std::vector<Codec>& used) {
  SdpMedia result = with(line, choose(line, used));
  return result.formats.empty() ? line : result;
}

SdpMedia without_conflicts(const SdpMedia& line, const std::vector<Codec>& used) {
  NewNumbers dropped;
  bool has_sound = false;
  for (const Codec& codec : sip::codecs(line)) {
    if (has_other_meaning(used, codec)) {
      dropped.emplace(codec.payload_type, std::nullopt);
    } else {
      has_sound = has_sound || !is_telephone_event(codec);
    }
  }
  return has_sound ? with(line, dropped) : line;
}

bool numbers_agree(const sip::Sdp& told, const sip::Sdp& uses, const sip::Sdp& own) {
  const auto told_codecs = audio_codecs(told);
  const auto own_codecs = audio_codecs(own);
  for (const Codec& codec : audio_codecs(uses)) {
    const auto here = number_for(told_codecs, codec);
    const auto there = number_for(own_codecs, codec);
    if (here && there && *here != *there) return false;
  }
  return true;
}

}  // namespace callpark::leg
