#include "parkd/media/media_client.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/log.h"
#include "base/match.h"

namespace callpark {
namespace {

// More than mediad's program may need by its default, with a text before it.
constexpr Duration kTextTimeout{10'000};

media::Play play_of(const Play& play) {
  return std::visit(overloaded{[](const Silence&) -> media::Play { return media::Silence{}; },
                               [](const Music& music) -> media::Play {
                                 if (music.music_class.empty()) return media::Ringback{};
                                 return media::Music{music.music_class};
                               },
                               [](const Announcement& from) -> media::Play {
                                 media::Announcement announcement;
                                 announcement.language = from.language;
                                 for (const auto& item : from.list) {
                                   std::visit(overloaded{[&](const Announcement::Prompt& prompt) {
                                                           announcement.list.emplace_back(media::Prompt{prompt.name});
                                                         },
                                                         [&](const Announcement::Digits& digits) {
                                                           announcement.list.emplace_back(media::Digits{digits.digits});
                                                         }},
                                              item);
                                 }
                                 return announcement;
                               }},
                    play);
}

media::Endpoint endpoint_of(const MediaAddress& address) {
  return {address.address, address.port};
}

// Empty if mediad does not have the codec, which parkd never offers.
std::optional<media::Codec> codec_of(const MediaCodec& codec) {
  const auto name = media::codec_from_text(codec.name);
  if (!name) return std::nullopt;
  media::Codec converted;
  converted.name = *name;
  converted.payload_type = static_cast<std::uint8_t>(codec.payload_type);
  converted.clock_rate = codec.clock_rate;
  converted.packet_ms = codec.packet_ms;
  if (codec.telephone_event) converted.telephone_event = static_cast<std::uint8_t>(*codec.telephone_event);
  return converted;
}

}  // namespace

MediaClient::MediaClient(EventLoop& loop, Settings settings)
    : loop_(loop), settings_(std::move(settings)), connection_(loop, settings_.mediad, settings_.reconnect) {}

void MediaClient::start() {
  connection_.start({[this] { on_connected(); }, [this](std::string_view line) { on_line(line); },
                     [this](const std::string& reason) {
                       log_warning("", "the connection to mediad ended: {}", reason);
                       on_closed();
                     }});
}

// ---- the port ----

void MediaClient::open(std::string session, Play play, std::optional<MediaSnapshot> again, Opened answer) {
  if (!greeted_ && again) {
    return open_once_greeted(session, {std::move(play), *std::move(again), std::move(answer), {}});
  }
  if (!greeted_) return loop_.post([answer = std::move(answer)] { answer(failure(MediaUnavailable{})); });
  Session& opened = sessions_[session];
  const bool is_new = !again;
  if (again) opened.snapshot = *std::move(again);
  opened.snapshot.session = session;
  opened.play = std::move(play);
  send(request_of(opened),
       [this, session, is_new, answer = std::move(answer)](const Result<media::Answer, media::RpcError>& got) {
         const auto found = sessions_.find(session);
         if (found == sessions_.end()) return;  // closed meanwhile
         if (!got) {
           log_warning("", "mediad opens no session: {}", got.error().message);
           sessions_.erase(found);
           // mediad may have opened it all the same: then a new session is closed; one that plays already goes on.
           if (is_new) close_in_mediad(session);
           return answer(failure(MediaUnavailable{}));
         }
         const auto& result = std::get<media::SessionOpenResult>(*got);
         found->second.snapshot.local = {result.address, result.port};
         found->second.snapshot.ssrc = result.ssrc;
         answer(found->second.snapshot);
       });
}

void MediaClient::connect(const std::string& session, const MediaRemote& remote) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  found->second.snapshot.remote = remote;
  media::SessionUpdate update;
  update.session = session;
  update.remote = endpoint_of(remote.remote);
  update.latching = remote.latching;
  update.codec = codec_of(remote.codec);
  update.send = remote.listens;
  send(update, [session](const Result<media::Answer, media::RpcError>& got) {
    if (!got) log_warning("", "mediad does not send to the party of {}: {}", session, got.error().message);
  });
}

void MediaClient::play(const std::string& session, Play play) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  found->second.play = std::move(play);
  found->second.played = false;
  const std::string play_id = std::to_string(++found->second.play_number);
  send(media::SessionPlay{session, play_id, play_of(found->second.play)}, {});
}

