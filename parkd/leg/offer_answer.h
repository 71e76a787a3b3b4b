// Session descriptions with mediad's media (RFC 3264): music offered into a session that two others set up, and answers
// for calls that mediad serves. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parkd/call/media.h"
#include "parkd/leg/codec_choice.h"
#include "parkd/leg/payload_numbers.h"
#include "parkd/message/sdp.h"
#include "parkd/message/sip_message.h"
#include "parkd/transport/endpoint.h"

namespace callpark::leg {

/// All of them are a 488 (Not Acceptable Here) when an offer came, and an end of the attempt when an answer came.
enum class OfferError : std::uint8_t {
  /// No audio line with a port.
  kNoAudio,
  /// Only such that need SRTP.
  kNotPlainRtp,
  kNoCommonCodec,
  /// Only packets that are shorter than those of mediad.
  kShortPackets,
  /// No numeric address to send to.
  kNoAddress,
  /// An address of the IP family that mediad has no address of.
  kOtherFamily,
  /// A SIP socket of parkd or Kamailio.
  kOwnSocket,
};

/// A sentence for people, without a full stop. Static text.
std::string_view sentence(OfferError error) noexcept;

/// `remote.codec` is named as in the list of playable codecs, its payload types are those that the remote side
/// receives; `remote.listens` is false while it holds the call.
struct MediaAnswer {
  sip::Sdp answer;
  MediaRemote remote;
};

/// The session description in a message; nothing if there is none, or none that can be read.
std::optional<sip::Sdp> description_in(const sip::SipMessage& message);

/// Reads what Kamailio keeps of a description (X-Callpark-Dialog); a last line that was cut off is left out. None for
/// an empty text or one that cannot be read: the functions below do without.
std::optional<sip::Sdp> read_sdp_digest(std::string_view digest);

/// Offers mediad's music in a session. `our_previous` is the last description of the side that parkd speaks for, be it
/// by the user agent that parkd replaces or by parkd, `their_previous` the other side's last one. With them the offer
/// keeps the m= lines where they are, all but one audio line with port 0, continues the o= line with version + 1,
/// and offers only codecs that the other side has shown, under the payload types that our side has used for them, else
/// the other side's, and never gives a number of ours, or of `numbers`, another meaning (RFC 3264 8.3.2). Without, it
/// is a first offer of all codecs. Always sendrecv: a party that holds the call repeats that in its answer.
sip::Sdp make_music_offer(const std::optional<sip::Sdp>& our_previous, const std::optional<sip::Sdp>& their_previous,
                          const MediaAddress& mediad, const std::vector<PlayableCodec>& codecs,
                          const PayloadNumbers& numbers = {});

/// Answers an offer for a call that mediad serves: one audio line with the first codec of the offer that mediad can
/// send, and telephone-event; every other line with port 0. `our_origin` is the o= line we sent last in this session.
/// mediad must send to none of `own_sockets`, neither RTP nor RTCP.
Result<MediaAnswer, OfferError> answer_with_media(const sip::Sdp& offer, const MediaAddress& mediad,
                                                  const std::vector<PlayableCodec>& codecs,
                                                  const std::optional<sip::SdpOrigin>& our_origin,
                                                  const std::vector<sip::Endpoint>& own_sockets = {});

/// Reads the answer to an offer of make_music_offer(). `own_sockets` as above.
Result<MediaRemote, OfferError> read_answer(const sip::Sdp& offer, const sip::Sdp& answer,
                                            const std::vector<sip::Endpoint>& own_sockets = {});

}  // namespace callpark::leg
