// The tables of call flows, as the service sees them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "parkd/call/party.h"
#include "parkd/flow/types.h"
#include "parkd/ports/store.h"

namespace callpark {

/// A call flow as the extension that dials its code finds it.
struct CallFlow {
  std::string name;
  std::string pin;        // as stored: digits, or a hash; "": none
  std::string on_sound;   // prompt of the mode that status 'on' is; "": none of its own
  std::string off_sound;  // the same of 'off'
  std::string language;   // the extension's, else the tenant's
  bool is_locked = false;
};

/// The failures that an extension has at a call flow.
struct FlowGuesser {
  std::string flow;  // its name
  Extension extension;
};

enum class FlowTry {
  kDenied,        // the extension is locked
  kCounted,       // as a failure
  kCountedLocks,  // the same, and the extension is locked now
};

enum class FlowIncident { kWrongPin, kLocked, kRefusedLocked };

/// Nothing here blocks; each answer comes once, on the loop, within the store's budget (2 s).
class FlowStore {
 public:
  template <class T>
  using Answer = std::function<void(Result<T, StoreUnavailable>)>;

  virtual ~FlowStore() = default;

  /// The enabled flow with this code; nothing if the tenant has none, or the extension is disabled.
  virtual void find_flow(Extension extension, std::string code, Answer<std::optional<CallFlow>> answer) = 0;
  /// Counts one failure of the extension, unless it is locked, and locks it at each third in a row. One statement: of
  /// tries at the same moment, on however many nodes, none gets past the lock.
  virtual void count_try(FlowGuesser guesser, Answer<FlowTry> answer) = 0;
  /// The failures and the lock are forgotten. Repeated until the database is back.
  virtual void forget_failures(FlowGuesser guesser) = 0;
  /// Enters them, in this order, among the events of the flow. Repeated until the database is back.
  virtual void record(FlowGuesser guesser, std::vector<FlowIncident> incidents) = 0;
  /// Toggles the status of a flow that still is what the code found, enabled and with this PIN, for an extension that
  /// is enabled; once however often it is repeated under the operation id. The status after it; nothing if nothing was
  /// toggled.
  virtual void toggle(FlowGuesser by, std::string code, std::string pin, std::string operation_id,
                      Answer<std::optional<flow::Status>> answer) = 0;
};

}  // namespace callpark
