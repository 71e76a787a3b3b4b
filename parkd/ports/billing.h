// The billing system of a tenant, which permits or denies a park, a retrieve and an incoming call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "parkd/call/ids.h"
#include "parkd/call/party.h"

namespace callpark {

/// What the billing system is asked to permit. It is never asked about a recall.
enum class BillingEvent { kIncomingCall, kPark, kRetrieve };

/// How the billing system of a tenant is asked: a row of billing_hooks that is enabled, with its secrets.
struct BillingHook {
  std::string url;
  std::vector<std::string> secrets;  // "whsec_...": one, or two while the secret is exchanged
  bool asks_incoming_call = false;
  bool asks_park = true;
  bool asks_retrieve = true;
  Duration budget{800};         // of the whole question, its retry included
  Duration connect{250};        // of each attempt until the connection is up
  Duration first_attempt{500};  // of the first attempt
  Duration retry_least{50};     // no retry is begun with less than that
  std::size_t in_flight_max = 32;
  std::uint32_t breaker_failures_max = 5;  // that many in a row open the breaker; 0: never
  Duration breaker_open_first{1000};
  Duration breaker_open_max{60000};
  bool error_permits_incoming_call = true;
  bool error_permits_park = false;
  bool error_permits_retrieve = true;
  std::string ca_file;  // PEM files of this node; "": the system's authorities, no certificate of the client
  std::string client_certificate_file;
  std::string client_key_file;
  friend bool operator==(const BillingHook&, const BillingHook&) = default;
};

/// The call that is to be parked or retrieved; of one that comes in only `sip_call_id`, `party` and `caller` are known.
struct BilledCall {
  ParkId park_id;
  std::string sip_call_id;  // of the parked caller, or of the call that comes in
  Party party;              // the parked caller, or the caller of the call that comes in
  bool was_called = false;  // the parked caller; else it has called
  PartyIdentity caller;     // the same party
  std::string parker;       // number of the extension that parks the call, or has parked it
  std::string orbit;        // "" of a park at an orbit that parkd chooses
  std::string park_group;
  std::optional<WallTime> parked_at;  // of a retrieve
  WallTime deadline;                  // end of a call that is not retrieved
};

struct BillingQuestion {
  BillingEvent event = BillingEvent::kPark;
  std::string tenant;
  BilledCall call;
  std::string retriever;  // kRetrieve: number of the extension; "" if a trunk retrieves the call
  BillingHook hook;
  std::string called = {};  // kIncomingCall: number of the extension or ring group
};

/// Conditions of a park that is permitted.
struct BillingTerms {
  std::optional<int> park_seconds_max;
  std::string shown_name;            // of the parked caller; "": its own
  std::string fallback_destination;  // of the recall; "": as configured
};

struct BillingPermitted {
  BillingTerms terms;
  std::string failure = {};  // the word of the failure that on_error permits; "" if the hook has allowed it
};
struct BillingDenied {
  int status = 403;
  std::string phrase;
  std::string prompt;  // played to a feature call before the status
  std::string text;    // of a MESSAGE to the extension that asked; "": none is sent
};
/// The answer of the billing system, or what follows from its failure.
using BillingVerdict = std::variant<BillingPermitted, BillingDenied>;

using BillingQuestionId = ProcessId<struct BillingQuestionTag>;

/// Loop's thread only.
class Billing {
 public:
  using Answer = std::function<void(BillingVerdict)>;

  virtual ~Billing() = default;
  /// `answer` is called once, within the budget of the hook and never from within ask().
  virtual BillingQuestionId ask(BillingQuestion question, Answer answer) = 0;
  /// The answer is not called any more. Does nothing if it was called already.
  virtual void withdraw(BillingQuestionId question) = 0;
};

}  // namespace callpark
