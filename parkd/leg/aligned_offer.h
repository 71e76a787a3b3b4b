// Session descriptions that pass one party's media on to another (RFC 3264). Pure.
#pragma once

#include <optional>

#include "parkd/leg/payload_numbers.h"
#include "parkd/message/sdp.h"

namespace callpark::leg {

/// Offers another party's media to this one inside the existing session of this one. The lines are those of the
/// session, by type: the other's first audio goes to the first audio line and so on, lines that the other has not get
/// port 0, lines that only the other has are added at the end. The o= line continues ours with version + 1. Audio
/// becomes sendrecv unless the other holds, whatever it once answered to another party. A number that has another
/// meaning in the session (`numbers`) is replaced.
sip::Sdp align_offer(const sip::Sdp& other_party, const std::optional<sip::Sdp>& our_previous,
                     const std::optional<sip::Sdp>& their_previous, const PayloadNumbers& numbers = {});

/// True if two descriptions receive the sound at the same place, or neither receives any.
bool is_heard_alike(const sip::Sdp& one, const sip::Sdp& other);

/// Turns the answer that an offer of align_offer() got into the answer for the other party, which had offered
/// `original_offer`: its lines where they were, those without a counterpart refused with port 0. A codec is left out
/// if its number means something else in the original offer and another codec is there.
sip::Sdp align_answer(const sip::Sdp& answer, const sip::Sdp& original_offer,
                      const std::optional<sip::SdpOrigin>& our_origin);

}  // namespace callpark::leg
