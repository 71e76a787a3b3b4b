#include "parkd/leg/refer_subscription.h"

#include <utility>

#include "parkd/leg/sipfrag.h"

namespace callpark::leg {
namespace {

// RFC 5057 5.1: 404 and 480 in the answer to a REFER mean to the phone that its dialog is over.
int status_of_refusal(int status) {
  return status == 404 || status == 480 ? 603 : status;
}

}  // namespace

ReferSubscription::ReferSubscription(UserAgent& agent, LegPtr leg, sip::ServerTransactionKey key, sip::SipMessage refer)
    : agent_(agent), leg_(std::move(leg)), key_(key), refer_(std::move(refer)) {}

void ReferSubscription::accept() {
  if (!refer_) return;
  sip::SipMessage accepted = sip::make_response(*refer_, 202, {}, leg_->dialog().id.local_tag);
  sip::copy_record_route(*refer_, accepted);
  accepted.set_header(sip::HeaderName::kContact, leg_->contact());
  agent_.transactions.respond(key_, accepted);
  refer_.reset();
  notify(100, "Trying", "active;expires=60");
}

void ReferSubscription::conclude(int status, const std::string& reason) {
  if (status < 300) accept();
  if (!refer_) return notify(status, reason, "terminated;reason=noresource");
  sip::SipMessage refusal = sip::make_response(*refer_, status_of_refusal(status), reason, leg_->dialog().id.local_tag);
  if (status == 503) write_retry(agent_, refusal);
  agent_.transactions.respond(key_, refusal);
}

// The leg sends the second one when the first is answered.
void ReferSubscription::notify(int status, const std::string& reason, const std::string& state) {
  leg_->send(sip::method::kNotify,
             [status, reason, state](sip::SipMessage& request) {
               request.set_header(sip::HeaderName::kEvent, "refer");
               request.set_header(sip::HeaderName::kSubscriptionState, state);
               request.set_body(kSipfragType, write_sipfrag(status, reason));
             },
             {});
}

}  // namespace callpark::leg
