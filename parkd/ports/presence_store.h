// The tables, as lamps and phone notifications see them: parked calls, the publications of Kamailio's presence server,
// and subscriptions.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "parkd/ports/store.h"

namespace callpark {

/// The number that the published state belongs to: sip:user@domain.
struct Presentity {
  std::string user;
  std::string domain;
  friend auto operator<=>(const Presentity&, const Presentity&) = default;
};

/// A row of parked_calls has changed, or is gone. The tables have its present state.
struct CallChange {
  std::string tenant;
  std::string orbit;                   // "" if the call holds none
  std::string park_group;              // "" if it has none
  std::optional<Extension> caller;     // if the caller is an extension of the tenant
  std::optional<Extension> retriever;  // the same of the party that talks to the caller, or did
  friend auto operator<=>(const CallChange&, const CallChange&) = default;
};

/// A call of parkd's, as watchers may see it.
struct ShownCall {
  ParkId park_id;
  std::string tenant;
  std::string orbit;
  bool waits = false;  // for a retriever; false while it is being parked or retrieved, and after that
  WallTime parked_at;
  PartyIdentity caller;
  std::string caller_extension;     // "" if the caller is no extension of the tenant
  std::string retriever_extension;  // the same of the retriever; "" too while there is none
};

enum class LampState { kEarly, kConfirmed };

/// A call flow that is enabled and leads to its alternate destination: its lamps are lit.
struct LitFlow {
  std::string tenant;
  std::string number;
  std::string feature_code;  // "" if it has none
  std::string label;         // of this mode; "" if it has none
  std::int64_t since = 0;    // distinguishes this time from earlier ones
  friend auto operator<=>(const LitFlow&, const LitFlow&) = default;
};

/// The numbers that retrieve a tenant's calls, and the look of their lamps.
struct LampSettings {
  std::string tenant;
  LampState state = LampState::kEarly;
  std::vector<std::string> retrieve_codes;
  std::vector<OrbitRange> ranges;
  std::vector<LitFlow> flows{};
};

struct LampFacts {
  std::vector<LampSettings> settings;  // one a tenant
  std::vector<ShownCall> calls;        // the oldest first
};

/// A publication of parkd's as Kamailio has it.
struct PublishedLamp {
  Presentity presentity;
  std::string dialog_id;
  std::string state;  // early, confirmed, terminated
};

/// The publication that parkd has to carry on.
struct LivePublication {
  std::string etag;
  std::string dialog_id;
};

/// What a phone shows of an extension: the oldest call parked for it.
struct CallInfo {
  std::string extension;
  std::optional<ShownCall> call;
};

/// A subscription to the calls parked for an extension: a row of call_info_subscriptions.
struct CallInfoSubscription {
  std::string subscription_id;
  std::string tenant;
  std::string extension;  // that makes the calls
  std::string watcher;    // the extension that asked
  std::string event_id;   // "id" of the Event header, or ""
  DialogSnapshot dialog;  // local_cseq: no NOTIFY has had a higher one
  WallTime expires_at;
};

/// No function blocks; each answer comes once, on the loop.
class PresenceStore {
 public:
  template <class T>
  using Answer = std::function<void(Result<T, StoreUnavailable>)>;

  virtual ~PresenceStore() = default;

  /// The settings of all tenants of the changes, the calls at their orbits, and those in which one of their callers and
  /// retrievers is the caller or the retriever.
  virtual void read_lamps(std::vector<CallChange> changes, Answer<LampFacts> answer) = 0;
  /// The lamps that Kamailio has subscriptions to, in the order of their URIs: those after `after`, `most` of them.
  virtual void read_watched(std::optional<Presentity> after, std::size_t most,
                            Answer<std::vector<Presentity>> answer) = 0;
  /// Of all tenants, in their order.
  virtual void read_lit_flows(Answer<std::vector<LitFlow>> answer) = 0;
  struct ShownLamps {
    LampFacts facts;
    std::vector<PublishedLamp> published;
  };
  /// What these lamps have to show, and what Kamailio has of them.
  virtual void read_shown(std::vector<Presentity> presentities, Answer<ShownLamps> answer) = 0;
  /// Some of the lamps with a publication of parkd's and without a watcher.
  virtual void read_unwatched(Answer<std::vector<Presentity>> answer) = 0;
  /// The publication of a presentity that parkd has to carry on: the newest that has not ended. All others are deleted
  /// from the table, since Kamailio never changes one that has ended.
  virtual void find_publication(Presentity presentity, Answer<std::optional<LivePublication>> answer) = 0;
  /// Deletes parkd's publications of a presentity.
  virtual void remove_publication(Presentity presentity, Answer<bool> answer) = 0;

  /// Of these extensions; one that does not exist is left out.
  virtual void read_call_info(std::string tenant, std::vector<std::string> extensions,
                              Answer<std::vector<CallInfo>> answer) = 0;
  virtual void write_subscription(CallInfoSubscription subscription, Answer<bool> answer) = 0;
  /// Repeated until it is done.
  virtual void remove_subscription(std::string subscription_id) = 0;
  /// The subscriptions of this node that have not expired.
  virtual void load_subscriptions(Answer<std::vector<CallInfoSubscription>> answer) = 0;
};

}  // namespace callpark
