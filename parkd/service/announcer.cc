#include "parkd/service/announcer.h"

#include <utility>

#include "base/random.h"

namespace callpark {

Announcer::Announcer(EventLoop& loop, Media& media, Legs& legs) : loop_(loop), media_(media), legs_(legs) {}

void Announcer::say(CallId call, Announcement announcement, Legs::Answer answer, Duration spoken_max, Done done) {
  stop(call);
  const std::string session = "say-" + random_token(16);
  Speech& speech = speeches_[call];
  speech.session = session;
  speech.done = std::move(done);
  speech.deadline = loop_.after(spoken_max, [this, call] { finish(call); });
  calls_by_session_.emplace(session, call);
  media_.open(session, std::move(announcement), std::nullopt,
              [this, call, session, answer](Result<MediaSnapshot, MediaUnavailable> opened) {
                if (calls_by_session_.count(session) == 0) return;  // stopped meanwhile
                if (!opened) return finish(call);
                const auto remote = legs_.answer_with_media(call, opened->local, answer);
                if (!remote) return finish(call);
                media_.connect(session, *remote);
              });
}

void Announcer::stop(CallId call) {
  const auto found = speeches_.find(call);
  if (found == speeches_.end()) return;
  media_.close(found->second.session);
  calls_by_session_.erase(found->second.session);
  speeches_.erase(found);
}

bool Announcer::on_played(const std::string& session) {
  const auto found = calls_by_session_.find(session);
  if (found == calls_by_session_.end()) return false;
  finish(found->second);
  return true;
}

void Announcer::finish(CallId call) {
  const auto found = speeches_.find(call);
  if (found == speeches_.end()) return;
  const Done done = std::move(found->second.done);
  stop(call);
  done();
}

}  // namespace callpark
