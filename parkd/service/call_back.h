// Calls parkers back that cannot know the orbit of their call, and plays the orbit to them.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "parkd/service/service_ports.h"

namespace callpark {

struct CallBack {
  Extension parker;
  std::string display;  // of the number that calls
  std::string number;   // dialled by a phone that calls back
  Announcement announcement;
  Duration ring_max;      // a parker that does not answer is not called again
  Duration duration_max;  // of the announcement
};

class CallBacks {
 public:
  explicit CallBacks(const ServicePorts& ports) : ports_(ports) {}

  /// Calls once. A second call-back for the same call replaces the first.
  void start(const ParkId& park_id, CallBack call_back);
  /// The call has left its orbit.
  void stop(const ParkId& park_id);

  // True if the report is about one of these calls.
  bool on_answered(CallId call, const std::optional<MediaRemote>& remote);
  bool on_gone(CallId call);
  bool on_played(const std::string& session);

 private:
  struct Started {
    std::string session;
    Duration duration_max;
    std::optional<CallId> call;  // once its media session is open
    LoopHandle deadline;
  };
  void on_media_opened(const std::string& session, const CallBack& call_back,
                       Result<MediaSnapshot, MediaUnavailable> opened);
  void limit(const ParkId& park_id, Started& started, Duration duration);

  const ServicePorts ports_;
  std::unordered_map<ParkId, Started> started_;
  std::unordered_map<CallId, ParkId> park_by_call_;
  std::unordered_map<std::string, ParkId> park_by_session_;
};

}  // namespace callpark
