#include "parkd/leg/sdp_lines.h"

#include <cstddef>

namespace callpark::leg {

using sip::Direction;
using sip::Sdp;
using sip::SdpMedia;
using sip::SdpOrigin;

namespace {

bool receives(Direction direction) {
  return direction == Direction::kSendRecv || direction == Direction::kRecvOnly;
}

Direction direction_of(bool send, bool receive) {
  if (send) return receive ? Direction::kSendRecv : Direction::kSendOnly;
  return receive ? Direction::kRecvOnly : Direction::kInactive;
}

}  // namespace

std::optional<SdpOrigin> continued(const std::optional<SdpOrigin>& previous) {
  auto origin = previous;
  if (origin) ++origin->version;
  return origin;
}

std::optional<SdpOrigin> origin_of(const std::optional<Sdp>& sdp) {
  return sdp ? std::optional(sdp->origin) : std::nullopt;
}

bool sends(Direction direction) {
  return direction == Direction::kSendRecv || direction == Direction::kSendOnly;
}

Direction within(Direction answer, Direction offer) {
  return direction_of(sends(answer) && receives(offer), receives(answer) && sends(offer));
}

Direction towards(const Sdp& party, const SdpMedia& line) {
  const auto ours = sip::reversed(sip::direction(party, line));
  return direction_of(sends(ours) && !sip::is_hold(party, line), receives(ours));
}

SdpMedia refused(const SdpMedia& line) {
  SdpMedia result;
  result.media = line.media;
  result.protocol = line.protocol;
  result.formats = line.formats;
  if (result.formats.empty()) result.formats.emplace_back("0");
  return result;
}

std::vector<SdpMedia> lines_of_session(const std::optional<Sdp>& ours, const std::optional<Sdp>& theirs) {
  std::vector<SdpMedia> lines;
  if (ours) lines = ours->media;
  if (theirs && theirs->media.size() > lines.size()) {
    lines.insert(lines.end(), theirs->media.begin() + static_cast<std::ptrdiff_t>(lines.size()), theirs->media.end());
  }
  return lines;
}

}  // namespace callpark::leg
