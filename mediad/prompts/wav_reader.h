// Reads WAV files through libsndfile: 8, 16, 24 or 32 bit PCM, float, A-law or mu-law, one or two channels (mixed to
// one), 8 to 48 kHz.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "mediad/prompts/pcm.h"

namespace callpark::media {

/// The error is the rest of a sentence that begins with the file's name ("is not a WAV file"). Blocks on the disk, as
/// do the functions below.
Result<Pcm, std::string> read_wav(const std::string& path);

struct WavBeginning {
  Pcm pcm;
  /// False if the file is longer.
  bool is_whole = false;
};
/// Reads the first `seconds_max` seconds only.
Result<WavBeginning, std::string> read_wav_beginning(const std::string& path, int seconds_max);

/// Returns the error of read_wav() as far as the chunk headers show it, which are all that is read; nothing if the file
/// holds sound.
std::optional<std::string> fault_of_wav(const std::string& path);

}  // namespace callpark::media
