// The JSON columns of parked_calls: dialogs and media sessions, text to struct and back.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "parkd/service/ports.h"

namespace callpark {

/// The text is not what write_... makes of any value; a sentence says why.
struct BadColumn {
  std::string why;
};

std::string write_dialog(const DialogSnapshot& dialog);
Result<DialogSnapshot, BadColumn> parse_dialog(std::string_view text);

std::string write_media(const MediaSnapshot& media);
Result<MediaSnapshot, BadColumn> parse_media(std::string_view text);

}  // namespace callpark
