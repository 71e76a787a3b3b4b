#include "tests/support/tone.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numbers>

#include "tests/support/subprocess.h"

namespace callpark::test {
namespace {

constexpr double kAmplitude = 8000;
constexpr double kToneShare = 0.4;

double power(std::span<const int16_t> samples) {
  double sum = 0;
  for (const int16_t sample : samples) sum += static_cast<double>(sample) * sample;
  return sum;
}

template <class Number>
void append(std::string& bytes, Number number) {
  for (size_t i = 0; i < sizeof number; ++i) bytes.push_back(static_cast<char>((number >> (8 * i)) & 0xff));
}

template <class Number>
Number little_endian(const unsigned char* bytes) {
  Number number = 0;
  for (size_t i = 0; i < sizeof number; ++i) number = static_cast<Number>(number | (Number{bytes[i]} << (8 * i)));
  return number;
}

constexpr size_t kWavHeader = 44;

std::vector<int16_t> mixed_down(const std::vector<unsigned char>& bytes, size_t frames, size_t channels) {
  std::vector<int16_t> samples(frames);
  for (size_t frame = 0; frame < frames; ++frame) {
    int sum = 0;
    for (size_t channel = 0; channel < channels; ++channel) {
      sum += static_cast<int16_t>(little_endian<uint16_t>(bytes.data() + 2 * (frame * channels + channel)));
    }
    samples[frame] = static_cast<int16_t>(sum / static_cast<int>(channels));
  }
  return samples;
}

std::string wav_header(int rate, uint32_t data_bytes) {
  std::string header = "RIFF";
  append<uint32_t>(header, 36 + data_bytes);
  header += "WAVEfmt ";
  append<uint32_t>(header, 16);
  append<uint16_t>(header, 1);
  append<uint16_t>(header, 1);
  append<uint32_t>(header, static_cast<uint32_t>(rate));
  append<uint32_t>(header, static_cast<uint32_t>(rate * 2));
  append<uint16_t>(header, 2);
  append<uint16_t>(header, 16);
  header += "data";
  append<uint32_t>(header, data_bytes);
  return header;
}

}  // namespace

std::chrono::milliseconds Sound::duration() const {
  return std::chrono::milliseconds(samples.size() * 1000 / static_cast<size_t>(rate));
}

double Sound::level() const {
  return samples.empty() ? 0 : std::sqrt(power(samples) / static_cast<double>(samples.size()));
}

double Sound::share(int hz) const {
  const double total = power(samples);
  if (total == 0) return 0;
  const double step = 2 * std::numbers::pi * hz / rate;
  const double factor = 2 * std::cos(step);
  double last = 0;
  double before = 0;
  for (const int16_t sample : samples) {
    const double next = sample + factor * last - before;
    before = last;
    last = next;
  }
  const double magnitude = last * last + before * before - factor * last * before;
  return 2 * magnitude / (static_cast<double>(samples.size()) * total);
}

bool Sound::has_tone(int hz) const {
  return level() > kSilenceLevel && share(hz) > kToneShare;
}

bool Sound::has_music() const {
  if (level() <= kSilenceLevel) return false;
  for (int party = 0; party < kParties; ++party) {
    if (share(tone_hz(party)) > kToneShare) return false;
  }
  return true;
}

std::string Sound::describe() const {
  int strongest = 0;
  for (int party = 1; party < kParties; ++party) {
    if (share(tone_hz(party)) > share(tone_hz(strongest))) strongest = party;
  }
  char text[128];
  snprintf(text, sizeof text, "%lld ms of sound, level %.0f, strongest tone %d Hz (%.0f %%)",
           static_cast<long long>(duration().count()), level(), tone_hz(strongest), 100 * share(tone_hz(strongest)));
  return text;
}

// G.711 table 2a: sign, three bits of segment, four of position; the wire carries them inverted.
uint8_t encode_pcmu(int16_t sample) {
  constexpr int kBias = 132;
  const int magnitude = std::min(std::abs(static_cast<int>(sample)), 32635) + kBias;
  int segment = 7;
  while (segment > 0 && magnitude < (kBias << segment)) --segment;
  const int position = (magnitude >> (segment + 3)) & 0x0f;
  return static_cast<uint8_t>(~((sample < 0 ? 0x80 : 0) | (segment << 4) | position));
}

int16_t decode_pcmu(uint8_t code) {
  const int bits = ~code & 0xff;
  const int magnitude = ((((bits & 0x0f) << 3) + 132) << ((bits >> 4) & 7)) - 132;
  return static_cast<int16_t>((bits & 0x80) != 0 ? -magnitude : magnitude);
}

// G.711 table 1a; every second bit is inverted on the wire.
uint8_t encode_pcma(int16_t sample) {
  const int magnitude = std::min(sample < 0 ? ~static_cast<int>(sample) : static_cast<int>(sample), 32767) >> 4;
  int segment = 0;
  while (segment < 7 && (magnitude >> (segment + 5)) != 0) ++segment;
  const int position = segment == 0 ? magnitude >> 1 : (magnitude >> segment) & 0x0f;
  return static_cast<uint8_t>(((sample < 0 ? 0 : 0x80) | (segment << 4) | (position & 0x0f)) ^ 0x55);
}

int16_t decode_pcma(uint8_t code) {
  const int bits = code ^ 0x55;
  const int segment = (bits >> 4) & 7;
  const int position = ((bits & 0x0f) << 4) + 8;
  const int magnitude = segment == 0 ? position : (position + 0x100) << (segment - 1);
  return static_cast<int16_t>((bits & 0x80) != 0 ? magnitude : -magnitude);
}

std::vector<int16_t> make_tone(int hz, int rate, uint64_t first, size_t samples) {
  std::vector<int16_t> result(samples);
  for (size_t i = 0; i < samples; ++i) {
    // The phase is reduced modulo one second first, where it is exact.
    const auto phase = static_cast<double>((first + i) % static_cast<uint64_t>(rate)) * hz / rate;
    result[i] = static_cast<int16_t>(std::lround(kAmplitude * std::sin(2 * std::numbers::pi * phase)));
  }
  return result;
}

void write_tone_wav(const std::filesystem::path& path, int hz, int rate, int seconds) {
  const auto samples = make_tone(hz, rate, 0, static_cast<size_t>(rate));
  const uint32_t bytes = static_cast<uint32_t>(samples.size() * 2);
  std::string text = wav_header(rate, bytes * static_cast<uint32_t>(seconds));
  std::string second;
  for (const int16_t sample : samples) append<uint16_t>(second, static_cast<uint16_t>(sample));
  for (int i = 0; i < seconds; ++i) text += second;
  write_file(path, text);
}

Sound wav_tail(const std::filesystem::path& path, std::chrono::milliseconds window, std::chrono::milliseconds stale,
               int rate_without_header) {
  Sound sound;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return sound;
  struct stat status {};
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  unsigned char header[kWavHeader];
  const bool readable = fstat(fd, &status) == 0 && pread(fd, header, sizeof header, 0) == kWavHeader;
  const auto age_ms = (now.tv_sec - status.st_mtim.tv_sec) * 1000 + (now.tv_nsec - status.st_mtim.tv_nsec) / 1'000'000;
  if (readable && age_ms <= stale.count()) {
    const bool described = little_endian<uint16_t>(header + 34) == 16;
    const size_t channels = described ? std::max<size_t>(little_endian<uint16_t>(header + 22), 1) : 1;
    sound.rate = described ? static_cast<int>(little_endian<uint32_t>(header + 24)) : rate_without_header;
    const size_t frame = 2 * channels;
    const size_t frames = (static_cast<size_t>(status.st_size) - kWavHeader) / frame;
    const size_t wanted = std::min(frames, static_cast<size_t>(window.count() * sound.rate / 1000));
    std::vector<unsigned char> bytes(wanted * frame);
    const auto begin = static_cast<off_t>(kWavHeader + (frames - wanted) * frame);
    const ssize_t got = pread(fd, bytes.data(), bytes.size(), begin);
    sound.samples = mixed_down(bytes, got > 0 ? static_cast<size_t>(got) / frame : 0, channels);
  }
  close(fd);
  return sound;
}

}  // namespace callpark::test
