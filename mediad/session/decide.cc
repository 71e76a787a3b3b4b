#include "mediad/session/decide.h"

#include <utility>

#include "base/match.h"
#include "mediad/session/remote_rules.h"

namespace callpark::media {
namespace {

// The direction that the media gets.
Direction effective_direction(const Session& session) {
  const bool sends = session.media.direction == Direction::kSending && session.media.addressed == Addressed::kRemote &&
                     session.heard != Heard::kNothingInTime;
  return sends ? Direction::kSending : Direction::kPaused;
}

// Only a remote that is being sent to must be heard in time: a party on hold may be silent for as long as it likes.
bool is_awaited(const Session& session) {
  return session.heard == Heard::kNothingYet && session.media.remote && session.media.codec &&
         effective_direction(session) == Direction::kSending &&
         !std::holds_alternative<activity::Ended>(session.activity);
}

class Deciding {
 public:
  explicit Deciding(const Session& session) : decision_{session, {}} {}
  Decision take() { return std::move(decision_); }

  void operator()(const event::MediaGiven& given) {
    if (given.by == event::MediaGiven::By::kOpen) be_claimed();
    const Session before = next();
    MediaState& media = next().media;
    if (given.remote) set_remote(*given.remote, given.latching);
    if (given.codec) media.codec = given.codec;
    if (given.direction) media.direction = *given.direction;
    // The play comes first, so that the first packet that leaves belongs to it.
    if (given.play) want(*given.play);
    begin_what_waits(given.number);
    if (media.remote != before.media.remote || media.latching != before.media.latching) {
      order(action::SetRemote{*media.remote, media.latching});
    }
    if (media.codec != before.media.codec) order(action::SetCodec{*media.codec});
    follow_up(before);
  }

  void operator()(const event::PlayAsked& asked) { want(asked.wish); }

  void operator()(const event::ListSpoken& spoken) {
    const auto* announcing = std::get_if<activity::Announcing>(&next().activity);
    // The report is about a play that was replaced meanwhile.
    if (announcing == nullptr || announcing->number != spoken.number) return;
    order(action::Notify{SessionPlayed{next().id, announcing->play_id, false, spoken.error}});
    const Then then = announcing->announcement.then;
    next().activity = activity::Continuous{then == Then::kMusic ? Play(Music{}) : Play(Silence{})};
  }

  void operator()(const event::KeyPressed& key) {
    order(action::Notify{SessionDigit{next().id, key.digit, key.duration_ms}});
  }

  void operator()(const event::RtpCeased&) { order(action::Notify{SessionNoRtp{next().id}}); }

  void operator()(const event::RemoteHeard&) {
    const Session before = next();
    // Time in which the remote proves itself is no longer counted.
    if (is_awaited(before)) ++next().silent_periods_left;
    next().heard = Heard::kSomething;
    follow_up(before);
  }

  void operator()(const event::SilenceTimedOut&) {
    const Session before = next();
    if (!is_awaited(before)) return;
    next().heard = Heard::kNothingInTime;
    follow_up(before);
    order(action::Notify{SessionNoRtp{next().id, true}});
  }

  void operator()(const event::OwnerLost&) {
    if (next().claim == Claim::kUnclaimed) return;
    next().claim = Claim::kUnclaimed;
    order(action::StartClaimTimer{});
  }

  void operator()(const event::ClaimTimedOut&) {
    if (next().claim == Claim::kClaimed) return;
    order(action::Notify{SessionExpired{next().id}});
    end();
  }

  void operator()(const event::CloseAsked&) { end(); }

 private:
  Session& next() { return decision_.next; }
  void order(action::Action action) { decision_.actions.push_back(std::move(action)); }

  void be_claimed() {
    if (next().claim == Claim::kClaimed) return;
    next().claim = Claim::kClaimed;
    order(action::StopClaimTimer{});
  }

  void set_remote(const Endpoint& remote, Latching latching) {
    MediaState& media = next().media;
    media.addressed = is_hold(remote) ? Addressed::kHold : Addressed::kRemote;
    if (media.addressed == Addressed::kHold) return;
    // The same address that was silent in time gets no more, however often it is described: it may be a third party's.
    if (!media.remote || media.remote->address != remote.address) next().heard = Heard::kNothingYet;
    media.remote = remote;
    media.latching = latching;
  }

  // Adds the actions that follow from the difference to `before` for direction and silence timer.
  void follow_up(const Session& before) {
    const bool moved = next().media.remote != before.media.remote;
    const bool begins_to_wait = is_awaited(next()) && (moved || !is_awaited(before));
    if (begins_to_wait && next().silent_periods_left == 0) next().heard = Heard::kNothingInTime;
    const Direction direction = effective_direction(next());
    if (direction != effective_direction(before)) order(action::SetDirection{direction});
    if (begins_to_wait && is_awaited(next())) {
      --next().silent_periods_left;
      order(action::StartSilenceTimer{});
    }
    if (is_awaited(before) && !is_awaited(next())) order(action::StopSilenceTimer{});
  }

  void want(const event::PlayWish& wish) {
    if (const auto* announcing = std::get_if<activity::Announcing>(&next().activity)) {
      order(action::Notify{SessionPlayed{next().id, announcing->play_id, true}});
    } else if (const auto* waiting = std::get_if<activity::Waiting>(&next().activity)) {
      if (std::holds_alternative<Announcement>(waiting->play)) {
        order(action::Notify{SessionPlayed{next().id, waiting->play_id, true}});
      }
      next().activity = activity::Waiting{wish.play, wish.play_id};
      return;
    }
    start(wish.play, wish.play_id, wish.number);
  }

  void begin_what_waits(PlayNumber number) {
    const auto* waiting = std::get_if<activity::Waiting>(&next().activity);
    if (waiting == nullptr || !next().media.remote || !next().media.codec) return;
    const activity::Waiting begun = *waiting;
    start(begun.play, begun.play_id, number);
  }

  void start(const Play& play, const std::string& play_id, PlayNumber number) {
    order(action::StartPlay{number, play});
    if (const auto* announcement = std::get_if<Announcement>(&play)) {
      next().activity = activity::Announcing{*announcement, number, play_id};
    } else {
      next().activity = activity::Continuous{play};
    }
  }

  void end() {
    if (next().claim == Claim::kUnclaimed) order(action::StopClaimTimer{});
    if (is_awaited(next())) order(action::StopSilenceTimer{});
    order(action::CloseMedia{});
    next().activity = activity::Ended{};
  }

  Decision decision_;
};

}  // namespace

Decision decide(const Session& session, const event::Event& event) {
  if (std::holds_alternative<activity::Ended>(session.activity)) return {session, {}};
  Deciding deciding(session);
  std::visit(deciding, event);
  return deciding.take();
}

}  // namespace callpark::media
