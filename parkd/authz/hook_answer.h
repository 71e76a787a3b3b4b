// The answer of a billing hook, read strictly: what fits no schema is a failure and never an allow.
// docs/billing/hook_answer.schema.json is the same for those that write answers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "parkd/authz/deny_reason.h"

namespace callpark::authz {

struct HookAnswerLimits {
  static constexpr std::size_t kBytes = 16 * 1024;
  static constexpr std::size_t kDepth = 8;  // arrays and objects inside one another, the outermost included
  static constexpr int kParkSecondsMin = 10;
  static constexpr int kParkSecondsMax = 86400;
  static constexpr std::size_t kDisplayName = 64;  // characters
  static constexpr std::size_t kText = 300;        // characters
};

/// Conditions under which the hook permits. A member that the event has no use for is read and has no effect.
struct HookTerms {
  std::optional<int> max_park_seconds;
  std::string display_name;          // "" if the hook gives none
  std::string fallback_destination;  // "" if the hook gives none; "+" and 3 to 20 digits, or 2 to 20 digits
  friend bool operator==(const HookTerms&, const HookTerms&) = default;
};

struct HookAllow {
  HookTerms terms;
  friend bool operator==(const HookAllow&, const HookAllow&) = default;
};
struct HookDeny {
  DenyReason reason = DenyReason::kOther;
  std::string text;  // of the MESSAGE; "" if the hook gives none
  friend bool operator==(const HookDeny&, const HookDeny&) = default;
};
using HookAnswer = std::variant<HookAllow, HookDeny>;

/// Why a text is no answer. `member` is one of ours, so that a log line never repeats what a hook has sent.
struct HookFailure {
  enum class Kind {
    kTooLong,
    kTooDeep,
    kNotJson,       // or not UTF-8
    kDuplicateKey,  // at any depth
    kNotAnObject,
    kMissing,     // `member` is required
    kWrongType,   // of `member`
    kWrongValue,  // of `member`: out of its range, too long, an unknown word, or with control characters
    kMisplaced,   // `member` belongs to the other decision
  };
  Kind kind = Kind::kNotJson;
  std::string_view member = {};
  friend bool operator==(const HookFailure&, const HookFailure&) = default;
};

/// Returns a sentence for a log line.
std::string describe(const HookFailure& failure);

/// Reads the body of a 200. Members that are not known are ignored, whatever is in them, so that a billing system may
/// send the same answer to a later parkd; of the known ones each must be right.
Result<HookAnswer, HookFailure> parse_hook_answer(std::string_view body);

}  // namespace callpark::authz
