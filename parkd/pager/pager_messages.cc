#include "parkd/pager/pager_messages.h"

#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "kamailio_protocol/headers.h"
#include "parkd/message/name_addr.h"

namespace callpark {
namespace {

constexpr std::string_view kDisplay = "Call park";
constexpr std::size_t kTagLength = 12;

Counter counter(Metrics& metrics, const char* outcome) {
  return metrics.counter("callpark_messages_total", "Texts to phones, by their outcome", {{"outcome", outcome}});
}

// RFC 3428 4: no Contact, and outside of any dialog.
sip::SipMessage compose(const TextMessage& text) {
  const sip::SipUri to(text.extension, text.tenant);
  sip::SipMessage message = sip::make_request(sip::method::kMessage, to);
  sip::NameAddr from{std::string(kDisplay), sip::SipUri(text.from, text.tenant), {}};
  from.set_tag(random_token(kTagLength));
  message.set_header(sip::HeaderName::kFrom, from.to_string());
  message.set_header(sip::HeaderName::kTo, sip::NameAddr{"", to, {}}.to_string());
  message.set_header(sip::HeaderName::kCallId, random_token(2 * kTagLength));
  message.set_cseq(1, sip::method::kMessage);
  message.set_header(kamailio_protocol::kTenant, text.tenant);
  message.set_body("text/plain;charset=UTF-8", text.text);
  return message;
}

}  // namespace

PagerMessages::PagerMessages(sip::TransactionLayer& transactions, const sip::Endpoint& kamailio, Metrics& metrics)
    : transactions_(transactions),
      kamailio_(kamailio),
      sent_(counter(metrics, "delivered")),
      unreachable_(counter(metrics, "no_phone")),
      failed_(counter(metrics, "failed")),
      given_up_(counter(metrics, "given_up")) {}

PagerMessages::~PagerMessages() {
  for (const auto& [destination, queue] : queues_) transactions_.abandon(queue.under_way);
}

// RFC 3428 8: no MESSAGE to a URI while another to it is pending. So they also arrive in order.
void PagerMessages::send(TextMessage message) {
  const std::string destination = message.extension + "@" + message.tenant;
  Queue& queue = queues_[destination];
  queue.messages.push_back(std::move(message));
  if (queue.messages.size() == 1) return send_first(destination);
  if (queue.messages.size() <= kWaitingMax + 1) return;
  queue.messages.erase(queue.messages.begin() + 1);
  given_up_.increment();
  log_warning("", "a text to {} is given up: its phones do not answer those before it", destination);
}

void PagerMessages::send_first(const std::string& destination) {
  Queue& queue = queues_.at(destination);
  queue.under_way =
      transactions_.send_request(compose(queue.messages.front()), kamailio_,
                                 {[this, destination](const sip::SipMessage& response) {
                                    if (response.status() >= 200) conclude(destination, response.status());
                                  },
                                  [this, destination](sip::ClientFailure failure) {
                                    conclude(destination, failure == sip::ClientFailure::kTimeout ? 408 : 503);
                                  }});
}

void PagerMessages::conclude(const std::string& destination, int status) {
  if (status < 300) {
    sent_.increment();
  } else if (status == 480) {
    unreachable_.increment();  // what Kamailio says when no phone is registered: nothing to complain of
  } else {
    failed_.increment();
    log_warning("", "a text to {} was answered {}", destination, status);
  }
  std::deque<TextMessage>& messages = queues_.at(destination).messages;
  messages.pop_front();
  if (!messages.empty()) return send_first(destination);
  queues_.erase(destination);
}

}  // namespace callpark
