// The names under which parkd knows what it has: a parked call, a call, a conversation, a referral. Each is a type of
// its own, so that the compiler keeps them apart.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace callpark {

/// Names a parked call for ever, in every process and every table: 26 characters of base 32 (130 bits) from a
/// cryptographic source, or "" for none.
class ParkId {
 public:
  static constexpr std::size_t kLength = 26;
  ParkId() = default;
  explicit ParkId(std::string text) : text_(std::move(text)) {}
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  friend auto operator<=>(const ParkId&, const ParkId&) = default;

 private:
  std::string text_;
};

/// A new one.
ParkId make_park_id();

/// A number that this process hands out and never uses again. `Tag` makes each kind a type of its own.
template <class Tag>
struct ProcessId {
  std::uint64_t value = 0;
  explicit operator bool() const { return value != 0; }
  friend auto operator<=>(const ProcessId&, const ProcessId&) = default;
};

/// One dialog of parkd's with one party, from the INVITE on, until it becomes part of a conversation.
using CallId = ProcessId<struct CallTag>;
/// Two parties, their dialogs with parkd, and what each of them hears.
using ConversationId = ProcessId<struct ConversationTag>;
/// A REFER that is not concluded.
using ReferralId = ProcessId<struct ReferralTag>;

}  // namespace callpark

template <>
struct std::hash<callpark::ParkId> {
  std::size_t operator()(const callpark::ParkId& id) const noexcept { return std::hash<std::string>()(id.text()); }
};

template <class Tag>
struct std::hash<callpark::ProcessId<Tag>> {
  std::size_t operator()(callpark::ProcessId<Tag> id) const noexcept { return std::hash<std::uint64_t>()(id.value); }
};
