#include "parkd/presence/lamp_questions.h"

#include <utility>

#include "base/random.h"
#include "kamailio_protocol/headers.h"
#include "parkd/message/sip_uri.h"

namespace callpark::presence {
namespace {

constexpr std::string_view kPackage = "dialog.winfo";
constexpr std::size_t kTagLength = 12;

}  // namespace

bool LampQuestions::serves(const sip::SipMessage& request) {
  return request.method() == sip::method::kPublish && request.event() == kPackage;
}

void LampQuestions::on_publish(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const Presentity presentity{request.request_uri().user(), request.request_uri().host()};
  if (presentity.user.empty() || request.header(kamailio_protocol::kTenant) != presentity.domain) {
    return respond(key, request, 403);
  }
  board_.watch(presentity, [this, key, request](bool is_right) { respond(key, request, is_right ? 200 : 503); });
}

void LampQuestions::respond(sip::ServerTransactionKey key, const sip::SipMessage& request, int status) {
  sip::SipMessage response = sip::make_response(request, status, {}, random_token(kTagLength));
  // RFC 3903 6: a 200 has both. There is nothing to be carried on under this entity-tag.
  if (status < 300) {
    response.set_header("SIP-ETag", "watched");
    response.set_header(sip::HeaderName::kExpires, "0");
  }
  way_.transactions.respond(key, response);
}

}  // namespace callpark::presence
