#include "parkd/message/sdp_codecs.h"

#include <array>
#include <optional>
#include <utility>

#include "parkd/message/characters.h"
#include "parkd/message/scanner.h"

namespace callpark::sip {
namespace {

struct StaticPayloadType {
  std::uint8_t payload_type;
  std::string_view name;
  std::uint32_t clock_rate;
  std::uint8_t channels = 1;
};

// RFC 3551 6, tables 4 and 5.
constexpr auto kStaticPayloadTypes = std::to_array<StaticPayloadType>({
    {0, "PCMU", 8000},   {3, "GSM", 8000},   {4, "G723", 8000},   {5, "DVI4", 8000},     {6, "DVI4", 16000},
    {7, "LPC", 8000},    {8, "PCMA", 8000},  {9, "G722", 8000},   {10, "L16", 44100, 2}, {11, "L16", 44100},
    {12, "QCELP", 8000}, {13, "CN", 8000},   {14, "MPA", 90000},  {15, "G728", 8000},    {16, "DVI4", 11025},
    {17, "DVI4", 22050}, {18, "G729", 8000}, {25, "CelB", 90000}, {26, "JPEG", 90000},   {28, "nv", 90000},
    {31, "H261", 90000}, {32, "MPV", 90000}, {33, "MP2T", 90000}, {34, "H263", 90000},
});

std::optional<std::uint8_t> payload_type(std::string_view format) noexcept {
  const auto value = number(format);
  if (!value || *value >= 128) return std::nullopt;
  return static_cast<std::uint8_t>(*value);
}

/// "96 opus/48000/2" -> everything of the codec but its fmtp.
std::optional<Codec> parse_rtpmap(std::string_view value) {
  const auto type = payload_type(next_word(value));
  value = trimmed(value);
  const std::size_t slash = value.find('/');
  if (!type || slash == std::string_view::npos || slash == 0) return std::nullopt;
  const std::string_view name = value.substr(0, slash);
  value.remove_prefix(slash + 1);
  const std::size_t second = value.find('/');
  const auto clock_rate = number(value.substr(0, second));
  const auto channels =
      second == std::string_view::npos ? std::optional<std::uint32_t>(1) : number(value.substr(second + 1));
  if (!clock_rate || !channels || *channels > 255) return std::nullopt;
  return Codec{*type, std::string(name), *clock_rate, static_cast<std::uint8_t>(*channels), {}};
}

using CodecTable = std::array<std::optional<Codec>, 128>;

CodecTable described_codecs(const SdpMedia& media) {
  CodecTable table;
  for (const StaticPayloadType& known : kStaticPayloadTypes) {
    table[known.payload_type] =
        Codec{known.payload_type, std::string(known.name), known.clock_rate, known.channels, {}};
  }
  std::array<std::string_view, 128> fmtp;
  for (const SdpAttribute& attribute : media.attributes) {
    if (!attribute.value) continue;
    if (attribute.name == "rtpmap") {
      if (auto codec = parse_rtpmap(*attribute.value)) table[codec->payload_type] = std::move(codec);
    } else if (attribute.name == "fmtp") {
      std::string_view value = *attribute.value;
      if (const auto type = payload_type(next_word(value))) fmtp[*type] = trimmed(value);
    }
  }
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i]) table[i]->fmtp = fmtp[i];
  }
  return table;
}

}  // namespace

std::vector<Codec> codecs(const SdpMedia& media) {
  std::vector<Codec> list;
  if (media.protocol.find("RTP/") == std::string::npos) return list;
  CodecTable table = described_codecs(media);
  for (const std::string& format : media.formats) {
    const auto type = payload_type(format);
    if (!type || !table[*type]) continue;
    list.push_back(std::move(*table[*type]));
    table[*type].reset();
  }
  return list;
}

void add_codec(SdpMedia& media, const Codec& codec) {
  const std::string type = std::to_string(codec.payload_type);
  media.formats.push_back(type);
  std::string map = type + " " + codec.name + "/" + std::to_string(codec.clock_rate);
  if (codec.channels != 1) map += "/" + std::to_string(codec.channels);
  media.attributes.push_back({"rtpmap", std::move(map)});
  if (!codec.fmtp.empty()) media.attributes.push_back({"fmtp", type + " " + codec.fmtp});
}

}  // namespace callpark::sip
