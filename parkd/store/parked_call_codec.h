// The JSON columns of parked_calls: dialogs, media sessions and recalls, text to struct and back.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "parkd/ports/store.h"

namespace callpark {

/// The text is not what write_... makes of any value; a sentence says why.
struct BadColumn {
  std::string why;
};

std::string write_dialog(const DialogSnapshot& dialog);
Result<DialogSnapshot, BadColumn> parse_dialog(std::string_view text);

/// Where a recall stands, and by which settings it goes on.
struct RecallColumn {
  RecallSettings settings;
  park::Ladder ladder;
  friend bool operator==(const RecallColumn&, const RecallColumn&) = default;
};
std::string write_recall(const RecallColumn& recall);
Result<RecallColumn, BadColumn> parse_recall(std::string_view text);

std::string write_media(const MediaSnapshot& media);
Result<MediaSnapshot, BadColumn> parse_media(std::string_view text);

}  // namespace callpark
