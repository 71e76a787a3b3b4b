// A question to the billing hook of a tenant, and its JSON text. docs/billing/hook_request.schema.json is the same for
// those that read it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "parkd/call/ids.h"
#include "parkd/call/party.h"

namespace callpark::authz {

/// What the hook is asked to permit. A recall is never asked about.
enum class HookEvent { kIncomingCall, kPark, kRetrieve };

/// "incoming_call", "park", "retrieve"
std::string_view name_of(HookEvent event);

/// The direction of the call that is parked, or that comes in, as its tenant sees it.
enum class CallDirection {
  kIncoming,  // from a trunk to an extension
  kOutgoing,  // from an extension to a trunk
  kInternal,  // between two extensions
};

/// "incoming", "outgoing", "internal"
std::string_view name_of(CallDirection direction);

/// An empty text, a time that is not set, and what the event has no use for are left out of the JSON text.
struct HookRequest {
  HookEvent event = HookEvent::kPark;
  int attempt = 1;  // 2 of the retry, which has the same webhook-id
  std::string tenant;
  CallDirection direction = CallDirection::kIncoming;
  std::string call_id;  // Call-ID of the parked caller, or of the call that comes in
  ParkId park_id;       // kPark, kRetrieve
  std::string parker;   // number of the extension that parks or has parked the call
  Party caller_party;   // the parked caller, or the caller of the call that comes in; only a trunk's name is sent of it
  PartyIdentity caller;
  std::string retriever;         // kRetrieve: number of the extension
  std::string called_extension;  // kIncomingCall
  std::string orbit;             // "" of a park at an orbit that parkd chooses
  std::string park_group;
  WallTime asked_at;
  std::optional<WallTime> parked_at;  // kRetrieve
  std::optional<WallTime> deadline;   // kPark, kRetrieve: the end of the call if no retriever comes
};

/// The longest texts that are sent, in characters; the rest is cut off.
struct HookRequestLimits {
  static constexpr std::size_t kNumber = 64;
  static constexpr std::size_t kName = 128;
  static constexpr std::size_t kDomain = 255;
  static constexpr std::size_t kCallId = 255;
};

/// One line of JSON, always UTF-8 and without control characters. A byte that is not UTF-8 becomes U+FFFD.
std::string write_hook_request(const HookRequest& request);

/// RFC 3339 in UTC with milliseconds: "2026-11-30T05:02:36.120Z".
std::string rfc3339(WallTime at);

}  // namespace callpark::authz
