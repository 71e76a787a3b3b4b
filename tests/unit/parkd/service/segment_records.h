// The records of the fake outside: what table park_segments would have.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "parkd/call/ids.h"
#include "parkd/call/segment.h"

namespace callpark {

class SegmentRecords {
 public:
  /// As the table: a segment that is there stays as it is.
  void record(const ParkId& id, const std::vector<EndedSegment>& ended) {
    for (const EndedSegment& one : ended) {
      const auto [place, is_new] = calls_[id].try_emplace(one.segment.number, one);
      EXPECT_TRUE(is_new || place->second == one) << words(id) << ": another segment " << one.segment.number;
    }
  }
  bool has(const ParkId& id) const { return calls_.count(id) != 0; }

  /// "talk_before parked, parked 60 retrieved, talk_after 30 hung_up": with whole seconds where they are known.
  std::string words(const ParkId& id) const {
    static const char* const kKinds[] = {"talk_before", "parked", "recall", "talk_after", "hook"};
    static const char* const kEnds[] = {"parked",  "recalling", "not_taken", "retrieved", "recalled",
                                        "gave_up", "timed_out", "hung_up",   "allowed",   "allowed_on_error"};
    std::string text;
    if (!has(id)) return text;
    for (const auto& [number, ended] : calls_.at(id)) {
      text += (text.empty() ? "" : ", ") + std::string(kKinds[static_cast<std::size_t>(ended.segment.what.kind)]);
      if (!ended.segment.party.empty()) text += " " + ended.segment.party;
      if (ended.segment.began_at) text += " " + std::to_string(seconds_of(ended));
      text += " " + std::string(kEnds[static_cast<std::size_t>(ended.end)]);
      if (!ended.hook_failure.empty()) text += " " + ended.hook_failure;
    }
    return text;
  }
  /// The number of segments in which the hook was asked.
  int hooks() const {
    int count = 0;
    for (const auto& [id, segments] : calls_) {
      for (const auto& [number, ended] : segments) count += ended.segment.what.kind == park::SegmentKind::kHook ? 1 : 0;
    }
    return count;
  }
  /// Numbers without gaps, times without gaps, a last one that the call has ended with, and a hook only before what it
  /// permits.
  void expect_complete() const {
    for (const auto& [id, segments] : calls_) {
      int number = 0;
      const EndedSegment* before = nullptr;
      for (const auto& [key, ended] : segments) {
        EXPECT_EQ(key, ++number) << id.text() << ": " << words(id);
        if (before) {
          EXPECT_EQ(ended.segment.began_at, before->ended_at) << words(id);
        } else {
          EXPECT_EQ(ended.segment.what.kind, park::SegmentKind::kTalkBefore) << words(id);
        }
        EXPECT_TRUE(!ended.segment.began_at || *ended.segment.began_at <= ended.ended_at) << words(id);
        expect_permits(id, before, ended);
        before = &ended;
      }
      const bool is_over = before->end == park::SegmentEnd::kGaveUp || before->end == park::SegmentEnd::kTimedOut ||
                           before->end == park::SegmentEnd::kHungUp;
      EXPECT_TRUE(is_over) << id.text() << ": " << words(id);
    }
  }

 private:
  void expect_permits(const ParkId& id, const EndedSegment* before, const EndedSegment& ended) const {
    const bool is_hook = ended.segment.what.kind == park::SegmentKind::kHook;
    const bool is_allowed = ended.end == park::SegmentEnd::kAllowed || ended.end == park::SegmentEnd::kAllowedOnError;
    EXPECT_EQ(is_hook, is_allowed) << words(id);
    EXPECT_EQ(ended.end == park::SegmentEnd::kAllowedOnError, !ended.hook_failure.empty()) << words(id);
    if (is_hook) {
      EXPECT_TRUE(before && (before->end == park::SegmentEnd::kParked || before->end == park::SegmentEnd::kRetrieved))
          << words(id);
      EXPECT_FALSE(ended.segment.party.empty()) << words(id);
    }
    if (before && before->segment.what.kind == park::SegmentKind::kHook) {
      const bool is_permitted = ended.segment.what.kind == park::SegmentKind::kParked ||
                                ended.segment.what.kind == park::SegmentKind::kTalkAfter;
      EXPECT_TRUE(is_permitted) << words(id);
    }
  }
  static long seconds_of(const EndedSegment& ended) {
    using std::chrono::milliseconds;
    return std::chrono::duration_cast<milliseconds>(ended.ended_at - *ended.segment.began_at).count() / 1000;
  }

  std::map<ParkId, std::map<int, EndedSegment>> calls_;
};

}  // namespace callpark
