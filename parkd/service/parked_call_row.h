// A call as its row: made from the call's values at the moment of writing, and read again by an adopting node. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "parkd/call/parked_call.h"
#include "parkd/call/stay.h"
#include "parkd/ports/conversations.h"

namespace callpark {

/// What a row holds of a call besides its stay and its dialogs.
struct CallValues {
  ParkId park_id;
  std::string tenant;
  std::string owner;        // node
  std::uint64_t epoch = 0;  // rises when another node adopts the call
  std::optional<MediaSnapshot> media;
};

/// A call that talks without a retriever is the parker's again: its first park failed after it was adopted.
ParkedCallRow row_of(const CallValues& call, RowState state, const Stay& stay, const park::RecallProgress& progress,
                     const ConversationSnapshot& dialogs);

/// The call of a row as `node` adopts it.
CallValues values_of(const ParkedCallRow& row, const std::string& node);
Stay stay_of(const ParkedCallRow& row);
/// False of a call that only talks: from a menu, or after a first park that has failed.
bool was_parked(const ParkedCallRow& row);

}  // namespace callpark
