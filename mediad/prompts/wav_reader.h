// Reads WAV files: 16 bit PCM, one or two channels (mixed to one), 8 to 48 kHz.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "mediad/prompts/pcm.h"

namespace callpark::media {

/// The error is the rest of a sentence that begins with the file's name ("is not a WAV file").
Result<Pcm, std::string> parse_wav(std::string_view bytes);
/// Blocks on the disk.
Result<Pcm, std::string> read_wav(const std::string& path);

}  // namespace callpark::media
