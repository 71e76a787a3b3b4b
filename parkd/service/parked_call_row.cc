#include "parkd/service/parked_call_row.h"

namespace callpark {

ParkedCallRow row_of(const CallValues& call, RowState state, const Stay& stay, const park::RecallProgress& progress,
                     const ConversationSnapshot& dialogs) {
  ParkedCallRow row;
  row.park_id = call.park_id;
  row.tenant = call.tenant;
  row.orbit = stay.orbit;
  row.slot = stay.slot;
  row.state = state;
  row.parker = stay.parker;
  row.park_group = stay.park_group;
  row.music_class = stay.music_class;
  row.recall = stay.recall;
  row.recall_progress = progress;
  row.recall_deadline = stay.recall_deadline;
  row.caller = dialogs.caller;
  if (state != RowState::kRetrieved && !stay.shown_name.empty()) row.caller.remote_identity.name = stay.shown_name;
  row.peer = dialogs.peer;
  row.media = call.media;
  row.parked_at = stay.parked_at;
  row.deadline = stay.deadline;
  row.retriever = stay.retriever;
  const bool is_parkers = state == RowState::kRetrieved && !row.retriever && !stay.parker.empty();
  if (is_parkers) row.retriever = Extension{call.tenant, stay.parker};
  row.owner = call.owner;
  row.epoch = call.epoch;
  return row;
}

CallValues values_of(const ParkedCallRow& row, const std::string& node) {
  return {row.park_id, row.tenant, node, row.epoch, row.media};
}

Stay stay_of(const ParkedCallRow& row) {
  Stay stay;
  stay.parker = row.parker;
  stay.orbit = row.orbit;
  stay.slot = row.slot;
  stay.park_group = row.park_group;
  stay.music_class = row.music_class;
  stay.parked_at = row.parked_at;
  stay.deadline = row.deadline;
  stay.recall = row.recall;
  stay.recall_deadline = row.recall_deadline;
  stay.retriever = row.retriever;
  stay.caller = row.caller.remote_identity;
  stay.sip_call_id = row.caller.call_id;
  return stay;
}

// The row of an older parkd has no segment.
bool was_parked(const ParkedCallRow& row) {
  if (!row.segment) return !row.parker.empty();
  const park::SegmentKind kind = row.segment->what.kind;
  return row.state != RowState::kRetrieved ||
         (kind != park::SegmentKind::kTalkBefore && kind != park::SegmentKind::kTalk);
}

}  // namespace callpark
