// The other end of a dialog: what it is to the tenant, and what it is called for people.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace callpark {

struct Extension {
  std::string tenant;
  std::string number;
  friend auto operator<=>(const Extension&, const Extension&) = default;
};
/// A trunk of the tenant, by its name.
struct Trunk {
  std::string name;
  friend auto operator<=>(const Trunk&, const Trunk&) = default;
};
/// A party beyond the trunks. The number is the one that was dialled to reach it, or "".
struct Outside {
  std::string number;
  friend auto operator<=>(const Outside&, const Outside&) = default;
};
using Party = std::variant<Outside, Extension, Trunk>;

/// A dialled number as the party that it reaches: outside numbers begin with a plus, extensions are digits.
Party party_of_number(const std::string& tenant, const std::string& number);
/// "102@demo.callpark", or nothing if `aor` has no such form.
std::optional<Extension> extension_of_aor(std::string_view aor);
std::string aor_of(const Extension& extension);
/// The extension, if `party` is one.
const Extension* extension_in(const Party& party);
/// What people call the party: the number of an extension or of an outside party, "trunk NAME" of a trunk.
std::string text_of(const Party& party);

/// Name and number for displays, texts, lamps and events. Both are empty if they are unknown or withheld.
struct PartyIdentity {
  std::string name;
  std::string number;
  friend bool operator==(const PartyIdentity&, const PartyIdentity&) = default;
};

/// The two ends of a conversation: the caller is parked, the peer parks or retrieves.
enum class PartyEnd { kCaller, kPeer };

inline PartyEnd other_end(PartyEnd end) {
  return end == PartyEnd::kCaller ? PartyEnd::kPeer : PartyEnd::kCaller;
}

}  // namespace callpark
