#include "mediad/session/session_service.h"

#include <fmt/format.h>

#include <limits>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/match.h"
#include "base/random.h"
#include "mediad/session/remote_rules.h"

namespace callpark::media {
namespace {

// This many of the longest session states fit into one line of the protocol.
constexpr std::size_t kPageSessions = 100;

tl::unexpected<RpcError> refuse(ErrorCode code, std::string message) {
  return failure(RpcError{code, std::move(message)});
}

tl::unexpected<RpcError> no_such(const std::string& session) {
  return refuse(ErrorCode::kNoSuchSession, fmt::format("there is no session {}", session));
}

Latching latching_of(bool wanted) {
  return wanted ? Latching::kOn : Latching::kOff;
}

void add(SessionService::Traffic& sum, const SessionMedia::Counters& counters) {
  sum.packets_sent += counters.packets_sent;
  sum.packets_received += counters.packets_received;
}

}  // namespace

SessionService::SessionService(EventLoop& loop, SessionMedia& media, Options options, NotifyOwner notify)
    : loop_(loop), media_(media), options_(options), notify_(std::move(notify)), instance_(random_token(16)) {
  if (options_.no_rtp > Duration::zero()) {
    silence_timer_ = loop_.every(Duration{1000}, [this] { notice_silence(); });
  }
}

SessionService::~SessionService() = default;

void SessionService::set_limits(std::size_t sessions_max, Duration unclaimed) {
  options_.sessions_max = sessions_max;
  options_.unclaimed = unclaimed;
}

Result<Answer, RpcError> SessionService::handle(OwnerId, const Hello& hello) {
  if (hello.protocol != kProtocolVersion) {
    return refuse(ErrorCode::kProtocolMismatch,
                  fmt::format("this mediad speaks protocol {}, not {}", kProtocolVersion, hello.protocol));
  }
  return HelloResult{kProtocolVersion, instance_};
}

std::optional<RpcError> SessionService::refusal_of(const std::optional<Endpoint>& remote) const {
  if (!remote || is_hold(*remote)) return std::nullopt;
  auto fault = media_.fault_of(*remote);
  if (!fault) return std::nullopt;
  return RpcError{ErrorCode::kRemoteRefused, *std::move(fault)};
}

Result<Answer, RpcError> SessionService::handle(OwnerId owner, const SessionOpen& open) {
  if (auto refusal = refusal_of(open.remote)) return failure(*std::move(refusal));
  auto entry = entries_.find(open.session);
  if (entry == entries_.end()) {
    if (entries_.size() >= options_.sessions_max) {
      return refuse(ErrorCode::kTooManySessions, fmt::format("there are {} sessions already", entries_.size()));
    }
    auto opened = media_.open(open);
    if (!opened) return failure(std::move(opened.error()));
    entry = entries_.emplace(open.session, Entry{Session{.id = open.session}, owner}).first;
    // The timer never runs out then, so it may start as often as it likes.
    if (!is_silence_limited()) entry->second.session.silent_periods_left = std::numeric_limits<int>::max();
    log_info(open.session, "session opened on port {}", opened->port);
  }
  entry->second.owner = owner;
  event::MediaGiven given{.by = event::MediaGiven::By::kOpen,
                          .remote = open.remote,
                          .latching = latching_of(open.latching),
                          .codec = open.codec};
  if (open.play) given.play = event::PlayWish{*open.play, open.play_id, next_number_++};
  given.number = next_number_++;
  perform(entry, given);
  return media_.opened(open.session).value_or(SessionOpenResult{});
}

Result<Answer, RpcError> SessionService::handle(OwnerId, const SessionUpdate& update) {
  const auto entry = entries_.find(update.session);
  if (entry == entries_.end()) return no_such(update.session);
  if (auto refusal = refusal_of(update.remote)) {
    log_warning(update.session, "remote refused: {}", refusal->message);
    return failure(*std::move(refusal));
  }
  event::MediaGiven given{.by = event::MediaGiven::By::kUpdate,
                          .remote = update.remote,
                          .latching = latching_of(update.latching),
                          .codec = update.codec};
  if (update.send) given.direction = *update.send ? Direction::kSending : Direction::kPaused;
  if (update.play) given.play = event::PlayWish{*update.play, update.play_id, next_number_++};
  given.number = next_number_++;
  perform(entry, given);
  return SessionUpdateResult{};
}

Result<Answer, RpcError> SessionService::handle(OwnerId, const SessionPlay& play) {
  const auto entry = entries_.find(play.session);
  if (entry == entries_.end()) return no_such(play.session);
  perform(entry, event::PlayAsked{{play.play, play.play_id, next_number_++}});
  return SessionPlayResult{};
}

Result<Answer, RpcError> SessionService::handle(OwnerId, const SessionClose& close) {
  const auto entry = entries_.find(close.session);
  if (entry == entries_.end()) return no_such(close.session);
  const SessionMedia::Counters counters = media_.counters(close.session);
  perform(entry, event::CloseAsked{});
  log_info(close.session, "session closed: {} packets sent, {} received", counters.packets_sent,
           counters.packets_received);
  return SessionCloseResult{counters.packets_sent, counters.packets_received};
}

Result<Answer, RpcError> SessionService::handle(OwnerId, const SessionList& list) {
  SessionListResult result;
  for (auto entry = entries_.upper_bound(list.after); entry != entries_.end(); ++entry) {
    if (result.sessions.size() == kPageSessions) {
      result.more = true;
      break;
    }
    const auto& [id, value] = *entry;
    const auto opened = media_.opened(id).value_or(SessionOpenResult{});
    const SessionMedia::Counters counters = media_.counters(id);
    result.sessions.push_back({id, opened.port, opened.ssrc, value.session.media.remote, value.session.media.codec,
                               value.session.claim == Claim::kClaimed, counters.packets_sent,
                               counters.packets_received});
  }
  return result;
}

Result<Answer, RpcError> SessionService::handle(OwnerId, const CodecList&) {
  return media_.codecs();
}

void SessionService::on_owner_gone(OwnerId owner) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto current = entry++;
    if (current->second.owner == owner) perform(current, event::OwnerLost{});
  }
}

