#include "parkd/service/announcer.h"

#include <utility>

#include "base/random.h"

namespace callpark {

void Announcer::announce(CallId call, Announcement announcement, Calls::Answer answer, Duration duration_max,
                         Done done) {
  stop(call);
  const std::string session = "announcement-" + random_token(16);
  Playing& playing = playing_[call];
  playing.session = session;
  playing.done = std::move(done);
  playing.deadline = ports_.loop.after(duration_max, [this, call] { finish(call); });
  calls_by_session_.emplace(session, call);
  ports_.media.open(session, std::move(announcement), std::nullopt,
                    [this, call, session, answer](Result<MediaSnapshot, MediaUnavailable> opened) {
                      if (calls_by_session_.count(session) == 0) return;  // stopped meanwhile
                      if (!opened) return finish(call);
                      const auto remote = ports_.calls.answer_with_media(call, opened->local, answer);
                      if (!remote) return finish(call);
                      if (remote->remote.port != 0) ports_.media.connect(session, *remote);
                    });
}

void Announcer::connect(CallId call, const MediaRemote& remote) {
  const auto found = playing_.find(call);
  if (found != playing_.end()) ports_.media.connect(found->second.session, remote);
}

void Announcer::stop(CallId call) {
  const auto node = playing_.extract(call);
  if (node.empty()) return;
  calls_by_session_.erase(node.mapped().session);
  ports_.media.close(node.mapped().session);
}

bool Announcer::on_played(const std::string& session) {
  const auto found = calls_by_session_.find(session);
  if (found == calls_by_session_.end()) return false;
  finish(found->second);
  return true;
}

void Announcer::finish(CallId call) {
  const auto found = playing_.find(call);
  if (found == playing_.end()) return;
  const Done done = std::move(found->second.done);
  stop(call);
  done();
}

}  // namespace callpark
