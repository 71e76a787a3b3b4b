// The records of the fake outside: what the tables park_segments and cdrs would have.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "parkd/call/ids.h"
#include "parkd/call/segment.h"

namespace callpark {

class SegmentRecords {
 public:
  /// As the tables: what is there stays as it is.
  void record(const ParkId& id, const std::vector<EndedSegment>& ended) {
    for (const EndedSegment& one : ended) {
      const bool is_talk = one.segment.what.kind == park::SegmentKind::kTalk;
      EXPECT_EQ(is_talk, one.segment.cdr.has_value());
      if (is_talk) enter(id, one.segment.number, *one.segment.cdr, *one.segment.began_at, one.ended_at, end_of(one));
      if (is_talk && one.end != park::SegmentEnd::kParked) continue;
      const auto [place, is_new] = calls_[id].try_emplace(one.segment.number, one);
      EXPECT_TRUE(is_new || place->second == one) << words(id) << ": another segment " << one.segment.number;
    }
  }
  bool has(const ParkId& id) const { return calls_.count(id) != 0; }
  /// The CDR of a part of a call: 0 is its time in menus.
  void enter(const ParkId& id, int part, const Cdr& cdr, WallTime began_at, WallTime ended_at, const std::string& end) {
    static const char* const kDirections[] = {"incoming", "outgoing", "internal"};
    static const char* const kKinds[] = {"extension", "trunk", "ring_group", "ivr_menu", "announcement"};
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(ended_at - began_at).count();
    if (!entered_.try_emplace({id, part}, Entered{began_at, ended_at, end}).second) return;
    cdrs.push_back(cdr);
    cdr_words += (cdr_words.empty() ? "" : ", ") + std::string(kDirections[static_cast<int>(cdr.direction())]) + " " +
                 kKinds[static_cast<int>(cdr.callee_kind)] + " " + cdr.callee_number + " " + std::to_string(seconds) +
                 " " + end;
  }
  /// "incoming ivr_menu 400 12 connected, incoming extension 102 60 caller": with whole seconds.
  std::string cdr_words;
  std::vector<Cdr> cdrs;

  /// "talk_before parked, parked 60 retrieved, talk_after 30 hung_up": with whole seconds where they are known.
  std::string words(const ParkId& id) const {
    static const char* const kKinds[] = {"talk_before", "parked", "recall", "talk_after", "hook", "talk_before"};
    std::string text;
    if (!has(id)) return text;
    for (const auto& [number, ended] : calls_.at(id)) {
      text += (text.empty() ? "" : ", ") + std::string(kKinds[static_cast<std::size_t>(ended.segment.what.kind)]);
      if (!ended.segment.party.empty()) text += " " + ended.segment.party;
      if (ended.segment.began_at) text += " " + std::to_string(seconds_of(ended));
      text += " " + end_of(ended);
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
  /// permits. Of a menu that has connected its caller, the CDR of the talk.
  void expect_complete() const {
    for (const auto& [key, entered] : entered_) {
      EXPECT_LE(entered.began_at, entered.ended_at) << cdr_words;
      if (entered.end != "connected") continue;
      const auto talk = entered_.find({key.first, 1});
      ASSERT_NE(talk, entered_.end()) << cdr_words;
      EXPECT_EQ(talk->second.began_at, entered.ended_at) << cdr_words;
    }
    for (const auto& [id, segments] : calls_) {
      int number = 0;
      const EndedSegment* before = nullptr;
      for (const auto& [key, ended] : segments) {
        EXPECT_EQ(key, ++number) << id.text() << ": " << words(id);
        if (before) {
          EXPECT_EQ(ended.segment.began_at, before->ended_at) << words(id);
        } else {
          const auto kind = ended.segment.what.kind;
          EXPECT_TRUE(kind == park::SegmentKind::kTalkBefore || kind == park::SegmentKind::kTalk) << words(id);
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
  static std::string end_of(const EndedSegment& ended) {
    static const char* const kEnds[] = {"parked",   "recalling",        "not_taken", "retrieved",
                                        "recalled", "gave_up",          "timed_out", "hung_up",
                                        "allowed",  "allowed_on_error", "caller",    "callee"};
    return kEnds[static_cast<std::size_t>(ended.end)];
  }
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
  struct Entered {
    WallTime began_at;
    WallTime ended_at;
    std::string end;
  };
  std::map<std::pair<ParkId, int>, Entered> entered_;
};

}  // namespace callpark
