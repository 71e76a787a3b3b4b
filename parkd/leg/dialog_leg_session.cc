// The part of a leg that keeps its session: the session timer (RFC 4028), and whether the remote side is there.
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "parkd/leg/aligned_offer.h"
#include "parkd/leg/dialog_leg.h"

namespace callpark::leg {

DialogSnapshot DialogLeg::snapshot() const {
  DialogSnapshot snapshot = DialogFacts::snapshot();
  if (const auto& timer = session_.agreed()) {
    snapshot.session_seconds = static_cast<int>(timer->interval.count());
    snapshot.session_we_refresh = timer->we_refresh;
  }
  return snapshot;
}

void DialogLeg::show_in_from() {
  if (!closed_ && show_in_local_uri()) refresh_by_update([](const sip::SipMessage&) {});
}

void DialogLeg::probe() {
  // Not all of a node's calls at once.
  const Duration wait(1000 + static_cast<int>(random_below(4000)));
  probe_ = agent_.loop.after(wait, [this, self = shared_from_this()] { ask_whether_there(); });
}

// RFC 3311 4: an UPDATE is only for a party that allows it. Every party answers OPTIONS (RFC 3261 11), but that does
// not refresh the session.
void DialogLeg::ask_whether_there() {
  // A party that cannot be reached at the moment may be there all the same.
  const auto read = [self = shared_from_this()](const sip::SipMessage& response) {
    if (response.status() == 481) self->die();
  };
  if (allows(sip::method::kUpdate)) return refresh_by_update(read);
  const bool refreshes = session_.agreed() && session_.agreed()->we_refresh;
  if (local_sdp() && (refreshes || disallows(sip::method::kOptions))) return refresh_session();
  send(sip::method::kOptions, [this](sip::SipMessage& options) { write_own_headers(options); },
       {[this, read](const sip::SipMessage& response) {
          if (closed_ || response.status() < 200) return;
          note_allow(response);
          read(response);
        },
        {}});
}

void DialogLeg::refresh_by_update(std::function<void(const sip::SipMessage& response)> refused) {
  send(sip::method::kUpdate,
       [this](sip::SipMessage& update) {
         write_own_headers(update);
         // RFC 4028 7.2: an UPDATE is a session refresh, and one without the timer ends it.
         offer_session_timer(update, session_.agreed());
       },
       {[self = shared_from_this(), refused = std::move(refused)](const sip::SipMessage& response) {
          if (self->closed_ || response.status() < 200) return;
          self->note_allow(response);  // RFC 3261 21.4.6: a 405 has it
          if (response.status() >= 300) return refused(response);
          self->keep_session_timer(read_session_timer(response));
        },
        {}});
}

void DialogLeg::keep_session() {
  if (!closed_ && session_.agreed() && !session_.is_running()) keep_session_timer(session_.agreed());
}

void DialogLeg::keep_session_timer(const std::optional<SessionTimer>& timer) {
  session_.keep(timer, {[this, self = shared_from_this()] { refresh_session(); },
                        [this, self = shared_from_this()] {
                          log_warning(dialog().id.call_id, "the session timer ran out");
                          send_bye();
                          die();
                        }});
}

void DialogLeg::refresh_session() {
  if (!offers_.is_empty()) return;
  // The description in a snapshot may be out of date; an UPDATE without a description leaves it as it is.
  const bool knows_media = knows_own_media_ || !allows(sip::method::kUpdate);
  if (!local_sdp() || !knows_media) {
    return refresh_by_update([self = shared_from_this()](const sip::SipMessage& response) {
      if (response.status() == 481) self->die();
    });
  }
  offer([this] { return *local_sdp(); },
        [this, self = shared_from_this(), before = remote_sdp()](OfferOutcome outcome, const sip::Sdp*,
                                                                 const sip::Sdp* answer) {
          const bool changed = outcome == OfferOutcome::kAccepted && (!before || !is_heard_alike(*before, *answer));
          if (changed && on_media_changed_) on_media_changed_();
        });
}

}  // namespace callpark::leg
