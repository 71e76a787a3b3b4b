#include "mediad/session/decide.h"

#include <utility>

#include "base/match.h"

namespace callpark::media {
namespace {

class Deciding {
 public:
  explicit Deciding(const Session& session) : decision_{session, {}} {}
  Decision take() { return std::move(decision_); }

  void operator()(const event::MediaGiven& given) {
    if (given.by == event::MediaGiven::By::kOpen) be_claimed();
    const MediaState before = next().media;
    MediaState& media = next().media;
    if (given.remote) media.remote = given.remote;
    if (given.codec) media.codec = given.codec;
    if (given.direction) media.direction = *given.direction;
    // The play comes first, so that the first packet that leaves belongs to it.
    if (given.play) want(*given.play);
    begin_what_waits(given.number);
    if (media.remote != before.remote) order(action::SetRemote{*media.remote});
    if (media.codec != before.codec) order(action::SetCodec{*media.codec});
    if (media.direction != before.direction) order(action::SetDirection{media.direction});
  }

  void operator()(const event::PlayAsked& asked) { want(asked.wish); }

  void operator()(const event::ListSpoken& spoken) {
    const auto* announcing = std::get_if<activity::Announcing>(&next().activity);
    // The report is about a play that was replaced meanwhile.
    if (announcing == nullptr || announcing->number != spoken.number) return;
    order(action::Notify{SessionPlayed{next().id, announcing->play_id, false}});
    const Then then = announcing->announcement.then;
    next().activity = activity::Continuous{then == Then::kMusic ? Play(Music{}) : Play(Silence{})};
  }

  void operator()(const event::KeyPressed& key) {
    order(action::Notify{SessionDigit{next().id, key.digit, key.duration_ms}});
  }

  void operator()(const event::RtpCeased&) { order(action::Notify{SessionNoRtp{next().id}}); }

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
