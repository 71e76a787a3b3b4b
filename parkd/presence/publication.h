// The publication of one presentity as a pure function: one PUBLISH under way at most, the last state wins, and a
// failed PUBLISH is repeated until Kamailio has accepted it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace callpark::presence {

/// Counts the states that were to be shown; 0 if there was none yet.
using Serial = std::uint64_t;

struct Publication {
  /// No request is under way, and Kamailio has no publication that it would change.
  struct Dark {
    friend bool operator==(const Dark&, const Dark&) = default;
  };
  /// No request is under way; the publication has to be refreshed.
  struct Lit {
    friend bool operator==(const Lit&, const Lit&) = default;
  };
  /// parkd searches Kamailio's table for the publication.
  struct Asking {
    friend bool operator==(const Asking&, const Asking&) = default;
  };
  struct Publishing {
    Serial serial = 0;
    bool is_lit = false;
    friend bool operator==(const Publishing&, const Publishing&) = default;
  };
  /// The timer for the next try runs.
  struct Waiting {
    friend bool operator==(const Waiting&, const Waiting&) = default;
  };
  /// parkd deletes the publication from Kamailio's table.
  struct Removing {
    friend bool operator==(const Removing&, const Removing&) = default;
  };

  std::variant<Dark, Lit, Asking, Publishing, Waiting, Removing> phase;
  std::string etag;  // of the lit publication
  Serial wanted = 0;
  bool is_lit_wanted = false;
  bool is_forgotten = false;  // the lamp has no watcher: no publication of it is wanted
  Serial published = 0;
  std::uint32_t failures = 0;  // in a row

  friend bool operator==(const Publication&, const Publication&) = default;
};

namespace publication {

/// Another state is to be shown.
struct Wanted {
  Serial serial;
  bool is_lit;
};
/// Kamailio's table has another state than was published.
struct Doubted {};
/// The lamp has no watcher any more.
struct Forgotten {};
/// The table has no publication any more.
struct Removed {};
/// The etag of the publication in the table to carry on, "" if there is none.
struct Found {
  std::string etag;
};
/// By the table, to a question or a removal.
struct NotAnswered {};
struct Accepted {
  std::string etag;
};
enum class Refusal {
  kUnknownEtag,  // 412
  kFailed,       // no answer, or any other refusal
};
struct Refused {
  Refusal why;
};
struct RetryDue {};
struct RefreshDue {};
using Event =
    std::variant<Wanted, Doubted, Forgotten, Removed, Found, NotAnswered, Accepted, Refused, RetryDue, RefreshDue>;

struct AskTable {
  friend bool operator==(const AskTable&, const AskTable&) = default;
};
/// The wanted state, in place of the publication `etag`; as a new one if `etag` is "".
struct Publish {
  Serial serial;
  std::string etag;
  friend bool operator==(const Publish&, const Publish&) = default;
};
struct Remove {
  friend bool operator==(const Remove&, const Remove&) = default;
};
struct StartRetry {
  std::uint32_t failures;
  friend bool operator==(const StartRetry&, const StartRetry&) = default;
};
struct StartRefresh {
  friend bool operator==(const StartRefresh&, const StartRefresh&) = default;
};
struct StopRefresh {
  friend bool operator==(const StopRefresh&, const StopRefresh&) = default;
};
using Action = std::variant<AskTable, Publish, Remove, StartRetry, StartRefresh, StopRefresh>;

struct Decision {
  Publication next;
  std::vector<Action> actions;
};
/// Any other event than the state waits for changes nothing.
Decision decide(Publication state, const Event& event);

/// True if the publication is dark, as wanted, and may be forgotten.
bool is_over(const Publication& state);
/// True if Kamailio's table has what is wanted.
bool is_settled(const Publication& state);

}  // namespace publication
}  // namespace callpark::presence