void MediaClient::close(const std::string& session) {
  // Also one that is not known here: mediad may have it from an earlier parkd.
  sessions_.erase(session);
  waiting_.erase(session);
  close_in_mediad(session);
}

void MediaClient::prepare_text(const std::string& language, const std::string& text, TextPrepared answer) {
  if (!greeted_) {
    return loop_.post([answer = std::move(answer)] { answer(failure(std::string("mediad is not connected"))); });
  }
  const std::int64_t number = ++last_text_;
  Text& added = texts_[number];
  added.wanted = {language, text};
  added.answer = std::move(answer);
  added.deadline = loop_.after(kTextTimeout, [this, number] {
    answer_text(number,
                failure(fmt::format("mediad has not spoken the text within {} s", kTextTimeout.count() / 1000)));
  });
  ask_for_text(number);
}

void MediaClient::ask_for_text(std::int64_t number) {
  send(texts_.at(number).wanted, kTextTimeout, [this, number](const Result<media::Answer, media::RpcError>& got) {
    if (!got && !greeted_) return;  // mediad is asked again after the reconnect
    if (!got) return answer_text(number, failure(got.error().message));
    answer_text(number, std::get<media::TextPrepareResult>(*got).name);
  });
}

void MediaClient::answer_text(std::int64_t number, const Result<std::string, std::string>& result) {
  const auto node = texts_.extract(number);
  if (!node.empty()) node.mapped().answer(result);
}

void MediaClient::close_in_mediad(const std::string& session) {
  if (greeted_) {
    send(media::SessionClose{session}, {});
  } else {
    abandoned_.insert(session);
  }
}

void MediaClient::open_once_greeted(const std::string& session, Waiting waiting) {
  waiting.deadline = loop_.after(settings_.answer_timeout, [this, session] {
    const auto node = waiting_.extract(session);
    node.mapped().answer(failure(MediaUnavailable{}));
  });
  waiting_.insert_or_assign(session, std::move(waiting));
}

media::SessionOpen MediaClient::request_of(const Session& session) const {
  media::SessionOpen open;
  open.session = session.snapshot.session;
  if (session.snapshot.local.port != 0) {
    open.port = session.snapshot.local.port;
    open.ssrc = session.snapshot.ssrc;
  }
  if (const auto& remote = session.snapshot.remote) {
    open.remote = endpoint_of(remote->remote);
    open.latching = remote->latching;
    open.codec = codec_of(remote->codec);
  }
  open.play = session.played ? media::Play(media::Silence{}) : play_of(session.play);
  open.play_id = std::to_string(session.play_number);
  return open;
}

// ---- the connection ----

void MediaClient::on_connected() {
  send(media::Hello{settings_.name, media::kProtocolVersion},
       [this](const Result<media::Answer, media::RpcError>& answer) {
         if (!answer) return connection_.reconnect("mediad refused the greeting: " + answer.error().message);
         on_greeted();
       });
}

void MediaClient::on_greeted() {
  greeted_ = true;
  for (const std::string& session : std::exchange(abandoned_, {})) send(media::SessionClose{session}, {});
  reopen_all();
  std::vector<std::int64_t> texts;
  for (const auto& [number, text] : texts_) texts.push_back(number);
  for (const std::int64_t number : texts) ask_for_text(number);
  for (auto& [session, waiting] : std::exchange(waiting_, {})) {
    open(session, std::move(waiting.play), std::move(waiting.again), std::move(waiting.answer));
  }
}

