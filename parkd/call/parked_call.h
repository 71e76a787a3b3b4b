// A row of parked_calls.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "parkd/call/dialog_snapshot.h"
#include "parkd/call/ids.h"
#include "parkd/call/media.h"
#include "parkd/call/segment.h"
#include "parkd/call/stay.h"
#include "parkd/park/types.h"

namespace callpark {

using park::RowState;

struct ParkedCallRow {
  ParkId park_id;
  std::string tenant;
  std::string orbit;  // "" of a call that holds none (kRetrieved)
  int slot = 0;
  RowState state = RowState::kAdopting;
  std::string parker;       // number of the extension that parked the call
  std::string park_group;   // "" unless the call was parked in a group
  std::string music_class;  // "": a ringback tone
  RecallSettings recall;
  park::RecallProgress recall_progress;
  WallTime recall_deadline;  // when its next step is due, or when the ringing of the present one ends
  DialogSnapshot caller;
  std::optional<DialogSnapshot> peer;  // kRetrieved: the retriever's dialog; else the parker's
  std::optional<MediaSnapshot> media;
  WallTime parked_at;
  WallTime deadline;                         // end of a call that is not retrieved
  std::optional<Party> retriever;            // the last one to win the call
  std::string owner;                         // node
  std::uint64_t epoch = 0;                   // rises when another node adopts the call
  std::optional<Segment> segment;            // the open one; nothing in the row of an older parkd
  std::vector<EndedSegment> ended_segments;  // to be recorded by the write of the row; a row that is read has none
};

}  // namespace callpark
