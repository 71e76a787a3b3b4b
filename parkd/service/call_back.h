// Calls parkers who cannot know where their call was parked, and tells them.
#pragma once

#include <string>
#include <unordered_map>

#include "base/event_loop.h"
#include "parkd/service/ports.h"

namespace callpark {

class CallBacks {
 public:
  /// All must outlive it.
  CallBacks(EventLoop& loop, Media& media, Legs& legs);

  /// Once: who does not answer within `ring_max`, or at all, is not called again. What is said ends after `spoken_max`.
  void call(const ParkId& park_id, ExtensionCall call, Announcement announcement, Duration ring_max,
            Duration spoken_max);
  /// There is nothing to tell any more.
  void stop(const ParkId& park_id);

  // True when it was about one of these calls.
  bool on_answered(CallId call, const MediaRemote& remote);
  bool on_gone(CallId call);
  bool on_played(const std::string& session);

 private:
  struct CallBack {
    std::string session;
    std::optional<CallId> call;  // once there is media for it
    Duration spoken_max;
    LoopHandle deadline;
  };
  void limit(const ParkId& park_id, CallBack& call_back, Duration duration);

  EventLoop& loop_;
  Media& media_;
  Legs& legs_;
  std::unordered_map<ParkId, CallBack> call_backs_;
  std::unordered_map<CallId, ParkId> park_by_call_;
  std::unordered_map<std::string, ParkId> park_by_session_;
};

}  // namespace callpark
