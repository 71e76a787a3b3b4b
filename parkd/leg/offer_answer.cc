#include "parkd/leg/offer_answer.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "parkd/leg/sdp_lines.h"
#include "parkd/message/session_body.h"

namespace callpark::leg {

using sip::Direction;
using sip::Sdp;
using sip::SdpConnection;
using sip::SdpMedia;
using sip::SdpOrigin;

namespace {

// What mediad reads as a hold.
constexpr const char* kNoAddress = "0.0.0.0";

bool is_ip6(const std::string& address) {
  return address.find(':') != std::string::npos;
}

SdpConnection connection_to(const MediaAddress& mediad) {
  return {"IN", is_ip6(mediad.address) ? "IP6" : "IP4", mediad.address};
}

// Numeric, since mediad resolves no names; no multicast group (224.0.0.0/4, ff00::/8); and of mediad's family, since
// mediad has one address.
std::optional<OfferError> fault_of(const SdpConnection& connection, bool mediad_is_ip6) {
  if (sip::is_no_address(connection.address)) return std::nullopt;
  const char* text = connection.address.c_str();
  const bool connection_is_ip6 = connection.address_type == "IP6";
  if (connection_is_ip6) {
    in6_addr address;
    if (inet_pton(AF_INET6, text, &address) != 1 || address.s6_addr[0] == 0xff) return OfferError::kNoAddress;
  } else {
    in_addr address;
    if (inet_pton(AF_INET, text, &address) != 1 || ntohl(address.s_addr) >> 28 == 0xe) return OfferError::kNoAddress;
  }
  return connection_is_ip6 == mediad_is_ip6 ? std::nullopt : std::optional(OfferError::kOtherFamily);
}

// RTCP goes to the port above.
bool is_one_of(const std::vector<sip::Endpoint>& sockets, const SdpConnection& connection, int port) {
  const auto address = sip::IpAddress::parse(connection.address);
  return std::any_of(sockets.begin(), sockets.end(), [&](const sip::Endpoint& socket) {
    return address == socket.address && (port == socket.port || port + 1 == socket.port);
  });
}

SdpOrigin first_origin(const MediaAddress& mediad) {
  const auto connection = connection_to(mediad);
  return {"-", std::to_string(mediad.port), 1, connection.network_type, connection.address_type, connection.address};
}

bool is_plain_rtp(const SdpMedia& line) {
  return line.protocol == "RTP/AVP" || line.protocol == "RTP/AVPF";
}

bool is_active_audio(const SdpMedia& line) {
  return line.media == kAudio && line.port != 0;
}

SdpMedia audio_line(const MediaAddress& mediad, std::string protocol) {
  SdpMedia line;
  line.media = kAudio;
  line.port = mediad.port;
  line.protocol = std::move(protocol);
  return line;
}

const SdpMedia* line_at(const std::optional<Sdp>& sdp, std::size_t index) {
  return sdp && index < sdp->media.size() ? &sdp->media[index] : nullptr;
}

bool is_in_use(const std::optional<Sdp>& sdp, std::size_t index) {
  const SdpMedia* line = line_at(sdp, index);
  return !line || line->port != 0;
}

// The audio line in use on both sides; else any, since a line that was switched off may be used again (RFC 3264 8.1);
// else the one that has to be added.
std::size_t choose_audio_line(const std::vector<SdpMedia>& lines, const std::optional<Sdp>& ours,
                              const std::optional<Sdp>& theirs) {
  std::size_t chosen = lines.size();
  for (std::size_t index = 0; index < lines.size(); ++index) {
    if (lines[index].media != kAudio) continue;
    if (is_in_use(ours, index) && is_in_use(theirs, index)) return index;
    if (chosen == lines.size()) chosen = index;
  }
  return chosen;
}

std::vector<sip::Codec> codecs_at(const std::optional<Sdp>& sdp, std::size_t index) {
  const SdpMedia* line = line_at(sdp, index);
  return line && line->media == kAudio ? sip::codecs(*line) : std::vector<sip::Codec>{};
}

// ---- reading the line of the other side ----

struct AgreedLine {
  sip::Codec codec;
  std::optional<sip::Codec> events;
  MediaRemote remote;
};

// How long a packet for this line may be (RFC 4566 6: maxptime binds, ptime is a request), of what mediad can send.
constexpr int kPacketMs = 20;
constexpr int kShortPacketMs = 10;

bool fits(int packet_ms, const SdpMedia& line) {
  const auto longest = sip::maxptime(line);
  return !longest || *longest == 0 || static_cast<std::uint32_t>(packet_ms) <= *longest;
}

// mediad cuts no opus.
std::optional<int> packet_ms(const SdpMedia& line, const sip::Codec& codec) {
  const bool can_be_short = !is_opus(codec);
  const auto wish = sip::ptime(line);
  const bool wants_short = wish && *wish != 0 && *wish < static_cast<std::uint32_t>(kPacketMs);
  if (can_be_short && wants_short && fits(kShortPacketMs, line)) return kShortPacketMs;
  if (fits(kPacketMs, line)) return kPacketMs;
  return can_be_short && fits(kShortPacketMs, line) ? std::optional(kShortPacketMs) : std::nullopt;
}

// `codecs` is those of the line, in sequence.
Result<AgreedLine, OfferError> agree_on(const Sdp& party, const SdpMedia& line, const std::vector<sip::Codec>& codecs,
                                        const std::vector<PlayableCodec>& playable, bool mediad_is_ip6,
                                        const std::vector<sip::Endpoint>& own_sockets) {
  if (!is_active_audio(line)) return failure(OfferError::kNoAudio);
  if (!is_plain_rtp(line)) return failure(OfferError::kNotPlainRtp);
  const auto is_playable = [&](const sip::Codec& each) { return find_playable(playable, each) != nullptr; };
  const auto codec = std::find_if(codecs.begin(), codecs.end(),
                                  [&](const sip::Codec& each) { return is_playable(each) && packet_ms(line, each); });
  if (codec == codecs.end()) {
    const bool are_too_long = std::any_of(codecs.begin(), codecs.end(), is_playable);
    return failure(are_too_long ? OfferError::kShortPackets : OfferError::kNoCommonCodec);
  }
  const SdpConnection* connection = sip::connection(party, line);
  if (!connection) return failure(OfferError::kNoAddress);
  if (const auto fault = fault_of(*connection, mediad_is_ip6)) return failure(*fault);
  if (is_one_of(own_sockets, *connection, line.port)) return failure(OfferError::kOwnSocket);

  AgreedLine agreed;
  agreed.codec = *codec;
  agreed.remote.remote = {sip::is_no_address(connection->address) ? kNoAddress : connection->address, line.port};
  agreed.remote.codec.name = find_playable(playable, *codec)->name;
  agreed.remote.codec.payload_type = codec->payload_type;
  agreed.remote.codec.clock_rate = static_cast<int>(codec->clock_rate);
  agreed.remote.codec.packet_ms = *packet_ms(line, *codec);
  if (const sip::Codec* events = find_telephone_event(codecs, codec->clock_rate)) {
    agreed.events = *events;
    agreed.remote.codec.telephone_event = events->payload_type;
  }
  agreed.remote.listens = sends(towards(party, line));
  return agreed;
}

// RFC 3264 6.1 lets an answer use its own numbers, but then it has to define them. A number that it does not
// define means what it meant in the offer.
std::vector<sip::Codec> codecs_of_answer(const SdpMedia& answer, const std::vector<sip::Codec>& offered) {
  SdpMedia completed;
  for (const auto& codec : offered) sip::add_codec(completed, codec);
  completed.protocol = answer.protocol;
  completed.formats = answer.formats;
  // Behind, so that the definitions of the answer count.
  completed.attributes.insert(completed.attributes.end(), answer.attributes.begin(), answer.attributes.end());
  return sip::codecs(completed);
}

}  // namespace

std::string_view sentence(OfferError error) noexcept {
  switch (error) {
    case OfferError::kNoAudio:
      return "there is no audio in it";
    case OfferError::kNotPlainRtp:
      return "its audio is for SRTP only";
    case OfferError::kNoCommonCodec:
      return "there is no codec in common";
    case OfferError::kShortPackets:
      return "it accepts only packets that are shorter than those of mediad";
    case OfferError::kNoAddress:
      return "it has no numeric address to send audio to";
    case OfferError::kOtherFamily:
      return "its address is of the IP family that mediad has no address of";
    case OfferError::kOwnSocket:
      return "its audio is to go to a SIP socket";
  }
  return {};
}

std::optional<Sdp> description_in(const sip::SipMessage& message) {
  auto sdp = sip::parse_sdp(sip::session_description(message));
  if (!sdp) return std::nullopt;
  return *std::move(sdp);
}

std::optional<Sdp> read_sdp_digest(std::string_view digest) {
  while (!digest.empty() && (digest.back() == '\n' || digest.back() == '\r')) digest.remove_suffix(1);
  if (digest.empty()) return std::nullopt;
  auto sdp = sip::parse_sdp(digest, sip::SdpForm::kDigest);
  const auto last_line = digest.rfind('\n');
  if (!sdp && last_line != std::string_view::npos) {
    sdp = sip::parse_sdp(digest.substr(0, last_line + 1), sip::SdpForm::kDigest);
  }
  return sdp ? std::optional(std::move(*sdp)) : std::nullopt;
}

Sdp make_music_offer(const std::optional<Sdp>& our_previous, const std::optional<Sdp>& their_previous,
                     const MediaAddress& mediad, const std::vector<PlayableCodec>& codecs,
                     const PayloadNumbers& numbers) {
  const auto lines = lines_of_session(our_previous, their_previous);
  const std::size_t audio = choose_audio_line(lines, our_previous, their_previous);

  Sdp offer;
  offer.origin = continued(origin_of(our_previous)).value_or(first_origin(mediad));
  offer.connection = connection_to(mediad);
  for (const auto& line : lines) offer.media.push_back(refused(line));
  if (audio == lines.size()) offer.media.emplace_back();

  const bool keeps_protocol = audio < lines.size() && is_plain_rtp(lines[audio]);
  SdpMedia& line = offer.media[audio];
  line = audio_line(mediad, keeps_protocol ? lines[audio].protocol : "RTP/AVP");
  add_codecs(line, codecs_at(our_previous, audio), codecs_at(their_previous, audio), codecs, numbers.at(audio));
  sip::set_direction(line, Direction::kSendRecv);
  return offer;
}

Result<MediaAnswer, OfferError> answer_with_media(const Sdp& offer, const MediaAddress& mediad,
                                                  const std::vector<PlayableCodec>& codecs,
                                                  const std::optional<SdpOrigin>& our_origin,
                                                  const std::vector<sip::Endpoint>& own_sockets) {
  MediaAnswer result;
  result.answer.origin = continued(our_origin).value_or(first_origin(mediad));
  result.answer.connection = connection_to(mediad);
  bool has_audio = false;
  OfferError error = OfferError::kNoAudio;
  for (const auto& offered : offer.media) {
    SdpMedia& line = result.answer.media.emplace_back(refused(offered));
    if (has_audio) continue;
    const auto agreed = agree_on(offer, offered, sip::codecs(offered), codecs, is_ip6(mediad.address), own_sockets);
    if (!agreed) {
      // The enumerators follow the checks of a line: the one that came furthest shows most.
      error = std::max(error, agreed.error());
      continue;
    }
    has_audio = true;
    result.remote = agreed->remote;
    line = audio_line(mediad, offered.protocol);
    sip::add_codec(
        line, {agreed->codec.payload_type, agreed->codec.name, agreed->codec.clock_rate, agreed->codec.channels, {}});
    if (const auto& events = agreed->events) {
      sip::add_codec(line, telephone_event(events->payload_type, events->clock_rate));
    }
    sip::set_direction(line, towards(offer, offered));
  }
  if (!has_audio) return failure(error);
  return result;
}

Result<MediaRemote, OfferError> read_answer(const Sdp& offer, const Sdp& answer,
                                            const std::vector<sip::Endpoint>& own_sockets) {
  const auto offered = std::find_if(offer.media.begin(), offer.media.end(), is_active_audio);
  const auto index = static_cast<std::size_t>(offered - offer.media.begin());
  if (offered == offer.media.end() || index >= answer.media.size()) return failure(OfferError::kNoAudio);
  const auto offered_codecs = sip::codecs(*offered);
  std::vector<PlayableCodec> playable;
  for (const auto& codec : offered_codecs) {
    if (!is_telephone_event(codec)) playable.push_back({codec.name, codec.clock_rate, codec.payload_type});
  }
  const SdpMedia& line = answer.media[index];
  const SdpConnection* ours = sip::connection(offer, *offered);
  const auto agreed = agree_on(answer, line, codecs_of_answer(line, offered_codecs), playable,
                               ours && is_ip6(ours->address), own_sockets);
  if (!agreed) return failure(agreed.error());
  return agreed->remote;
}

}  // namespace callpark::leg
