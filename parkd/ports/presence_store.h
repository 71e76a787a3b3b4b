// What lamps and phone notifications need of the tables: which calls wait where, what Kamailio's presence server has of
// them, and who has subscribed to what.
#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "parkd/ports/store.h"

namespace callpark {

/// Whose state is published: sip:user@domain.
struct Presentity {
  std::string user;
  std::string domain;
  friend auto operator<=>(const Presentity&, const Presentity&) = default;
};

/// A row of parked_calls is another than before, or gone. What is so now is asked of the tables.
struct CallChange {
  std::string tenant;
  std::string orbit;       // "": it holds none
  std::string park_group;  // "": none
  std::string caller_uri;
  std::string retriever;  // who talks to him, or did; "": nobody
  friend auto operator<=>(const CallChange&, const CallChange&) = default;
};

/// A call that parkd has, as others may see it.
struct ShownCall {
  ParkId park_id;
  std::string tenant;
  std::string orbit;
  bool waits = false;  // to be retrieved; else it is being parked or retrieved, or talks
  WallTime parked_at;
  PartyIdentity caller;
  std::string caller_extension;     // "": he is none of the tenant's
  std::string retriever_extension;  // the same, of who has won it; "" too while nobody has
};

enum class LampState { kEarly, kConfirmed };

/// How the calls of a tenant are dialled, and shown.
struct LampSettings {
  std::string tenant;
  LampState state = LampState::kEarly;
  std::vector<std::string> retrieve_codes;
  std::vector<OrbitRange> ranges;
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

/// What a phone shows of an extension.
struct CallInfo {
  std::string extension;
  std::optional<ShownCall> call;
};

/// One who is told about an extension's parked calls: a row of call_info_subscriptions.
struct CallInfoSubscription {
  std::string subscription_id;
  std::string tenant;
  std::string extension;  // whose calls
  std::string watcher;    // the extension that asked
  std::string event_id;   // the Event header's "id"; "": none
  DialogSnapshot dialog;  // local_cseq: no NOTIFY has had a higher one
  WallTime expires_at;
};

/// Nothing here blocks; each answer comes once, on the loop.
class PresenceStore {
 public:
  template <class T>
  using Answer = std::function<void(Result<T, StoreUnavailable>)>;

  virtual ~PresenceStore() = default;

  /// The settings of all tenants named, the calls at the orbits named, and those whose caller or retriever somebody is
  /// who is named as either.
  virtual void read_lamps(std::vector<CallChange> changes, Answer<LampFacts> answer) = 0;
  /// All calls, all publications.
  struct Everything {
    LampFacts facts;
    std::vector<PublishedLamp> published;
  };
  virtual void read_all_lamps(Answer<Everything> answer) = 0;
  /// What of a presentity's publications parkd has to carry on, at most one: what has ended is taken out of the table,
  /// since Kamailio never changes it any more, and so is any but the newest.
  virtual void find_publication(Presentity presentity, Answer<std::optional<LivePublication>> answer) = 0;

  /// Of these extensions; one that does not exist is left out.
  virtual void read_call_info(std::string tenant, std::vector<std::string> extensions,
                              Answer<std::vector<CallInfo>> answer) = 0;
  virtual void write_subscription(CallInfoSubscription subscription, Answer<bool> answer) = 0;
  /// Tried until it is done.
  virtual void remove_subscription(std::string subscription_id) = 0;
  /// Those of this node that have not expired.
  virtual void load_subscriptions(Answer<std::vector<CallInfoSubscription>> answer) = 0;
};

}  // namespace callpark
