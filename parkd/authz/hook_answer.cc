#include "parkd/authz/hook_answer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"

namespace callpark::authz {
namespace {

using Kind = HookFailure::Kind;

constexpr std::string_view kDecision = "decision";
constexpr std::string_view kParkSeconds = "max_park_seconds";
constexpr std::string_view kDisplayName = "display_name";
constexpr std::string_view kFallback = "fallback_destination";
constexpr std::string_view kReason = "reason";
constexpr std::string_view kText = "text";

Kind kind_of(JsonError error) {
  switch (error) {
    case JsonError::kTooLong:
      return Kind::kTooLong;
    case JsonError::kTooDeep:
      return Kind::kTooDeep;
    case JsonError::kNotJson:
      break;
  }
  return Kind::kNotJson;
}

// RFC 8259 4: what a receiver makes of a name that is there twice is not agreed, so two billing systems could mean two
// things by one text. `text` is JSON.
bool has_duplicate_keys(std::string_view text) {
  std::vector<std::set<std::string>> open;
  bool found = false;
  const auto look = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key) found |= !open.back().insert(parsed.get<std::string>()).second;
    return true;
  };
  return Json::parse(text, look, /*allow_exceptions=*/false).is_discarded() || found;
}

Result<Json, HookFailure> parse_object(std::string_view body) {
  // RFC 8259 8.1: no byte order mark; the parser would overlook one.
  if (body.substr(0, 3) == "\xef\xbb\xbf") return failure(HookFailure{Kind::kNotJson});
  auto json = parse_json(body, {HookAnswerLimits::kBytes, HookAnswerLimits::kDepth});
  if (!json) return failure(HookFailure{kind_of(json.error())});
  if (has_duplicate_keys(body)) return failure(HookFailure{Kind::kDuplicateKey});
  if (!json->is_object()) return failure(HookFailure{Kind::kNotAnObject});
  return *std::move(json);
}

bool has_control_characters(std::string_view text) {
  while (!text.empty()) {
    const Utf8Character character = first_utf8_character(text);
    if (!character.code || *character.code < 0x20 || (*character.code >= 0x7f && *character.code < 0xa0)) return true;
    text.remove_prefix(character.bytes);
  }
  return false;
}

std::size_t characters_in(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(
      utf8.begin(), utf8.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80; }));
}

/// Reads the members of one answer; the first failure is kept.
class Members {
 public:
  explicit Members(const Json& json) : json_(json) {}

  /// "" if the member is not there.
  std::string text(std::string_view member, std::size_t characters_max) {
    const Json* value = find(member);
    if (!value) return "";
    if (!value->is_string()) return fail(Kind::kWrongType, member), "";
    auto text = value->get<std::string>();
    if (text.empty() || characters_in(text) > characters_max || has_control_characters(text)) {
      return fail(Kind::kWrongValue, member), "";
    }
    return text;
  }

  std::string display_name() {
    std::string name = text(kDisplayName, HookAnswerLimits::kDisplayName);
    // As in extensions.display_name: a quoted string of SIP needs no escapes.
    if (name.find_first_of("\"\\") != std::string::npos) fail(Kind::kWrongValue, kDisplayName);
    return name;
  }

  std::string number(std::string_view member) {
    std::string number = text(member, 21);
    if (number.empty()) return number;
    const bool is_outside = number.front() == '+';
    const std::string_view digits = std::string_view(number).substr(is_outside ? 1 : 0);
    const bool is_right = digits.size() >= (is_outside ? 3U : 2U) && digits.size() <= 20 &&
                          digits.find_first_not_of("0123456789") == std::string_view::npos;
    if (!is_right) fail(Kind::kWrongValue, member);
    return number;
  }

