// The body of a lamp: application/dialog-info+xml (RFC 4235) with exactly one dialog.
#pragma once

#include <optional>
#include <string>

#include "parkd/ports/presence_store.h"
#include "parkd/presence/shown_party.h"

namespace callpark::presence {

inline constexpr std::string_view kDialogInfoType = "application/dialog-info+xml";
/// Begins each dialog id of parkd's, and so distinguishes parkd's publications from Kamailio's own.
inline constexpr std::string_view kDialogIdPrefix = "park-";

enum class DialogState { kEarly, kConfirmed, kTerminated };

/// The state of one lamp.
struct DialogInfo {
  Presentity presentity;
  std::string dialog_id;  // the same from the beginning of one park to its end
  DialogState state = DialogState::kTerminated;
  std::string display;               // the presentity's own name
  bool renders_media = true;         // false while the caller hears music
  std::optional<ShownParty> remote;  // the parked caller
  friend bool operator==(const DialogInfo&, const DialogInfo&) = default;
};

std::string_view name_of(DialogState state);

/// The version is 0: Kamailio counts for each watcher. Call-ID and tags are made up: a watcher must not learn those
/// with which it could send requests inside the call.
std::string write_dialog_info(const DialogInfo& info);

}  // namespace callpark::presence
