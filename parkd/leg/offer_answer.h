// What parkd says in session descriptions (RFC 3264): music from mediad offered into a session that two others set up,
// answers for calls that mediad serves, and one party's media passed on to another. Pure; sends nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parkd/call/media.h"
#include "parkd/leg/codec_choice.h"
#include "parkd/message/sdp.h"
#include "parkd/message/sip_message.h"

namespace callpark::leg {

/// All of them are a 488 (Not Acceptable Here) when an offer came, and an end of the attempt when an answer came.
enum class OfferError : std::uint8_t {
  /// No audio line with a port.
  kNoAudio,
  /// Only such that want SRTP.
  kNotPlainRtp,
  kNoCommonCodec,
  /// No numeric address to send to.
  kNoAddress,
};

/// A sentence for people, without a full stop. Static text.
std::string_view sentence(OfferError error) noexcept;

/// `remote.codec` is named as in the list of playable codecs, its payload types are those under which the remote wants
/// to receive; `remote.listens` is false when it has us on hold.
struct MediaAnswer {
  sip::Sdp answer;
  MediaRemote remote;
};

/// The session description in a message; nothing if there is none, or none that can be read.
std::optional<sip::Sdp> description_in(const sip::SipMessage& message);

/// Reads what Kamailio keeps of a description (X-Callpark-Dialog); a last line that was cut off is left out. None for
/// an empty text or one that cannot be read: the functions below do without.
std::optional<sip::Sdp> read_sdp_digest(std::string_view digest);

/// Offers mediad's music in a session. `our_previous` is the last description sent on the side that we speak for, be it
/// by the user agent whose place we take or by us, `their_previous` the other side's last one. With them the offer
/// keeps number and order of the m= lines, all but one audio line with port 0, continues the o= line with version + 1,
/// and offers only codecs that the other side has shown, under the payload types that our side has used for them, else
/// the other side's, and never gives a number of ours another meaning (RFC 3264 8.3.2). Without, it is a first offer of
/// all codecs. Always sendrecv: a party that has us on hold says so again in its answer.
sip::Sdp make_music_offer(const std::optional<sip::Sdp>& our_previous, const std::optional<sip::Sdp>& their_previous,
                          const MediaAddress& mediad, const std::vector<PlayableCodec>& codecs);

/// Answers an offer for a call that mediad serves: one audio line with the first codec of the offer that mediad can
/// send, and telephone-event; every other line with port 0. `our_origin` is the o= line we sent last in this session.
Result<MediaAnswer, OfferError> answer_with_media(const sip::Sdp& offer, const MediaAddress& mediad,
                                                  const std::vector<PlayableCodec>& codecs,
                                                  const std::optional<sip::SdpOrigin>& our_origin);

/// Reads the answer to an offer of make_music_offer().
Result<MediaRemote, OfferError> read_answer(const sip::Sdp& offer, const sip::Sdp& answer);

/// Offers another party's media to this one inside the existing session of this one. The lines are those of the
/// session, by type: the other's first audio goes to the first audio line and so on, lines that the other has not get
/// port 0, lines that only the other has are added at the end. The o= line continues ours with version + 1. Audio
/// becomes sendrecv unless the other holds, whatever it once answered to somebody else.
sip::Sdp align_offer(const sip::Sdp& other_party, const std::optional<sip::Sdp>& our_previous,
                     const std::optional<sip::Sdp>& their_previous);

/// Whether two descriptions want the sound at the same place, or neither wants any.
bool is_heard_alike(const sip::Sdp& one, const sip::Sdp& other);

/// Turns the answer that an offer of align_offer() got into the answer for the other party, whose own offer
/// `original_offer` was: its lines in its order, those without a counterpart refused with port 0.
sip::Sdp align_answer(const sip::Sdp& answer, const sip::Sdp& original_offer,
                      const std::optional<sip::SdpOrigin>& our_origin);

}  // namespace callpark::leg
