// The versions in the o= lines of parkd's descriptions in one dialog (RFC 3264 8). Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "parkd/message/sdp.h"

namespace callpark::leg {

/// Two descriptions that differ never have one version, and no version is below an earlier one: a strict remote side
/// ignores a description with a version that it knows, and it knows those of offers that it has refused, too.
class DescriptionVersions {
 public:
  /// The remote side has `sdp`, and may have been sent `unknown` more that parkd does not know of.
  void continue_from(const std::optional<sip::Sdp>& sdp, std::uint64_t unknown) {
    highest_ = (sdp ? sdp->origin.version : 0) + unknown;
    last_.reset();
  }
  /// `sdp` was sent as it is.
  void note(const sip::Sdp& sdp) {
    highest_ = std::max(highest_, sdp.origin.version);
    last_ = sdp;
  }
  /// `sdp` as it has to be sent, with the version that it has if that is new. The last one may be sent again
  /// under its version.
  sip::Sdp next(sip::Sdp sdp) {
    const std::uint64_t wanted = sdp.origin.version;
    if (last_) {
      sdp.origin.version = last_->origin.version;
      if (wanted <= last_->origin.version && sdp == *last_) return sdp;
    }
    sdp.origin.version = std::max(wanted, highest_ + 1);
    note(sdp);
    return sdp;
  }

 private:
  std::uint64_t highest_ = 0;
  std::optional<sip::Sdp> last_;
};

}  // namespace callpark::leg
