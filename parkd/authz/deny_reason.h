// The reasons for which a billing hook may deny a request, and what each means to the phone that asked.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace callpark::authz {

enum class DenyReason {
  kInsufficientFunds,  // the balance does not suffice
  kNotPermitted,       // the tariff or the account does not include the feature
  kLimitReached,       // the account has as many calls or parks as it may
  kBlocked,            // the account is blocked or expired
  kUnknownCaller,      // the hook knows no account for the call
  kNotAvailable,       // the hook cannot decide at present, and means no
  kOther,              // none of these; a text may have the reason
};

/// One row of the table: the word of the answer, the status and phrase that end the request, and the prompt that the
/// parker or retriever hears before it.
struct Denial {
  DenyReason reason;
  std::string_view word;
  int status;
  std::string_view phrase;
  std::string_view prompt;  // a sentence of tools/build_prompts
};

/// In the sequence of the enumerators.
inline constexpr std::array kDenials = {
    // RFC 3261 21.4.3 reserves 402, and phones treat a 4xx that they do not know as 400.
    Denial{DenyReason::kInsufficientFunds, "insufficient_funds", 402, "Insufficient funds", "not_permitted"},
    Denial{DenyReason::kNotPermitted, "not_permitted", 403, "Not permitted", "not_permitted"},
    // Like the caps of the tenant: 486 makes a phone report "busy" after a transfer, and the transferor keeps the call.
    Denial{DenyReason::kLimitReached, "limit_reached", 486, "Limit reached", "not_permitted"},
    Denial{DenyReason::kBlocked, "blocked", 403, "Account blocked", "not_permitted"},
    Denial{DenyReason::kUnknownCaller, "unknown_caller", 403, "Account unknown", "not_permitted"},
    Denial{DenyReason::kNotAvailable, "not_available", 480, "Not available at present", "not_available"},
    Denial{DenyReason::kOther, "other", 403, "Refused", "not_permitted"},
};

/// What an exchange without a usable answer means if the policy of its event denies.
struct FailureDenial {
  static constexpr int kStatus = 503;
  static constexpr std::string_view kPhrase = "Authorization is not available";
  static constexpr std::string_view kPrompt = "not_available";
};

const Denial& denial_of(DenyReason reason);
/// Nothing if no reason has this word.
std::optional<DenyReason> deny_reason_of(std::string_view word);

}  // namespace callpark::authz
