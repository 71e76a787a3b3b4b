#include "mediad/prompts/wav_reader.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

namespace callpark::media {
namespace {

constexpr std::size_t kFileBytesMax = 256 * 1024 * 1024;
constexpr unsigned kFormatPcm = 1;
constexpr unsigned kFormatExtensible = 0xFFFE;

unsigned little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  unsigned value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

struct Format {
  unsigned channels = 0;
  unsigned rate_hz = 0;
};

Result<Format, std::string> parse_format(std::string_view chunk) {
  if (chunk.size() < 16) return failure(std::string("has a format chunk that is too short"));
  unsigned encoding = little_endian(chunk, 0, 2);
  if (encoding == kFormatExtensible && chunk.size() >= 26) encoding = little_endian(chunk, 24, 2);
  const Format format{little_endian(chunk, 2, 2), little_endian(chunk, 4, 4)};
  if (encoding != kFormatPcm || little_endian(chunk, 14, 2) != 16) return failure(std::string("is not 16 bit PCM"));
  if (format.channels < 1 || format.channels > 2) return failure(std::string("has neither one nor two channels"));
  if (format.rate_hz < 8000 || format.rate_hz > 48000) return failure(std::string("is not between 8 and 48 kHz"));
  return format;
}

std::int16_t sample_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::int16_t>(little_endian(bytes, at, 2));
}

Pcm to_pcm(const Format& format, std::string_view data) {
  Pcm pcm{static_cast<int>(format.rate_hz), {}};
  const std::size_t frame_bytes = 2 * format.channels;
  pcm.samples.reserve(data.size() / frame_bytes);
  for (std::size_t at = 0; at + frame_bytes <= data.size(); at += frame_bytes) {
    const int left = sample_at(data, at);
    const int right = format.channels == 2 ? sample_at(data, at + 2) : left;
    pcm.samples.push_back(static_cast<std::int16_t>((left + right) / 2));
  }
  return pcm;
}

}  // namespace

Result<Pcm, std::string> parse_wav(std::string_view bytes) {
  if (bytes.size() < 12 || bytes.substr(0, 4) != "RIFF" || bytes.substr(8, 4) != "WAVE") {
    return failure(std::string("is not a WAV file"));
  }
  std::optional<Format> format;
  std::size_t at = 12;
  while (at + 8 <= bytes.size()) {
    const std::string_view name = bytes.substr(at, 4);
    // A recorder that was interrupted leaves a size beyond the end; the data that exists is played.
    const std::size_t size = std::min<std::size_t>(little_endian(bytes, at + 4, 4), bytes.size() - at - 8);
    const std::string_view chunk = bytes.substr(at + 8, size);
    if (name == "fmt ") {
      auto parsed = parse_format(chunk);
      if (!parsed) return failure(parsed.error());
      format = *parsed;
    } else if (name == "data") {
      if (!format) return failure(std::string("has no format before its data"));
      Pcm pcm = to_pcm(*format, chunk);
      if (pcm.samples.empty()) return failure(std::string("holds no sound"));
      return pcm;
    }
    at += 8 + size + size % 2;
  }
  return failure(std::string("holds no sound"));
}

Result<Pcm, std::string> read_wav(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return failure(std::string("cannot be read: ") + std::strerror(errno));
  const auto size = file.tellg();
  if (size < 0) return failure(std::string("cannot be read"));
  if (static_cast<std::size_t>(size) > kFileBytesMax) return failure(std::string("is larger than 256 MB"));
  std::string bytes(static_cast<std::size_t>(size), '\0');
  file.seekg(0);
  if (!file.read(bytes.data(), size)) return failure(std::string("cannot be read"));
  return parse_wav(bytes);
}

}  // namespace callpark::media
