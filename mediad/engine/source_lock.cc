#include "mediad/engine/source_lock.h"

namespace callpark::media {
namespace {

// Loss and reordering in a network are small; a larger jump is another stream.
constexpr std::uint16_t kSequenceStepMax = 10;

bool follows(std::uint16_t sequence, std::uint16_t previous) {
  const auto step = static_cast<std::uint16_t>(sequence - previous);
  return step >= 1 && step <= kSequenceStepMax;
}

}  // namespace

SourceLock::Verdict SourceLock::lock(const PeerAddress& address) {
  state_ = Locked{address};
  return Verdict::kLocked;
}

SourceLock::Verdict SourceLock::judge(const PeerAddress& from, std::uint32_t ssrc, std::uint16_t sequence,
                                      MonotonicTime now) {
  if (const auto* locked = std::get_if<Locked>(&state_)) {
    return from == locked->address ? Verdict::kOurs : Verdict::kForeign;
  }
  if (from == signalled_) return lock(from);
  auto& searching = std::get<Searching>(state_);
  if (searching.learning == Learning::kForbidden || now > searching.until ||
      ++searching.foreign_packets > kLearningPacketsMax) {
    return Verdict::kForeign;
  }
  Candidate& candidate = searching.candidate;
  const bool same = candidate.packets > 0 && candidate.address == from && candidate.ssrc == ssrc &&
                    follows(sequence, candidate.sequence);
  candidate = {from, ssrc, sequence, same ? candidate.packets + 1 : 1};
  if (candidate.packets < kCrediblePackets) return Verdict::kForeign;
  return lock(PeerAddress(from));
}

}  // namespace callpark::media
