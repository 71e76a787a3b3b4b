// The lines, directions and origins of session descriptions, as offers and answers use them (RFC 3264). Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "parkd/message/sdp.h"

namespace callpark::leg {

inline constexpr std::string_view kAudio = "audio";

/// RFC 3264 8: the o= line stays "except that the version in the origin field MUST increment by one". Nothing for
/// nothing.
std::optional<sip::SdpOrigin> continued(const std::optional<sip::SdpOrigin>& previous);
std::optional<sip::SdpOrigin> origin_of(const std::optional<sip::Sdp>& sdp);

bool sends(sip::Direction direction);
/// RFC 3264 6.1: an answer does nothing that the offer leaves no room for.
sip::Direction within(sip::Direction answer, sip::Direction offer);
/// parkd's direction towards a party with this description. RFC 3264 8.4: an address of 0.0.0.0 also means that nothing
/// is to be sent.
sip::Direction towards(const sip::Sdp& party, const sip::SdpMedia& line);

/// RFC 3264 6: a line refused keeps media type, transport and at least one format.
sip::SdpMedia refused(const sip::SdpMedia& line);
/// The lines that a new offer in this session must have at least. Both sides' descriptions have the same ones, unless
/// an offer with more was refused: to have those too is allowed, to have fewer is not.
std::vector<sip::SdpMedia> lines_of_session(const std::optional<sip::Sdp>& ours, const std::optional<sip::Sdp>& theirs);

}  // namespace callpark::leg
