#include "parkd/leg/codec_choice.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

namespace callpark::leg {

namespace {

constexpr std::string_view kTelephoneEvent = "telephone-event";
// RFC 4733 2.4.1: the keys 0 to 9, *, # and A to D.
constexpr std::string_view kEvents = "0-15";
constexpr std::uint32_t kEventClockRate = 8000;
constexpr std::uint8_t kDynamicFirst = 96;
constexpr std::uint8_t kDynamicLast = 127;

bool same_text(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

bool is_named_opus(std::string_view name) {
  return same_text(name, "opus");
}

sip::Codec described(const PlayableCodec& codec) {
  const std::uint8_t channels = is_named_opus(codec.name) ? 2 : 1;
  return {codec.payload_type.value_or(0), codec.name, codec.clock_rate, channels, {}};
}

// Gives each codec of one m= line its number.
class PayloadTypes {
 public:
  PayloadTypes(std::vector<sip::Codec> ours, std::vector<sip::Codec> theirs)
      : ours_(std::move(ours)), theirs_(std::move(theirs)) {}

  // The number that our side has used, else the other side's, else the static one, else a new one. None if all are
  // in use.
  std::optional<std::uint8_t> assign(const sip::Codec& codec, std::optional<std::uint8_t> static_payload_type) {
    for (const auto number : {number_in(ours_, codec), number_in(theirs_, codec), static_payload_type, unused()}) {
      if (!number || !is_free(*number, codec)) continue;
      assigned_.push_back(*number);
      return number;
    }
    return std::nullopt;
  }

 private:
  static std::optional<std::uint8_t> number_in(const std::vector<sip::Codec>& codecs, const sip::Codec& wanted) {
    for (const auto& codec : codecs) {
      if (is_same_codec(codec, wanted)) return codec.payload_type;
    }
    return std::nullopt;
  }

  static bool has_number(const std::vector<sip::Codec>& codecs, std::uint8_t number) {
    return std::any_of(codecs.begin(), codecs.end(), [&](const auto& codec) { return codec.payload_type == number; });
  }

  // RFC 3264 8.3.2: "the mapping from a particular dynamic payload type number to a particular codec within that media
  // stream MUST NOT change for the duration of a session".
  bool is_free(std::uint8_t number, const sip::Codec& codec) const {
    if (std::find(assigned_.begin(), assigned_.end(), number) != assigned_.end()) return false;
    return std::none_of(ours_.begin(), ours_.end(), [&](const sip::Codec& used) {
      return used.payload_type == number && !is_same_codec(used, codec);
    });
  }

  std::optional<std::uint8_t> unused() const {
    for (std::uint8_t number = kDynamicFirst; number <= kDynamicLast; ++number) {
      const bool assigned = std::find(assigned_.begin(), assigned_.end(), number) != assigned_.end();
      if (!assigned && !has_number(ours_, number) && !has_number(theirs_, number)) return number;
    }
    return std::nullopt;
  }

  std::vector<sip::Codec> ours_;
  std::vector<sip::Codec> theirs_;
  std::vector<std::uint8_t> assigned_;
};

// In their sequence of preference. They may know more than an answer has shown, so if nothing of what they have shown
// can be played, everything is worth an offer.
std::vector<PlayableCodec> playable_for(const std::vector<sip::Codec>& shown,
                                        const std::vector<PlayableCodec>& playable) {
  std::vector<PlayableCodec> chosen;
  for (const auto& codec : shown) {
    const PlayableCodec* found = find_playable(playable, codec);
    if (found && std::find(chosen.begin(), chosen.end(), *found) == chosen.end()) chosen.push_back(*found);
  }
  return chosen.empty() ? playable : chosen;
}

// Of the events that go with the codecs of the line, as far as the other side has shown them; if it has shown others
// only, the first of those.
std::vector<std::uint32_t> event_clock_rates(const std::vector<sip::Codec>& offered,
                                             const std::vector<sip::Codec>& theirs) {
  std::vector<std::uint32_t> rates;
  for (const auto& codec : offered) {
    if (std::find(rates.begin(), rates.end(), codec.clock_rate) == rates.end()) rates.push_back(codec.clock_rate);
  }
  if (theirs.empty()) return rates;
  const auto is_unknown = [&](std::uint32_t rate) {
    const sip::Codec* shown = find_telephone_event(theirs, rate);
    return !shown || shown->clock_rate != rate;
  };
  rates.erase(std::remove_if(rates.begin(), rates.end(), is_unknown), rates.end());
  const sip::Codec* any = find_telephone_event(theirs, kEventClockRate);
  if (rates.empty() && any) rates.push_back(any->clock_rate);
  return rates;
}

}  // namespace

// RFC 7587 7: opus is always written with two channels, whatever is sent; some write none.
bool is_same_codec(const sip::Codec& left, const sip::Codec& right) {
  return same_text(left.name, right.name) && left.clock_rate == right.clock_rate &&
         (left.channels == right.channels || is_named_opus(left.name));
}

const PlayableCodec* find_playable(const std::vector<PlayableCodec>& playable, const sip::Codec& codec) {
  const auto found = std::find_if(playable.begin(), playable.end(),
                                  [&](const PlayableCodec& each) { return is_same_codec(described(each), codec); });
  return found == playable.end() ? nullptr : &*found;
}

bool is_opus(const sip::Codec& codec) {
  return is_named_opus(codec.name);
}

bool is_telephone_event(const sip::Codec& codec) {
  return same_text(codec.name, kTelephoneEvent);
}

const sip::Codec* find_telephone_event(const std::vector<sip::Codec>& codecs, std::uint32_t clock_rate) {
  const sip::Codec* any = nullptr;
  for (const auto& codec : codecs) {
    if (!is_telephone_event(codec)) continue;
    if (codec.clock_rate == clock_rate) return &codec;
    if (!any) any = &codec;
  }
  return any;
}

sip::Codec telephone_event(std::uint8_t payload_type, std::uint32_t clock_rate) {
  return {payload_type, std::string(kTelephoneEvent), clock_rate, 1, std::string(kEvents)};
}

void add_codecs(sip::SdpMedia& line, const std::vector<sip::Codec>& ours, const std::vector<sip::Codec>& theirs,
                const std::vector<PlayableCodec>& playable, const std::vector<sip::Codec>& earlier) {
  std::vector<sip::Codec> used = ours;
  used.insert(used.end(), earlier.begin(), earlier.end());
  PayloadTypes numbers(std::move(used), theirs);
  for (const auto& each : playable_for(theirs, playable)) {
    sip::Codec codec = described(each);
    const auto number = numbers.assign(codec, each.payload_type);
    if (!number) continue;
    codec.payload_type = *number;
    sip::add_codec(line, codec);
  }
  for (const std::uint32_t clock_rate : event_clock_rates(sip::codecs(line), theirs)) {
    sip::Codec events = telephone_event(0, clock_rate);
    const auto number = numbers.assign(events, std::nullopt);
    if (!number) continue;
    events.payload_type = *number;
    sip::add_codec(line, events);
  }
}

}  // namespace callpark::leg
