#include "parkd/transport/response_routing.h"

#include <strings.h>

#include <string>

namespace callpark::sip {
namespace {

constexpr std::uint16_t kDefaultPort = 5060;

bool is(const std::string& text, const char* word) {
  return strcasecmp(text.c_str(), word) == 0;
}

}  // namespace

void note_source(SipMessage& request, const Endpoint& source) {
  Via via = request.top_via();
  // RFC 3261 18.2.1: the server adds "received" if the host of sent-by is a name or another address than the source.
  // RFC 3581 4: it adds "received" in any case if the client sent "rport".
  const bool differs = IpAddress::parse(via.host) != source.address;
  if (!differs && !via.has_rport()) {
    if (via.params.has("received")) {
      // Only this server may set the source address of the request.
      via.params.remove("received");
      request.set_top_via(via);
    }
    return;
  }
  via.params.set("received", source.address.to_string());
  if (via.has_rport()) via.params.set("rport", std::to_string(source.port));
  request.set_top_via(via);
}

std::optional<Endpoint> response_endpoint(const Via& top_via) {
  Endpoint endpoint;
  if (is(top_via.transport, "TCP")) {
    endpoint.protocol = TransportProtocol::kTcp;
  } else if (!is(top_via.transport, "UDP")) {
    return std::nullopt;
  }
  // RFC 3261 18.2.2: "received" if present, else the host of sent-by.
  const auto received = top_via.received();
  const auto address = IpAddress::parse(received.empty() ? std::string_view(top_via.host) : received);
  if (!address) return std::nullopt;
  endpoint.address = *address;
  endpoint.port = top_via.port.value_or(kDefaultPort);
  // RFC 3581 4: over UDP the response goes to the port that the request came from. A new TCP connection goes to the
  // port of sent-by, where the peer listens.
  const auto rport = top_via.rport();
  if (endpoint.protocol == TransportProtocol::kUdp && rport) endpoint.port = *rport;
  return endpoint;
}

Endpoint response_endpoint(const SipMessage& request, const Endpoint& source) {
  // RFC 3261 18.2.2: over a reliable transport the response goes back by the connection of the request.
  if (source.protocol == TransportProtocol::kTcp) return source;
  auto endpoint = response_endpoint(request.top_via());
  // A request that came by UDP is answered by UDP, whatever transport its Via names.
  if (!endpoint || endpoint->protocol != TransportProtocol::kUdp) return source;
  return *endpoint;
}

}  // namespace callpark::sip
