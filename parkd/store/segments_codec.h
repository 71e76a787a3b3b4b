// The segments of a call in its row as JSON. The triggers of parked_calls read the ended ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parkd/call/segment.h"
#include "parkd/store/parked_call_codec.h"

namespace callpark {

std::string write_segment(const Segment& segment);
Result<Segment, BadColumn> parse_segment(std::string_view text);

/// An array. A segment that has ended has two more members, `ended_at` and `ended`, and `hook_failure` if it has one.
std::string write_ended_segments(const std::vector<EndedSegment>& segments);

}  // namespace callpark
