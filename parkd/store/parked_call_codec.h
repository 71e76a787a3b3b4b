// Columns of parked_calls that are more than one value: dialogs, media sessions and recalls as JSON, parties as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "parkd/ports/store.h"

namespace callpark {

/// The text is not one that write_...() makes; `why` is a sentence.
struct BadColumn {
  std::string why;
};

std::string write_dialog(const DialogSnapshot& dialog);
Result<DialogSnapshot, BadColumn> parse_dialog(std::string_view text);

/// The progress of a recall, and the settings by which it goes on.
struct RecallColumn {
  RecallSettings settings;
  park::RecallProgress progress;
  friend bool operator==(const RecallColumn&, const RecallColumn&) = default;
};
std::string write_recall(const RecallColumn& recall);
Result<RecallColumn, BadColumn> parse_recall(std::string_view text);

std::string write_media(const MediaSnapshot& media);
Result<MediaSnapshot, BadColumn> parse_media(std::string_view text);

/// Column `retriever`: the number of an extension or of an outside party, "trunk NAME", or "" if there is none.
std::string write_retriever(const std::optional<Party>& retriever);
std::optional<Party> parse_retriever(const std::string& tenant, const std::string& text);

/// Virtual column `caller_uri`: the caller's URI, or "sip:102@demo.callpark" for any caller that is an extension.
std::string caller_uri_of(const DialogSnapshot& caller);
/// The extension of this tenant that the URI in `caller_uri` is, if it is one.
std::optional<Extension> extension_of_uri(const std::string& tenant, std::string_view uri);

}  // namespace callpark
