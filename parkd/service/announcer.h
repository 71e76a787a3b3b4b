// Plays announcements to feature calls: opens a media session, answers the call with it (183 or 200), and reports the
// end.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "parkd/service/service_ports.h"

namespace callpark {

class Announcer {
 public:
  using Done = std::function<void()>;

  explicit Announcer(const ServicePorts& ports) : ports_(ports) {}

  /// `done` is called once: when the announcement has been played, when `duration_max` is over, or when it cannot be
  /// played (no mediad, no codec in common). Not after stop(). A second announcement to the call replaces the first.
  void announce(CallId call, Announcement announcement, Calls::Answer answer, Duration duration_max, Done done);
  /// Where the call receives from here on, if an announcement plays to it.
  void connect(CallId call, const MediaRemote& remote);
  /// The call is over, or needs no announcement any more.
  void stop(CallId call);
  /// True if the session is one of the announcer's.
  bool on_played(const std::string& session);

 private:
  struct Playing {
    std::string session;
    Done done;
    LoopHandle deadline;
  };
  void finish(CallId call);

  const ServicePorts ports_;
  std::unordered_map<CallId, Playing> playing_;
  std::unordered_map<std::string, CallId> calls_by_session_;
};

}  // namespace callpark
