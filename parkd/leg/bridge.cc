#include "parkd/leg/bridge.h"

#include <string>
#include <utility>

#include "parkd/leg/aligned_offer.h"
#include "parkd/leg/joining.h"
#include "parkd/leg/offer_answer.h"
#include "parkd/leg/session_timer.h"
#include "parkd/message/session_body.h"

namespace callpark::leg {
namespace {

void pass(const sip::Sdp& offer, const LegPtr& other, OnOffered done) {
  other->offer([other = other.get(), offer] { return other->offer_of(offer); }, std::move(done));
}

// The asker's session is what it was, whatever the reason.
int status_for_asker(OfferOutcome outcome) {
  switch (outcome) {
    case OfferOutcome::kNotReached:
      return 480;
    case OfferOutcome::kRefused:
      return 500;
    case OfferOutcome::kAccepted:
    case OfferOutcome::kNoCommonMedia:
    case OfferOutcome::kUnusable:
    case OfferOutcome::kGone:
      break;
  }
  return 488;
}

// parkd offers the last description of the other side, and not its own last answer, which may be that to a hold. The
// other side learns of the answer if it is anything new.
void answer_with_offer_of(const LegPtr& asker, const LegPtr& other, sip::ServerTransactionKey key,
                          const sip::SipMessage& request) {
  const auto offer = other->remote_sdp() ? std::optional(asker->offer_of(*other->remote_sdp())) : asker->local_sdp();
  if (!offer) return asker->refuse(key, request, 488);
  asker->answer(key, request, offer,
                {[asker, other](const sip::Sdp* answer) {
                   if (!answer || asker->remote_sdp() == *answer) return;
                   asker->set_remote_sdp(*answer);
                   pass(*answer, other, [](OfferOutcome, const sip::Sdp*, const sip::Sdp*) {});
                 },
                 {}});
}

}  // namespace

void pass_offer_on(const LegPtr& asker, const LegPtr& other, sip::ServerTransactionKey key,
                   const sip::SipMessage& request) {
  // Each would wait for the answer of the other.
  if (other->is_considering()) return asker->refuse(key, request, 491);
  // A refusal that does not depend on the other side.
  if (!answer_session_timer(request)) return asker->answer(key, request, std::nullopt, {});
  if (sip::session_description(request).empty()) return answer_with_offer_of(asker, other, key, request);
  const auto offer = description_in(request);
  if (!offer) return asker->refuse(key, request, 400, "Bad session description");
  asker->consider(key);
  pass(*offer, other,
       [asker, other, key, request, offer = *offer](OfferOutcome outcome, const sip::Sdp*, const sip::Sdp* answer) {
         if (outcome != OfferOutcome::kAccepted) return asker->refuse(key, request, status_for_asker(outcome));
         asker->set_remote_offer(offer);
         asker->answer(key, request, align_answer(*answer, offer, asker->local_origin()), {});
         agree_on_numbers(*other, asker);
       });
}

void pass_request_on(const LegPtr& asker, const LegPtr& other, sip::ServerTransactionKey key,
                     const sip::SipMessage& request) {
  // The answer that the other side would give.
  if (other->disallows(request.method())) return asker->refuse(key, request, 405);
  other->send(request.method(),
              [request](sip::SipMessage& copy) {
                if (const auto package = request.header("Info-Package")) copy.set_header("Info-Package", *package);
                copy.set_body(request.content_type(), request.body());
              },
              {[asker, key, request](const sip::SipMessage& response) {
                 if (response.status() >= 200) asker->refuse(key, request, response.status(), response.reason());
               },
               [asker, key, request](sip::ClientFailure) { asker->refuse(key, request, 408); }});
}

}  // namespace callpark::leg
