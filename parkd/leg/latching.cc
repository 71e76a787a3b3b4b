#include "parkd/leg/latching.h"

#include <string_view>

#include "parkd/message/sip_uri.h"

namespace callpark::leg {

MediaRemote with_latching(MediaRemote remote, const sip::DialogState& dialog) {
  const auto target = sip::parse_uri(dialog.remote_target);
  const auto alias = target ? target->params().get("alias") : std::nullopt;
  // "203.0.113.7~49152~1": host, port, transport
  const std::string_view source = alias ? alias->substr(0, alias->find('~')) : std::string_view{};
  remote.latching = !source.empty() && source != remote.remote.address;
  return remote;
}

}  // namespace callpark::leg
