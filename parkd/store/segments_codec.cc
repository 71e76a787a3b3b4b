#include "parkd/store/segments_codec.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/json.h"

namespace callpark {
namespace {

constexpr JsonLimits kLimits{.bytes_max = 64 * 1024, .depth_max = 4};

// In the order of the enumerators.
constexpr std::array<std::string_view, 5> kKinds = {"talk_before", "parked", "recall", "talk_after", "hook"};
constexpr std::array<std::string_view, 4> kTargets = {"", "parker", "ring_group", "fallback"};
constexpr std::array<std::string_view, 10> kEnds = {"parked",   "recalling",       "not_taken", "retrieved",
                                                    "recalled", "gave_up",         "timed_out", "hung_up",
                                                    "allowed",  "allowed_on_error"};

template <class E, std::size_t kSize>
std::string_view name_in(const std::array<std::string_view, kSize>& names, E value) {
  return names.at(static_cast<std::size_t>(value));
}

template <class E, std::size_t kSize>
E value_of(const std::array<std::string_view, kSize>& names, const Json& json) {
  const auto found = std::find(names.begin(), names.end(), json.get<std::string>());
  if (found == names.end()) throw Json::other_error::create(501, "an unknown name", &json);
  return static_cast<E>(found - names.begin());
}

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
