// The body of a lamp: application/dialog-info+xml (RFC 4235) with exactly one dialog.
#pragma once

#include <optional>
#include <string>

#include "parkd/presence/shown_party.h"
#include "parkd/ports/presence_store.h"

namespace callpark::presence {

inline constexpr std::string_view kDialogInfoType = "application/dialog-info+xml";
/// With this every dialog id of parkd's begins, so that its publications are known from Kamailio's own.
inline constexpr std::string_view kDialogIdPrefix = "park-";

enum class DialogState { kEarly, kConfirmed, kTerminated };

/// What one lamp shows.
struct DialogInfo {
  Presentity presentity;
  std::string dialog_id;  // the same from the beginning of one park to its end
  DialogState state = DialogState::kTerminated;
  std::string display;               // the presentity's own name
  bool renders_media = true;         // false: he hears music
  std::optional<ShownParty> remote;  // the parked caller
  friend bool operator==(const DialogInfo&, const DialogInfo&) = default;
};

std::string_view name_of(DialogState state);

/// The version is 0: Kamailio counts for each watcher. Call-ID and tags are no dialog's: who watches a lamp shall not
/// learn what he would need to send requests inside the call.
std::string write_dialog_info(const DialogInfo& info);

}  // namespace callpark::presence
