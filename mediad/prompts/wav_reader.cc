#include "mediad/prompts/wav_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace callpark::media {
namespace {

constexpr std::size_t kFileBytesMax = 256 * 1024 * 1024;
// A program that writes to a pipe cannot know the size: 0xFFFFFFFF, or a little less than 2 GB (sox).
constexpr std::size_t kUnknownSizeMin = 0x7FFF'0000;
constexpr int kRateMinHz = 8000;
constexpr int kRateMaxHz = 48'000;
constexpr sf_count_t kBlockFrames = 4096;
// Longer format chunks have only extensions behind.
constexpr std::size_t kFormatBytesMax = 64;

constexpr unsigned kPcm = 1;
constexpr unsigned kFloat = 3;
constexpr unsigned kALaw = 6;
constexpr unsigned kMuLaw = 7;
constexpr unsigned kExtensible = 0xFFFE;

struct EncodingName {
  unsigned encoding;
  std::string_view name;
};
constexpr std::array kOtherEncodings = {EncodingName{0x02, "ADPCM"}, EncodingName{0x11, "ADPCM"},
                                        EncodingName{0x31, "GSM"},   EncodingName{0x50, "MPEG"},
                                        EncodingName{0x55, "MP3"},   EncodingName{0x83, "G.729"}};

unsigned little_endian(std::string_view bytes, std::size_t at, std::size_t count) {
  unsigned value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::string encoding_text(unsigned encoding) {
  const auto found = std::find_if(kOtherEncodings.begin(), kOtherEncodings.end(),
                                  [&](const EncodingName& known) { return known.encoding == encoding; });
  return found != kOtherEncodings.end() ? std::string(found->name) : fmt::format("{:#06x}", encoding);
}

bool is_supported(unsigned encoding, unsigned bits) {
  if (encoding == kPcm) return bits == 8 || bits == 16 || bits == 24 || bits == 32;
  if (encoding == kFloat) return bits == 32 || bits == 64;
  return (encoding == kALaw || encoding == kMuLaw) && bits == 8;
}

std::optional<std::string> fault_of_format(std::string_view chunk) {
  if (chunk.size() < 16) return "has a format chunk that is too short";
  unsigned encoding = little_endian(chunk, 0, 2);
  if (encoding == kExtensible && chunk.size() >= 26) encoding = little_endian(chunk, 24, 2);
  const unsigned channels = little_endian(chunk, 2, 2);
  const unsigned rate_hz = little_endian(chunk, 4, 4);
  const unsigned bits = little_endian(chunk, 14, 2);
  if (!is_supported(encoding, bits)) {
    if (encoding == kPcm || encoding == kFloat || encoding == kALaw || encoding == kMuLaw) {
      return fmt::format("has {} bits a sample; 8, 16, 24 and 32 bit PCM, float, A-law and mu-law can be played", bits);
    }
    return fmt::format("is encoded in {}; PCM, float, A-law and mu-law can be played", encoding_text(encoding));
  }
  if (channels < 1 || channels > 2) return fmt::format("has {} channels and not one or two", channels);
  if (rate_hz < kRateMinHz || rate_hz > kRateMaxHz) {
    return fmt::format("has {} Hz, which is not between {} and {}", rate_hz, kRateMinHz, kRateMaxHz);
  }
  return std::nullopt;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  /// Returns `count` bytes, or fewer at the end.
  std::string read_at(std::size_t at, std::size_t count) const {
    std::string bytes(count, '\0');
    const auto got = pread(fd_, bytes.data(), count, static_cast<off_t>(at));
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }

 private:
  int fd_;
};

// libsndfile plays what is there of a file that was cut off, and reports nothing.
std::optional<std::string> fault_of_data(std::size_t declared, std::size_t available) {
  if (declared == 0 || available == 0) return "holds no sound";
  if (declared > available && declared < kUnknownSizeMin) {
    return fmt::format("is cut off: {} bytes of its sound are there, and {} are missing", available,
                       declared - available);
  }
  return std::nullopt;
}

std::optional<std::string> fault_of_chunks(const Descriptor& file, std::size_t file_bytes) {
  const std::string head = file.read_at(0, 12);
  if (head.size() < 12 || head.substr(0, 4) != "RIFF" || head.substr(8, 4) != "WAVE") return "is not a WAV file";
  bool has_format = false;
  for (std::size_t at = 12; at + 8 <= file_bytes;) {
    const std::string chunk = file.read_at(at, 8);
    if (chunk.size() < 8) break;  // the file has become shorter meanwhile
    const std::size_t size = little_endian(chunk, 4, 4);
    if (chunk.substr(0, 4) == "fmt ") {
      if (auto fault = fault_of_format(file.read_at(at + 8, std::min(size, kFormatBytesMax)))) return fault;
      has_format = true;
    } else if (chunk.substr(0, 4) == "data") {
      if (!has_format) return "has no format before its data";
      return fault_of_data(size, file_bytes - at - 8);
    }
    at += 8 + size + size % 2;
  }
  return "holds no sound";
}

struct SoundCloser {
  void operator()(SNDFILE* sound) const { sf_close(sound); }
};

// A file with a good header.
struct OpenedWav {
  Descriptor file;
  std::unique_ptr<SNDFILE, SoundCloser> sound;
  SF_INFO info{};
};

Result<OpenedWav, std::string> open_wav(const std::string& path) {
  // A pipe would be waited for.
  OpenedWav opened{Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), nullptr};
  struct stat status {};
  if (opened.file.get() < 0 || fstat(opened.file.get(), &status) != 0) {
    return failure(fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  if (!S_ISREG(status.st_mode)) return failure(std::string("is not a file"));
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return failure(std::string("is empty"));
  if (size > kFileBytesMax) return failure(std::string("is larger than 256 MB"));
  if (auto fault = fault_of_chunks(opened.file, size)) return failure(*std::move(fault));
  opened.sound.reset(sf_open_fd(opened.file.get(), SFM_READ, &opened.info, SF_FALSE));
  if (!opened.sound) return failure(fmt::format("cannot be decoded: {}", sf_strerror(nullptr)));
  if (opened.info.frames <= 0) return failure(std::string("holds no sound"));
  return opened;
}

std::int16_t sample_of(float value) {
  if (!std::isfinite(value)) return 0;
  return static_cast<std::int16_t>(std::lrint(std::clamp(value * 32768.0F, -32768.0F, 32767.0F)));
}

Result<Pcm, std::string> read_frames(OpenedWav& opened, sf_count_t frames_max) {
  const auto channels = static_cast<std::size_t>(opened.info.channels);
  sf_count_t left = std::min(opened.info.frames, frames_max);
  Pcm pcm{opened.info.samplerate, {}};
  pcm.samples.reserve(static_cast<std::size_t>(left));
  std::vector<float> block(static_cast<std::size_t>(kBlockFrames) * channels);
  while (left > 0) {
    const sf_count_t count = sf_readf_float(opened.sound.get(), block.data(), std::min(left, kBlockFrames));
    if (count <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(count) * channels; at += channels) {
      pcm.samples.push_back(sample_of(channels == 2 ? (block[at] + block[at + 1]) / 2 : block[at]));
    }
    left -= count;
  }
  if (pcm.samples.empty()) return failure(std::string("cannot be read"));
  return pcm;
}

}  // namespace

Result<Pcm, std::string> read_wav(const std::string& path) {
  auto opened = open_wav(path);
  if (!opened) return failure(std::move(opened.error()));
  return read_frames(*opened, opened->info.frames);
}

Result<WavBeginning, std::string> read_wav_beginning(const std::string& path, int seconds_max) {
  auto opened = open_wav(path);
  if (!opened) return failure(std::move(opened.error()));
  const sf_count_t frames_max = sf_count_t{seconds_max} * opened->info.samplerate;
  auto pcm = read_frames(*opened, frames_max);
  if (!pcm) return failure(std::move(pcm.error()));
  return WavBeginning{*std::move(pcm), opened->info.frames <= frames_max};
}

std::optional<std::string> fault_of_wav(const std::string& path) {
  auto opened = open_wav(path);
  return opened ? std::nullopt : std::optional(std::move(opened.error()));
}

}  // namespace callpark::media
