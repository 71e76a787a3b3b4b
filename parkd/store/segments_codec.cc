#include "parkd/store/segments_codec.h"

#include <array>
#include <cstdint>

#include "parkd/store/cdr_codec.h"
#include "parkd/store/enumerator_names.h"

namespace callpark {
namespace {

constexpr JsonLimits kLimits{.bytes_max = 64 * 1024, .depth_max = 4};

// In the order of the enumerators.
constexpr std::array<std::string_view, 2> kEndsOfConversation = {"caller", "peer"};
constexpr std::array<std::string_view, 6> kKinds = {"talk_before", "parked", "recall", "talk_after", "hook", "talk"};
constexpr std::array<std::string_view, 4> kTargets = {"", "parker", "ring_group", "fallback"};
constexpr std::array<std::string_view, 12> kEnds = {"parked",   "recalling",        "not_taken", "retrieved",
                                                    "recalled", "gave_up",          "timed_out", "hung_up",
                                                    "allowed",  "allowed_on_error", "caller",    "callee"};

std::int64_t milliseconds(WallTime time) {
  return time.time_since_epoch().count();
}

Json json_of(const Segment& segment) {
  Json json = {{"number", segment.number},
               {"kind", name_in(kKinds, segment.what.kind)},
               {"target", name_in(kTargets, segment.what.target)},
               {"parked_at", milliseconds(segment.parked_at)},
               {"orbit", segment.orbit},
               {"parker", segment.parker},
               {"caller_number", segment.caller_number},
               {"call_id", segment.sip_call_id},
               {"party", segment.party}};
  if (segment.began_at) json["began_at"] = milliseconds(*segment.began_at);
  if (const auto& park = segment.park_permission) {
    json["park_permission"] = {{"asked_at", milliseconds(park->asked_at)}, {"failure", park->failure}};
  }
  if (segment.cdr) {
    json["cdr"] = json_of(*segment.cdr);
    json["cdr_caller"] = name_in(kEndsOfConversation, segment.cdr_caller);
  }
  return json;
}

WallTime time_in(const Json& json) {
  return WallTime(Duration(json.get<std::int64_t>()));
}

Segment read_segment(const Json& json) {
  Segment segment;
  segment.number = json.at("number");
  segment.what = {value_of<park::SegmentKind>(kKinds, json.at("kind")),
                  value_of<park::RecallTarget>(kTargets, json.at("target"))};
  if (json.contains("began_at")) segment.began_at = time_in(json.at("began_at"));
  segment.parked_at = time_in(json.at("parked_at"));
  segment.orbit = json.at("orbit");
  segment.parker = json.at("parker");
  segment.caller_number = json.at("caller_number");
  segment.sip_call_id = json.at("call_id");
  segment.party = json.at("party");
  if (json.contains("park_permission")) {
    const Json& park = json.at("park_permission");
    segment.park_permission = HookPermission{time_in(park.at("asked_at")), park.at("failure").get<std::string>()};
  }
  if (json.contains("cdr")) {
    segment.cdr = read_cdr(json.at("cdr"));
    segment.cdr_caller = value_of<PartyEnd>(kEndsOfConversation, json.at("cdr_caller"));
  }
  return segment;
}

}  // namespace

std::string write_segment(const Segment& segment) {
  return write_json(json_of(segment));
}

Result<Segment, BadColumn> parse_segment(std::string_view text) {
  const auto json = parse_json(text, kLimits);
  if (!json) return failure(BadColumn{std::string(describe(json.error()))});
  try {
    return read_segment(*json);
  } catch (const Json::exception& error) {
    return failure(BadColumn{error.what()});
  }
}

std::string write_ended_segments(const std::vector<EndedSegment>& segments) {
  Json all = Json::array();
  for (const EndedSegment& ended : segments) {
    Json json = json_of(ended.segment);
    json["ended_at"] = milliseconds(ended.ended_at);
    json["ended"] = name_in(kEnds, ended.end);
    if (!ended.hook_failure.empty()) json["hook_failure"] = ended.hook_failure;
    all.push_back(std::move(json));
  }
  return write_json(all);
}

}  // namespace callpark
