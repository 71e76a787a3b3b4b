#include "parkd/transaction/transaction_id.h"

#include <array>
#include <cctype>
#include <charconv>

namespace callpark::sip {
namespace {

constexpr std::uint16_t kDefaultPort = 5060;
// Separates the parts. No part of a parsed message can contain it.
constexpr char kSeparator = '\n';

std::string hexadecimal(std::uint64_t value) {
  std::array<char, 16> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, 16).ptr;
  return {text.data(), end};
}

void append_lower(std::string& out, std::string_view text) {
  for (const char c : text) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

}  // namespace

ClientBranches::ClientBranches(std::uint64_t instance)
    : prefix_(std::string(kMagicCookie) + hexadecimal(instance) + ".") {}

std::string ClientBranches::branch(std::uint64_t number) const {
  return prefix_ + hexadecimal(number);
}

std::optional<std::uint64_t> ClientBranches::number(std::string_view branch) const noexcept {
  if (branch.substr(0, prefix_.size()) != prefix_) return std::nullopt;
  branch.remove_prefix(prefix_.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(branch.data(), branch.data() + branch.size(), number, 16);
  if (error != std::errc() || end != branch.data() + branch.size()) return std::nullopt;
  return number;
}

std::string server_transaction_id(const SipMessage& request, std::string_view method) {
  const Via via = request.top_via();
  std::string id;
  id.reserve(128);
  if (via.branch().substr(0, kMagicCookie.size()) == kMagicCookie) {
    id += via.branch();
  } else {
    // The To tag is omitted, because the ACK has one that the INVITE had not; the rest already identifies one request.
    ((id += "2543") += kSeparator) += request.request_uri_text();
    (id += kSeparator) += request.call_id();
    (id += kSeparator) += request.from_tag();
    (id += kSeparator) += std::to_string(request.cseq().number);
    (id += kSeparator) += via.branch();
  }
  append_lower(id += kSeparator, via.host);
  (id += ':') += std::to_string(via.port.value_or(kDefaultPort));
  (id += kSeparator) += method;
  return id;
}

}  // namespace callpark::sip
