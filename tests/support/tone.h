// Sound as tests need it: every party sends a tone of its own, and a Goertzel filter finds which party's tone is in
// what another party hears. With it G.711 (ITU-T G.711) and the WAV files that the phones play and record.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace callpark::test {

/// The tone of the n-th party, in Hz: apart enough to separate them in 100 ms of sound, all below 3.4 kHz.
constexpr int tone_hz(int party) {
  return 400 + 130 * party;
}
constexpr int kParties = 16;

/// A stretch of mono sound.
struct Sound {
  int rate = 8000;
  std::vector<int16_t> samples;

  [[nodiscard]] std::chrono::milliseconds duration() const;
  /// Root mean square, 0 .. 32768.
  [[nodiscard]] double level() const;
  /// How much of the power is at `hz`: 1 for that tone alone, about 0 when it is not there.
  [[nodiscard]] double share(int hz) const;
  /// Whether `hz` is there with at least 0.4 of the power: alone, or one of two voices mixed.
  [[nodiscard]] bool has_tone(int hz) const;
  /// Sound that is none of the parties' tones: music or speech.
  [[nodiscard]] bool has_music() const;
  /// For failures: the level and the strongest tone.
  [[nodiscard]] std::string describe() const;
};

/// Anything quieter than this (comfort noise, G.711's idle code) is silence.
constexpr double kSilenceLevel = 40;

[[nodiscard]] uint8_t encode_pcmu(int16_t sample);
[[nodiscard]] int16_t decode_pcmu(uint8_t code);
[[nodiscard]] uint8_t encode_pcma(int16_t sample);
[[nodiscard]] int16_t decode_pcma(uint8_t code);

/// `samples` of a sine of amplitude 8000, beginning with sample number `first`.
[[nodiscard]] std::vector<int16_t> make_tone(int hz, int rate, uint64_t first, size_t samples);

/// A 16-bit mono WAV file of `seconds` of the tone.
void write_tone_wav(const std::filesystem::path& path, int hz, int rate, int seconds);

/// The last `window` of a 16-bit WAV file that may still be growing, mixed down to mono. Empty when there is no such
/// file or it has not grown for `stale`, that is, when nothing is being heard. Some writers fill in the header only at
/// the end; until then the file is treated as mono of `rate_without_header`.
[[nodiscard]] Sound wav_tail(const std::filesystem::path& path, std::chrono::milliseconds window,
                             std::chrono::milliseconds stale, int rate_without_header = 8000);

}  // namespace callpark::test
