#include "mediad/prompts/wav_reader.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <optional>

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

// Where a file's samples are.
struct Layout {
  Format format;
  std::size_t data_at = 0;
  std::size_t data_bytes = 0;
  std::size_t frame_bytes() const { return 2 * format.channels; }
};

/// Returns `count` bytes, or fewer at the end.
using ReadAt = std::function<std::string(std::size_t at, std::size_t count)>;

// Longer format chunks have only extensions behind.
constexpr std::size_t kFormatBytesMax = 64;

Result<Layout, std::string> find_data(std::size_t file_bytes, const ReadAt& read) {
  const std::string head = read(0, 12);
  if (head.size() < 12 || head.substr(0, 4) != "RIFF" || head.substr(8, 4) != "WAVE") {
    return failure(std::string("is not a WAV file"));
  }
  std::optional<Format> format;
  std::size_t at = 12;
  while (at + 8 <= file_bytes) {
    const std::string chunk = read(at, 8);
    if (chunk.size() < 8) break;  // the file has become shorter meanwhile
    // A recorder that was interrupted leaves a size beyond the end; the data that exists is played.
    const std::size_t size = std::min<std::size_t>(little_endian(chunk, 4, 4), file_bytes - at - 8);
    if (chunk.substr(0, 4) == "fmt ") {
      auto parsed = parse_format(read(at + 8, std::min(size, kFormatBytesMax)));
      if (!parsed) return failure(parsed.error());
      format = *parsed;
    } else if (chunk.substr(0, 4) == "data") {
      if (!format) return failure(std::string("has no format before its data"));
      Layout layout{*format, at + 8, size};
      if (size < layout.frame_bytes()) return failure(std::string("holds no sound"));
      return layout;
    }
    at += 8 + size + size % 2;
  }
  return failure(std::string("holds no sound"));
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

// A file and the layout of its samples.
struct OpenedWav {
  std::ifstream file;
  Layout layout;
};

std::string read_bytes(std::ifstream& file, std::size_t at, std::size_t count) {
  std::string bytes(count, '\0');
  file.clear();
  file.seekg(static_cast<std::streamoff>(at));
  file.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

Result<OpenedWav, std::string> open_wav(const std::string& path) {
  OpenedWav opened{std::ifstream(path, std::ios::binary | std::ios::ate), {}};
  if (!opened.file) return failure(std::string("cannot be read: ") + std::strerror(errno));
  const auto size = opened.file.tellg();
  if (size < 0) return failure(std::string("cannot be read"));
  if (static_cast<std::size_t>(size) > kFileBytesMax) return failure(std::string("is larger than 256 MB"));
  auto layout = find_data(static_cast<std::size_t>(size),
                          [&opened](std::size_t at, std::size_t count) { return read_bytes(opened.file, at, count); });
  if (!layout) return failure(std::move(layout.error()));
  opened.layout = *layout;
  return opened;
}

Result<Pcm, std::string> read_samples(OpenedWav& opened, std::size_t bytes_max) {
  const Layout& layout = opened.layout;
  const std::string data = read_bytes(opened.file, layout.data_at, std::min(layout.data_bytes, bytes_max));
  Pcm pcm = to_pcm(layout.format, data);
  if (pcm.samples.empty()) return failure(std::string("cannot be read"));
  return pcm;
}

}  // namespace

Result<Pcm, std::string> parse_wav(std::string_view bytes) {
  const auto layout = find_data(bytes.size(), [bytes](std::size_t at, std::size_t count) {
    return std::string(at < bytes.size() ? bytes.substr(at, count) : std::string_view());
  });
  if (!layout) return failure(layout.error());
  return to_pcm(layout->format, bytes.substr(layout->data_at, layout->data_bytes));
}

Result<Pcm, std::string> read_wav(const std::string& path) {
  auto opened = open_wav(path);
  if (!opened) return failure(std::move(opened.error()));
  return read_samples(*opened, opened->layout.data_bytes);
}

Result<WavBeginning, std::string> read_wav_beginning(const std::string& path, int seconds_max) {
  auto opened = open_wav(path);
  if (!opened) return failure(std::move(opened.error()));
  const Layout& layout = opened->layout;
  const std::size_t bytes_max = static_cast<std::size_t>(seconds_max) * layout.format.rate_hz * layout.frame_bytes();
  auto pcm = read_samples(*opened, bytes_max);
  if (!pcm) return failure(std::move(pcm.error()));
  return WavBeginning{*std::move(pcm), layout.data_bytes <= bytes_max};
}

std::optional<std::string> fault_of_wav(const std::string& path) {
  auto opened = open_wav(path);
  return opened ? std::nullopt : std::optional(std::move(opened.error()));
}

}  // namespace callpark::media
