#include "mediad/engine/source_lock.h"

#include <algorithm>

namespace callpark::media {
namespace {

// Loss and reordering in a network are small; a larger jump is another stream.
constexpr std::uint16_t kSequenceStepMax = 10;

bool follows(std::uint16_t sequence, std::uint16_t previous) {
  const auto step = static_cast<std::uint16_t>(sequence - previous);
  return step >= 1 && step <= kSequenceStepMax;
}

}  // namespace

void SourceLock::signal(const PeerAddress& remote, Latching latching, MonotonicTime now) {
  if (state_ != State::kUnsignalled) {
    if (earlier_.size() == kEarlierMax) earlier_.erase(earlier_.begin());
    earlier_.push_back({signalled_, latched_});
  }
  state_ = State::kSearching;
  signalled_ = remote;
  latched_.reset();
  latching_ = latching;
  until_ = now + kLatchingTime;
  foreign_packets_ = 0;
  candidate_ = {};
}

bool SourceLock::is_of_an_earlier_remote(const PeerAddress& address) const {
  return std::any_of(earlier_.begin(), earlier_.end(), [&](const Earlier& earlier) {
    return !(earlier.signalled == signalled_) && (earlier.signalled == address || earlier.latched == address);
  });
}

bool SourceLock::may_latch(const PeerAddress& from, MonotonicTime now) {
  return latching_ == Latching::kOn && now <= until_ && !is_of_an_earlier_remote(from) &&
         ++foreign_packets_ <= kLatchingPacketsMax;
}

SourceLock::Verdict SourceLock::judge(const PeerAddress& from, std::uint32_t ssrc, std::uint16_t sequence,
                                      MonotonicTime now) {
  if (state_ == State::kUnsignalled) return Verdict::kForeign;
  if (from == signalled_) {
    latched_.reset();
    if (state_ == State::kConfirmed) return Verdict::kOurs;
    state_ = State::kConfirmed;
    return Verdict::kConfirmed;
  }
  if (state_ == State::kLatched && from == *latched_) return Verdict::kOurs;
  if (state_ != State::kSearching || !may_latch(from, now)) return Verdict::kForeign;
  const bool same = candidate_.packets > 0 && candidate_.address == from && candidate_.ssrc == ssrc &&
                    follows(sequence, candidate_.sequence);
  candidate_ = {from, ssrc, sequence, same ? candidate_.packets + 1 : 1};
  if (candidate_.packets < kCrediblePackets) return Verdict::kForeign;
  state_ = State::kLatched;
  latched_ = from;
  return Verdict::kLatched;
}

}  // namespace callpark::media
