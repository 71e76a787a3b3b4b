// The publication of one presentity as a pure function: one PUBLISH under way at most, the last state wins, and what
// failed is tried again until Kamailio has it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace callpark::presence {

/// Counts what was wanted to be shown; 0: nothing yet.
using Serial = std::uint64_t;

struct Publication {
  /// Nothing is under way, and there is no publication that Kamailio would change.
  struct Dark {
    friend bool operator==(const Dark&, const Dark&) = default;
  };
  /// Nothing is under way; the publication has to be refreshed.
  struct Lit {
    friend bool operator==(const Lit&, const Lit&) = default;
  };
  /// The table is asked what Kamailio has.
  struct Asking {
    friend bool operator==(const Asking&, const Asking&) = default;
  };
  struct Publishing {
    Serial serial = 0;
    bool is_lit = false;
    friend bool operator==(const Publishing&, const Publishing&) = default;
  };
  /// For another try.
  struct Waiting {
    friend bool operator==(const Waiting&, const Waiting&) = default;
  };

  std::variant<Dark, Lit, Asking, Publishing, Waiting> phase;
  std::string etag;  // of the lit publication
  Serial wanted = 0;
  bool is_lit_wanted = false;
  Serial told = 0;
  std::uint32_t failures = 0;  // in a row

  friend bool operator==(const Publication&, const Publication&) = default;
};

namespace publication {

/// Something else is to be shown.
struct Wanted {
  Serial serial;
  bool is_lit;
};
/// Kamailio's table shows another state than was told.
struct Doubted {};
/// The table's answer: the etag of the publication to carry on, "" if there is none.
struct Found {
  std::string etag;
};
struct NotAnswered {};
struct Accepted {
  std::string etag;
};
enum class Refusal {
  kUnknownEtag,  // 412
  kFailed,       // no answer, or one that another try may change
};
struct Refused {
  Refusal why;
};
struct RetryDue {};
struct RefreshDue {};
using Event = std::variant<Wanted, Doubted, Found, NotAnswered, Accepted, Refused, RetryDue, RefreshDue>;

struct AskTable {
  friend bool operator==(const AskTable&, const AskTable&) = default;
};
/// What is wanted now, in place of the publication `etag`; "": as a new one.
struct Publish {
  Serial serial;
  std::string etag;
  friend bool operator==(const Publish&, const Publish&) = default;
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
using Action = std::variant<AskTable, Publish, StartRetry, StartRefresh, StopRefresh>;

struct Decision {
  Publication next;
  std::vector<Action> actions;
};
/// An event that this state does not wait for changes nothing.
Decision decide(Publication state, const Event& event);

/// Dark, told, and nothing to carry on: it may be forgotten.
bool is_over(const Publication& state);

}  // namespace publication
}  // namespace callpark::presence
