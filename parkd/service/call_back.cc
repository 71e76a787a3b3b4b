#include "parkd/service/call_back.h"

#include <utility>

#include "base/random.h"

namespace callpark {

CallBacks::CallBacks(EventLoop& loop, Media& media, Legs& legs) : loop_(loop), media_(media), legs_(legs) {}

void CallBacks::call(const ParkId& park_id, ExtensionCall call, Announcement announcement, Duration ring_max,
                     Duration spoken_max) {
  stop(park_id);
  const std::string session = "tell-" + random_token(16);
  CallBack& call_back = call_backs_[park_id];
  call_back.session = session;
  call_back.spoken_max = spoken_max;
  park_by_session_.emplace(session, park_id);
  media_.open(session, std::move(announcement), std::nullopt,
              [this, session, ring_max, call = std::move(call)](Result<MediaSnapshot, MediaUnavailable> opened) {
                const auto found = park_by_session_.find(session);
                if (found == park_by_session_.end()) return;  // stopped meanwhile
                const ParkId id = found->second;
                if (!opened) return stop(id);
                CallBack& waiting = call_backs_.at(id);
                waiting.call = legs_.call_extension(call, opened->local);
                park_by_call_.emplace(*waiting.call, id);
                limit(id, waiting, ring_max);
              });
}

void CallBacks::limit(const ParkId& park_id, CallBack& call_back, Duration duration) {
  call_back.deadline = loop_.after(duration, [this, park_id] { stop(park_id); });
}

void CallBacks::stop(const ParkId& park_id) {
  const auto node = call_backs_.extract(park_id);
  if (node.empty()) return;
  const CallBack& call_back = node.mapped();
  media_.close(call_back.session);
  park_by_session_.erase(call_back.session);
  if (call_back.call && park_by_call_.erase(*call_back.call) != 0) legs_.hang_up(*call_back.call);
}

bool CallBacks::on_answered(CallId call, const MediaRemote& remote) {
  const auto found = park_by_call_.find(call);
  if (found == park_by_call_.end()) return false;
  CallBack& call_back = call_backs_.at(found->second);
  limit(found->second, call_back, call_back.spoken_max);
  media_.connect(call_back.session, remote);
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