SessionService::Traffic SessionService::traffic() const {
  Traffic all = of_closed_;
  for (const auto& [id, entry] : entries_) add(all, media_.counters(id));
  return all;
}

void SessionService::on_list_spoken(const std::string& session, PlayNumber number, const std::string& error) {
  const auto entry = entries_.find(session);
  if (entry != entries_.end()) perform(entry, event::ListSpoken{number, error});
}

void SessionService::on_key_pressed(const std::string& session, char digit, int duration_ms) {
  const auto entry = entries_.find(session);
  if (entry != entries_.end()) perform(entry, event::KeyPressed{digit, duration_ms});
}

void SessionService::on_remote_heard(const std::string& session) {
  const auto entry = entries_.find(session);
  if (entry == entries_.end()) return;
  if (entry->second.session.heard == Heard::kNothingInTime) {
    log_info(session, "sending goes on: the remote sends packets now");
  }
  perform(entry, event::RemoteHeard{});
}

void SessionService::start_silence_timer(Entry& entry) {
  if (!is_silence_limited()) return;
  entry.silence_timer = loop_.after(options_.silent_remote, [this, id = entry.session.id] {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    const Endpoint remote = found->second.session.media.remote.value_or(Endpoint{});
    log_warning(id, "sending to {} port {} stopped: neither RTP nor RTCP has come from there in {} s", remote.address,
                remote.port, options_.silent_remote.count() / 1000);
    perform(found, event::SilenceTimedOut{});
  });
}

void SessionService::notice_silence() {
  const auto now_ms = std::chrono::duration_cast<Duration>(monotonic_now().time_since_epoch()).count();
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto current = entry++;
    const std::int64_t last = media_.counters(current->first).last_received_ms;
    if (last == 0 || last == current->second.reported_ceased_ms || now_ms - last < options_.no_rtp.count()) continue;
    current->second.reported_ceased_ms = last;
    perform(current, event::RtpCeased{});
  }
}

void SessionService::perform(Entries::iterator entry, const event::Event& event) {
  Decision decision = decide(entry->second.session, event);
  entry->second.session = std::move(decision.next);
  for (const action::Action& action : decision.actions) perform(entry->second, action);
  if (std::holds_alternative<activity::Ended>(entry->second.session.activity)) entries_.erase(entry);
}

void SessionService::perform(Entry& entry, const action::Action& action) {
  const std::string& id = entry.session.id;
  std::visit(overloaded{[&](const action::SetRemote& set) { media_.set_remote(id, set.remote, set.latching); },
                        [&](const action::SetCodec& set) { media_.set_codec(id, set.codec); },
                        [&](const action::SetDirection& set) { media_.set_direction(id, set.direction); },
                        [&](const action::StartPlay& start) { media_.play(id, start.number, start.play); },
                        [&](const action::Notify& notify) { notify_(entry.owner, notify.notification); },
                        [&](const action::StartClaimTimer&) {
                          entry.claim_timer = loop_.after(options_.unclaimed, [this, id] {
                            const auto found = entries_.find(id);
                            if (found == entries_.end()) return;
                            log_warning(id, "session ended: no connection has claimed it");
                            perform(found, event::ClaimTimedOut{});
                          });
                        },
                        [&](const action::StopClaimTimer&) { entry.claim_timer.reset(); },
                        [&](const action::StartSilenceTimer&) { start_silence_timer(entry); },
                        [&](const action::StopSilenceTimer&) { entry.silence_timer.reset(); },
                        [&](const action::CloseMedia&) {
                          add(of_closed_, media_.counters(id));
                          media_.close(id);
                        }},
             action);
}

}  // namespace callpark::media
