#include "parkd/store/parked_call_columns.h"

#include <stdexcept>
#include <utility>

#include "parkd/store/parked_call_codec.h"
#include "parkd/store/segments_codec.h"

namespace callpark {
namespace {

using Value = DatabaseConnection::Value;
using Row = DatabaseConnection::Row;

RowState state_of(std::string_view name) {
  for (const RowState state : {RowState::kAdopting, RowState::kParked, RowState::kRetrieving}) {
    if (name == name_of(state)) return state;
  }
  return RowState::kRetrieved;
}

std::int64_t milliseconds(WallTime time) {
  return time.time_since_epoch().count();
}

std::string text(const Row& row, std::size_t column) {
  return row.at(column).value_or("");
}

std::int64_t integer(const Row& row, std::size_t column) {
  return row.at(column) ? std::stoll(*row.at(column)) : 0;
}

template <class T>
T or_throw(Result<T, BadColumn> parsed) {
  if (!parsed) throw std::runtime_error(parsed.error().why);
  return std::move(*parsed);
}

}  // namespace

std::string name_of(RowState state) {
  switch (state) {
    case RowState::kAdopting:
      return "adopting";
    case RowState::kParked:
      return "parked";
    case RowState::kRetrieving:
      return "retrieving";
    case RowState::kRetrieved:
      return "retrieved";
  }
  return "";
}

// Times go in and out as milliseconds since 1970, so that neither side parses the other's text.
const char* const kParkedCallColumns =
    "park_id, tenant, orbit, slot, state, parker, retriever, music_class, caller_dialog, peer_dialog, media, "
    "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', parked_at) DIV 1000, "
    "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', deadline) DIV 1000, owner, epoch, park_group, "
    "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', recall_deadline) DIV 1000, recall, segment";

ParkedCallRow parked_call_of(const Row& row) {
  ParkedCallRow call;
  call.park_id = ParkId(text(row, 0));
  call.tenant = text(row, 1);
  call.orbit = text(row, 2);
  call.slot = static_cast<int>(integer(row, 3));
  call.state = state_of(text(row, 4));
  call.parker = text(row, 5);
  call.retriever = parse_retriever(call.tenant, text(row, 6));
  call.music_class = text(row, 7);
  call.caller = or_throw(parse_dialog(text(row, 8)));
  if (row.at(9)) call.peer = or_throw(parse_dialog(*row.at(9)));
  if (row.at(10)) call.media = or_throw(parse_media(*row.at(10)));
  call.parked_at = WallTime(Duration(integer(row, 11)));
  call.deadline = WallTime(Duration(integer(row, 12)));
  call.owner = text(row, 13);
  call.epoch = static_cast<std::uint64_t>(integer(row, 14));
  call.park_group = text(row, 15);
  call.recall_deadline = WallTime(Duration(integer(row, 16)));
  if (row.at(17)) {
    const auto recall = or_throw(parse_recall(*row.at(17)));
    call.recall = recall.settings;
    call.recall_progress = recall.progress;
  }
  if (row.at(18)) call.segment = or_throw(parse_segment(*row.at(18)));
  return call;
}

const char* const kWrittenNames =
    "tenant, orbit, slot, parker, music_class, caller_dialog, peer_dialog, media, parked_at, deadline, park_group, "
    "recall_deadline, recall_attempts, recall, segment, ended_segments, owner, epoch, operation_id";

const char* const kWrittenPlaces =
    "?, ?, ?, ?, ?, ?, ?, ?, TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), "
    "TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), ?, TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), "
    "?, ?, ?, ?, ?, ?, ?";

const char* const kWrittenColumns =
    "tenant = ?, orbit = ?, slot = ?, parker = ?, music_class = ?, caller_dialog = ?, peer_dialog = ?, media = ?, "
    "parked_at = TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), "
    "deadline = TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), park_group = ?, "
    "recall_deadline = TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), recall_attempts = ?, recall = ?, segment = "
    "?, "
    "ended_segments = ?, owner = ?, epoch = ?, operation_id = ?";

std::vector<Value> written_values(const ParkedCallRow& row, const RowOwner& owner, const std::string& operation_id) {
  const bool holds_orbit = row.state != RowState::kRetrieved;
  const bool is_recalled = holds_orbit && row.recall.mode != park::RecallMode::kOff;
  return {row.tenant,
          holds_orbit ? Value(row.orbit) : Value(nullptr),
          holds_orbit ? Value(std::int64_t{row.slot}) : Value(nullptr),
          row.parker,
          row.music_class,
          write_dialog(row.caller),
          row.peer ? Value(write_dialog(*row.peer)) : Value(nullptr),
          row.media ? Value(write_media(*row.media)) : Value(nullptr),
          milliseconds(row.parked_at),
          milliseconds(row.deadline),
          holds_orbit && !row.park_group.empty() ? Value(row.park_group) : Value(nullptr),
          is_recalled ? Value(milliseconds(row.recall_deadline)) : Value(nullptr),
          std::int64_t{row.recall_progress.attempts},
          is_recalled ? Value(write_recall({row.recall, row.recall_progress})) : Value(nullptr),
          row.segment ? Value(write_segment(*row.segment)) : Value(nullptr),
          row.ended_segments.empty() ? Value(nullptr) : Value(write_ended_segments(row.ended_segments)),
          owner.node,
          owner.epoch,
          operation_id};
}

CallChange call_change(const std::string& tenant, const std::string& orbit, const std::string& park_group,
                       const std::string& caller_uri, const std::optional<Party>& retriever) {
  CallChange change{tenant, orbit, park_group, extension_of_uri(tenant, caller_uri), std::nullopt};
  const Extension* const extension = retriever ? extension_in(*retriever) : nullptr;
  if (extension) change.retriever = *extension;
  return change;
}

CallChange call_change(const ParkedCallRow& row) {
  return call_change(row.tenant, row.orbit, row.park_group, caller_uri_of(row.caller), row.retriever);
}

}  // namespace callpark
