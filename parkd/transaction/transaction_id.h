// How a message names its transaction: RFC 3261 17.1.3 for responses, 17.2.3 for requests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parkd/message/sip_message.h"

namespace callpark::sip {

/// RFC 3261 8.1.1.7: a branch that begins like this is unique in space and time.
inline constexpr std::string_view kMagicCookie = "z9hG4bK";

/// Writes our own branches, and finds by a response's branch which of our transactions it belongs to.
class ClientBranches {
 public:
  /// `instance` distinguishes the branches of this run of the process from those of every other.
  explicit ClientBranches(std::uint64_t instance);
  std::string branch(std::uint64_t number) const;
  /// Returns none for a branch that is not ours.
  std::optional<std::uint64_t> number(std::string_view branch) const noexcept;

 private:
  std::string prefix_;
};

/// Returns what a request and its copies have in common and no other request has. `method` is INVITE for the ACK of a
/// non-2xx response and for the look-up of a CANCEL's INVITE, else the request's own.
// RFC 3261 17.2.3: with the magic cookie it is branch, sent-by and method; without, the fields that RFC 2543 compared.
std::string server_transaction_id(const SipMessage& request, std::string_view method);

}  // namespace callpark::sip
