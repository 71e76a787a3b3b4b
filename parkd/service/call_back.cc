#include "parkd/service/call_back.h"

#include <utility>

#include "base/random.h"

namespace callpark {

void CallBacks::start(const ParkId& park_id, CallBack call_back) {
  stop(park_id);
  const std::string session = "call-back-" + random_token(16);
  Started& started = started_[park_id];
  started.session = session;
  started.duration_max = call_back.duration_max;
  park_by_session_.emplace(session, park_id);
  Play play = call_back.announcement;
  ports_.media.open(session, std::move(play), std::nullopt,
                    [this, session, call_back = std::move(call_back)](Result<MediaSnapshot, MediaUnavailable> opened) {
                      on_media_opened(session, call_back, std::move(opened));
                    });
}

void CallBacks::on_media_opened(const std::string& session, const CallBack& call_back,
                                Result<MediaSnapshot, MediaUnavailable> opened) {
  const auto found = park_by_session_.find(session);
  if (found == park_by_session_.end()) return;  // stopped meanwhile
  const ParkId id = found->second;
  if (!opened) return stop(id);
  Started& started = started_.at(id);
  started.call =
      ports_.calls.start({.tenant = call_back.parker.tenant,
                          .number = call_back.parker.number,
                          .from = OutgoingCall::FromParkd{call_back.display, call_back.number, opened->local}});
  park_by_call_.emplace(*started.call, id);
  limit(id, started, call_back.ring_max);
}

void CallBacks::limit(const ParkId& park_id, Started& started, Duration duration) {
  started.deadline = ports_.loop.after(duration, [this, park_id] { stop(park_id); });
}

void CallBacks::stop(const ParkId& park_id) {
  const auto node = started_.extract(park_id);
  if (node.empty()) return;
  const Started& started = node.mapped();
  ports_.media.close(started.session);
  park_by_session_.erase(started.session);
  if (started.call && park_by_call_.erase(*started.call) != 0) ports_.calls.hang_up(*started.call);
}

bool CallBacks::on_answered(CallId call, const std::optional<MediaRemote>& remote) {
  const auto found = park_by_call_.find(call);
  if (found == park_by_call_.end()) return false;
  Started& started = started_.at(found->second);
  limit(found->second, started, started.duration_max);
  if (remote) ports_.media.connect(started.session, *remote);
  return true;
}

bool CallBacks::on_gone(CallId call) {
  const auto node = park_by_call_.extract(call);
  if (node.empty()) return false;
  stop(node.mapped());
  return true;
}

bool CallBacks::on_played(const std::string& session) {
  const auto found = park_by_session_.find(session);
  if (found == park_by_session_.end()) return false;
  stop(ParkId(found->second));
  return true;
}

}  // namespace callpark
