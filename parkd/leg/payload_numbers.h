// Payload types keep their meaning (RFC 3264 8.3.2): what each number of a media line has meant in a session, and
// another party's media in numbers that the session has room for. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "parkd/message/sdp.h"
#include "parkd/message/sdp_codecs.h"

namespace callpark::leg {

/// The numbers of one dialog, on either side, by m= line. The first meaning of a number counts.
class PayloadNumbers {
 public:
  void note(const sip::Sdp& sdp);
  /// Each with its number; none of a line that the session does not have.
  const std::vector<sip::Codec>& at(std::size_t line) const;

 private:
  std::vector<std::vector<sip::Codec>> lines_;
};

/// `line` of another party, with a new number for each codec if its own one has another meaning in `used`: that which
/// `used` has for the codec, else one that neither has. A codec without any is left out.
sip::SdpMedia renumbered(const sip::SdpMedia& line, const std::vector<sip::Codec>& used);

/// `line` of an answer without the codecs that have a number of another meaning in `used`, unless no sound is left
/// then.
sip::SdpMedia without_conflicts(const sip::SdpMedia& line, const std::vector<sip::Codec>& used);

/// RTP flows directly between two parties, and each sends with the numbers that it was offered (RFC 3264 5.1). True if
/// one party, for each codec that it `uses`, was `told` the number of the other's `own` description.
bool numbers_agree(const sip::Sdp& told, const sip::Sdp& uses, const sip::Sdp& own);

}  // namespace callpark::leg
