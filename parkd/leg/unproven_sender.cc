#include "parkd/leg/unproven_sender.h"

#include <optional>
#include <string_view>

#include "kamailio_protocol/headers.h"
#include "parkd/message/sip_uri.h"
#include "parkd/transport/endpoint.h"

namespace callpark::leg {
namespace {

std::optional<sip::IpAddress> reached_at(const sip::DialogState& dialog) {
  const auto target = sip::parse_uri(dialog.remote_target);
  if (!target) return std::nullopt;
  // "203.0.113.7~49152~1": host, port, transport
  const auto alias = target->params().get("alias");
  return sip::IpAddress::parse(alias ? alias->substr(0, alias->find('~')) : std::string_view(target->host()));
}

}  // namespace

bool is_from_stranger(const sip::SipMessage& request, const sip::DialogState& dialog) {
  const auto marked = request.header(kamailio_protocol::kUnproven);
  if (!marked) return false;
  const auto sender = sip::IpAddress::parse(*marked);
  return !sender || sender != reached_at(dialog);
}

}  // namespace callpark::leg
