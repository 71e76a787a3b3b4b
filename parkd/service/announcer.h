// Speaks to feature calls: opens a media session, answers the call with it (183 or 200), and says when all is spoken.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "base/event_loop.h"
#include "parkd/service/ports.h"

namespace callpark {

class Announcer {
 public:
  using Done = std::function<void()>;

  /// All must outlive the announcer.
  Announcer(EventLoop& loop, Media& media, Legs& legs);

  /// Speaks to `call`; `done` comes once, when all is spoken, when `spoken_max` is over, or when there is no way to
  /// speak (no mediad, no codec in common). Not after stop().
  void say(CallId call, Announcement announcement, Legs::Answer answer, Duration spoken_max, Done done);
  /// The call is over or nobody listens any more.
  void stop(CallId call);
  /// True when the session was one of the announcer's.
  bool on_played(const std::string& session);

 private:
  struct Speech {
    std::string session;
    Done done;
    LoopHandle deadline;
  };
  void finish(CallId call);

  EventLoop& loop_;
  Media& media_;
  Legs& legs_;
  std::unordered_map<CallId, Speech> speeches_;
  std::unordered_map<std::string, CallId> calls_by_session_;
};

}  // namespace callpark
