#include "parkd/pager/call_questions.h"

#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "kamailio_protocol/headers.h"

namespace callpark {
namespace {

constexpr std::size_t kTagLength = 12;

sip::SipMessage response_to(const sip::SipMessage& request, int status) {
  return sip::make_response(request, status, {}, random_token(kTagLength));
}

// A status and a phrase.
std::string text_of(const BillingVerdict& verdict) {
  const auto* denied = std::get_if<BillingDenied>(&verdict);
  return denied ? std::to_string(denied->status) + " " + denied->phrase : "200 OK";
}

}  // namespace

bool CallQuestions::serves(const sip::SipMessage& request) {
  return request.method() == sip::method::kMessage && request.has_content_type(kamailio_protocol::kCallQuestion);
}

void CallQuestions::on_message(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  auto asked = kamailio_protocol::decode_call_question(request.body());
  const std::string tenant(request.header(kamailio_protocol::kTenant).value_or(""));
  if (!asked || tenant.empty()) {
    log_warning(std::string(request.call_id()), "a question of Kamailio's cannot be read: {}",
                asked ? "it names no tenant" : asked.error());
    return transactions_.respond(key, response_to(request, 400));
  }
  BillingQuestion question;
  question.event = BillingEvent::kIncomingCall;
  question.tenant = tenant;
  question.call.sip_call_id = std::move(asked->sip_call_id);
  question.call.party = std::move(asked->caller);
  question.call.caller = std::move(asked->identity);
  question.called = std::move(asked->called);
  // Kamailio may not have read yet that the tenant's hook is another one.
  store_.look_up(tenant, "", "",
                 [this, key, request, question](const Result<DialledFacts, StoreUnavailable>& facts) mutable {
                   if (!facts) return transactions_.respond(key, response_to(request, 503));
                   if (!facts->billing || !facts->billing->asks_incoming_call) {
                     return answer(key, request, BillingPermitted{});
                   }
                   question.hook = *facts->billing;
                   ask(key, request, std::move(question));
                 });
}

void CallQuestions::ask(sip::ServerTransactionKey key, const sip::SipMessage& request, BillingQuestion question) {
  billing_.ask(std::move(question),
               [this, key, request](const BillingVerdict& verdict) { answer(key, request, verdict); });
}

void CallQuestions::answer(sip::ServerTransactionKey key, const sip::SipMessage& request,
                           const BillingVerdict& verdict) {
  sip::SipMessage response = response_to(request, 200);
  response.set_header(kamailio_protocol::kVerdict, text_of(verdict));
  transactions_.respond(key, response);
}

}  // namespace callpark