void MediaClient::on_closed() {
  greeted_ = false;
  const auto unanswered = std::exchange(pending_, {});
  for (const auto& [id, pending] : unanswered) {
    if (pending.on_answer)
      pending.on_answer(failure(media::RpcError{media::ErrorCode::kInternalError, "connection lost"}));
  }
}

void MediaClient::reopen_all() {
  std::vector<std::string> ids;
  ids.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) ids.push_back(id);
  for (const std::string& id : ids) reopen(id, true);
}

void MediaClient::reopen(const std::string& id, bool on_its_port) {
  Session& session = sessions_.at(id);
  session.retry.reset();
  media::SessionOpen request = request_of(session);
  if (!on_its_port) request.port.reset();
  send(request, [this, id, on_its_port](const Result<media::Answer, media::RpcError>& got) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    if (!got) {
      log_warning("", "mediad does not reopen a session: {}", got.error().message);
      if (!greeted_) return;  // all are opened again after the reconnect
      if (on_its_port) return reopen(id, false);
      found->second.retry = loop_.after(settings_.answer_timeout, [this, id] { reopen(id, true); });
      return;
    }
    const auto& result = std::get<media::SessionOpenResult>(*got);
    MediaSnapshot& snapshot = found->second.snapshot;
    const MediaAddress now{result.address, result.port};
    const bool moved = std::exchange(snapshot.local, now) != now;
    snapshot.ssrc = result.ssrc;
    if (snapshot.remote && !snapshot.remote->listens) connect(id, MediaRemote(*snapshot.remote));
    if (moved && listener_) listener_->on_media_moved(id, MediaSnapshot(snapshot));
  });
}

void MediaClient::send(const media::Request& request, OnAnswer on_answer) {
  send(request, settings_.answer_timeout, std::move(on_answer));
}

void MediaClient::send(const media::Request& request, Duration timeout, OnAnswer on_answer) {
  const std::int64_t id = ++last_request_;
  Pending& pending = pending_[id];
  pending.request_index = request.index();
  pending.on_answer = std::move(on_answer);
  pending.deadline = loop_.after(timeout, [this, id] {
    const auto node = pending_.extract(id);
    if (node.mapped().on_answer) {
      node.mapped().on_answer(failure(media::RpcError{media::ErrorCode::kInternalError, "mediad does not answer"}));
    }
  });
  connection_.send_line(media::encode_request(id, request));
}

void MediaClient::on_line(std::string_view line) {
  const auto message = media::decode_message_from_mediad(line, [this](std::int64_t id) -> std::optional<std::size_t> {
    const auto found = pending_.find(id);
    if (found == pending_.end()) return std::nullopt;
    return found->second.request_index;
  });
  if (!message) {
    // An answer after its deadline is no reason to close the connection.
    log_warning("", "from mediad: {}", message.error().error.message);
    return;
  }
  std::visit(overloaded{[this](const media::Response& response) {
                          const auto node = pending_.extract(response.id);
                          if (!node.empty() && node.mapped().on_answer) node.mapped().on_answer(response.answer);
                        },
                        [this](const media::Notification& notification) { on_notification(notification); }},
             *message);
}

void MediaClient::on_notification(const media::Notification& notification) {
  std::visit(overloaded{[this](const media::SessionPlayed& played) {
                          const auto found = sessions_.find(played.session);
                          if (found == sessions_.end() || played.interrupted ||
                              played.play_id != std::to_string(found->second.play_number)) {
                            return;
                          }
                          found->second.played = true;
                          if (!played.error.empty() && listener_) {
                            listener_->on_media_fault(played.session, played.error);
                          }
                          if (listener_) listener_->on_media_played(played.session);
                        },
                        [this](const media::SessionExpired& expired) {
                          if (sessions_.count(expired.session) != 0) reopen(expired.session, true);
                        },
                        [this](const media::SessionDigit& pressed) {
                          if (sessions_.count(pressed.session) == 0 || !listener_) return;
                          listener_->on_media_key(pressed.session, pressed.digit);
                        },
                        [](const media::SessionNoRtp&) {}},
             notification);
}

}  // namespace callpark