  /// A number without a fraction, as JSON Schema defines an integer: 60 and 60.0 are the same.
  std::optional<int> seconds(std::string_view member, int min, int max) {
    const Json* value = find(member);
    if (!value) return std::nullopt;
    if (!value->is_number()) return fail(Kind::kWrongType, member), std::nullopt;
    const auto number = value->get<double>();
    if (std::trunc(number) != number) return fail(Kind::kWrongType, member), std::nullopt;
    if (number < min || number > max) return fail(Kind::kWrongValue, member), std::nullopt;
    return static_cast<int>(number);
  }

  DenyReason reason() {
    const Json* value = find(kReason);
    if (!value) return DenyReason::kOther;
    if (!value->is_string()) return fail(Kind::kWrongType, kReason), DenyReason::kOther;
    const auto reason = deny_reason_of(value->get<std::string>());
    if (!reason) fail(Kind::kWrongValue, kReason);
    return reason.value_or(DenyReason::kOther);
  }

  void refuse(std::string_view member) {
    if (find(member)) fail(Kind::kMisplaced, member);
  }
  bool has(std::string_view member) const { return find(member) != nullptr; }
  void fail(Kind kind, std::string_view member) {
    if (!failure_) failure_ = HookFailure{kind, member};
  }
  Result<HookAnswer, HookFailure> answer(HookAnswer answer) const {
    if (failure_) return failure(*failure_);
    return answer;
  }

 private:
  const Json* find(std::string_view member) const {
    const auto found = json_.find(std::string(member));
    return found == json_.end() ? nullptr : &*found;
  }

  const Json& json_;
  std::optional<HookFailure> failure_;
};

Result<HookAnswer, HookFailure> parse_allow(Members members) {
  // An allow with a reason is a deny that was made in haste, or the reverse.
  members.refuse(kReason);
  members.refuse(kText);
  HookTerms terms;
  terms.max_park_seconds =
      members.seconds(kParkSeconds, HookAnswerLimits::kParkSecondsMin, HookAnswerLimits::kParkSecondsMax);
  terms.display_name = members.display_name();
  terms.fallback_destination = members.number(kFallback);
  return members.answer(HookAllow{std::move(terms)});
}

Result<HookAnswer, HookFailure> parse_deny(Members members) {
  for (const std::string_view member : {kParkSeconds, kDisplayName, kFallback}) members.refuse(member);
  if (!members.has(kReason) && !members.has(kText)) members.fail(Kind::kMissing, kReason);
  HookDeny deny;
  deny.reason = members.reason();
  deny.text = members.text(kText, HookAnswerLimits::kText);
  return members.answer(std::move(deny));
}

}  // namespace

std::string describe(const HookFailure& failure) {
  const std::string member(failure.member);
  switch (failure.kind) {
    case Kind::kTooLong:
      return "the answer is too long";
    case Kind::kTooDeep:
      return "the answer is nested too deeply";
    case Kind::kNotJson:
      return "the answer is not JSON";
    case Kind::kDuplicateKey:
      return "the answer has a key twice";
    case Kind::kNotAnObject:
      return "the answer is no JSON object";
    case Kind::kMissing:
      return "the answer has no " + member;
    case Kind::kWrongType:
      return member + " has the wrong type";
    case Kind::kWrongValue:
      return member + " has a value that is not permitted";
    case Kind::kMisplaced:
      return member + " does not belong to this decision";
  }
  return "";
}

Result<HookAnswer, HookFailure> parse_hook_answer(std::string_view body) {
  const auto json = parse_object(body);
  if (!json) return failure(json.error());
  const auto decision = json->find(std::string(kDecision));
  if (decision == json->end()) return failure(HookFailure{Kind::kMissing, kDecision});
  if (!decision->is_string()) return failure(HookFailure{Kind::kWrongType, kDecision});
  if (*decision == "allow") return parse_allow(Members(*json));
  if (*decision == "deny") return parse_deny(Members(*json));
  return failure(HookFailure{Kind::kWrongValue, kDecision});
}

}  // namespace callpark::authz
