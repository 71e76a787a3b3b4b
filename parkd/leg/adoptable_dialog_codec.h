// The confirmed dialog of two others that Kamailio hands to parkd for adoption, as JSON in one header line, and the
// dialogs that parkd makes of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "parkd/dialog/dialog.h"

namespace callpark::leg {

struct AdoptableDialog {
  enum class Side : std::uint8_t { kCaller, kCallee };
  enum class Kind : std::uint8_t { kExtension, kTrunk };

  struct Party {
    std::string tag;
    std::string uri;
    std::string display;
    /// The URI of its Contact, as requests inside the dialog have to carry it.
    std::string contact;
    /// Of its last request inside the dialog; 0 when it has sent none.
    std::uint32_t cseq = 0;
    /// What lies beyond Kamailio on its side; usually empty.
    sip::RouteSet route_set;
    /// o=, c=, m= and some attributes of the last description it sent; see read_sdp_digest().
    std::string sdp;
    Kind kind = Kind::kExtension;

    bool operator==(const Party&) const = default;
  };

  std::string call_id;
  Side parker = Side::kCaller;
  /// Kamailio's own Route for this dialog.
  sip::RouteSet route;
  Party caller;
  Party callee;

  const Party& parking() const noexcept { return parker == Side::kCaller ? caller : callee; }
  /// The one that is going to be parked.
  const Party& other() const noexcept { return parker == Side::kCaller ? callee : caller; }

  bool operator==(const AdoptableDialog&) const = default;
};

/// Says which member is missing or wrong: "callee.tag: a text that is not empty is wanted".
struct AdoptableDialogError {
  std::string sentence;
};

Result<AdoptableDialog, AdoptableDialogError> decode_adoptable_dialog(std::string_view json);
/// One line.
std::string encode_adoptable_dialog(const AdoptableDialog& dialog);

/// parkd in the parker's place towards the other party. CSeqs are the last ones that Kamailio saw: leave a gap.
sip::DialogState in_place_of_parker(const AdoptableDialog& dialog);
/// parkd in the other party's place towards the parker.
sip::DialogState towards_parker(const AdoptableDialog& dialog);

}  // namespace callpark::leg
