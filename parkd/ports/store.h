// The tables of parked calls, as the service sees them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "parkd/call/ids.h"
#include "parkd/call/park_event.h"
#include "parkd/call/parked_call.h"
#include "parkd/park/types.h"
#include "parkd/ports/billing.h"

namespace callpark {

enum class CodeAction { kPark, kGroupPark, kRetrieve };
enum class BareCode { kOwnExtension, kRandomOrbit };

/// Orbits that belong to no extension: all of equal length, a star may lead.
struct OrbitRange {
  std::string first;
  std::string last;
  friend bool operator==(const OrbitRange&, const OrbitRange&) = default;
};

/// The content of the tables about one dialled number and the party that dials it; dialled_code.h interprets it.
struct DialledFacts {
  struct Code {
    std::string code;  // as in park_codes; the longest that the number begins with
    CodeAction action;
    BareCode bare;
    std::string retrieve_code;  // of a code that parks: the code to announce
  };
  std::optional<Code> code;
  std::string remainder;  // of the number behind the code, without a trailing '#'
  bool remainder_is_extension = false;
  /// Instead of a code: the park number of a range, or an orbit of it.
  std::optional<OrbitRange> range;
  std::string range_orbit;                      // "" if its park number was dialled
  std::string flow_code;                        // the number if it is the code of an enabled call flow; else ""
  std::string menu;                             // the number if it is an enabled menu or announcement; else ""
  std::string park_group;                       // of the extension; "" if it is in none
  std::vector<std::string> park_group_members;  // of a code that parks in the group
  bool may_park = false;
  bool may_group_park = false;
  bool may_retrieve = false;    // of a trunk: as this range permits
  bool may_set_recall = false;  // may set the recall time of one call
  bool may_use_range = true;    // the orbit range of the number, or of the orbit in it; true if there is none
  /// True while the tenant's call park is switched off; for retrieves, once none of its calls is parked any more.
  bool parks_are_off = false;
  bool retrieves_are_off = false;
  std::string language;     // the extension's, else the tenant's
  std::string music_class;  // "": a ringback tone
  int random_orbit_digits = 4;
  int calls_per_orbit_max = 1;
  int parked_calls_max = 0;            // 0: no cap
  int extension_parked_calls_max = 0;  // of the extension; 0: no cap
  int retrieve_misses_max = 0;         // in a minute; 0: no limit
  int park_seconds_max = 3600;
  RecallSettings recall;  // of a code that parks in the group, the group's
  /// If set, parkd calls back a parker that cannot know the orbit, and that call shows the orbit.
  bool calls_back = true;
  bool call_back_shows_orbit = true;
  std::optional<BillingHook> billing;  // of the tenant, if it is enabled
};

struct StoreUnavailable {};

/// An extension: its phones receive a text.
struct Recipient {
  std::string extension;
  std::string language;
};

/// Where a call may be parked.
struct OrbitRequest {
  std::vector<std::string> orbits;  // the first that is free
  std::optional<OrbitRange> range;  // without orbits: the orbit that is free for the longest time; else a random one
  std::string park_group;           // "" unless the call is parked for the members of this group
  int random_digits = 4;
  int calls_per_orbit_max = 1;
  int parked_calls_max = 0;            // 0: no cap
  int extension_parked_calls_max = 0;  // of the parker; 0: no cap
};
struct ClaimedOrbit {
  std::string orbit;
  int slot = 0;
};
/// The first of the orbits that has a call, else a call of the group; of several calls the oldest.
struct RetrieveRequest {
  std::vector<std::string> orbits;
  std::string park_group;  // "": none
  int misses_max = 0;      // empty orbits that the retriever may name in a minute; 0: no limit, or it names none
  /// If set, no other call is won, and of an empty id none at all. A refusal is as without it.
  std::optional<ParkId> only = std::nullopt;
};
enum class ClaimOrbitFailure { kTaken, kTooManyParked, kTooManyOfParker, kUnavailable };
enum class ClaimCallFailure { kNoneParked, kAlreadyPickedUp, kUnavailable };

/// Nothing here blocks; each answer comes once, on the loop, within the store's budget (2 s). Statements about the same
/// park_id are executed in the order of the calls. Functions without an answer are repeated until the database is back.
/// A write of a row records its ended segments, in the same transaction; a segment that is recorded already stays as it
/// is.
class Store {
 public:
  template <class T>
  using Answer = std::function<void(T)>;

  virtual ~Store() = default;

  virtual void look_up(std::string tenant, std::string user, std::string dialled,
                       Answer<Result<DialledFacts, StoreUnavailable>> answer) = 0;
  /// Inserts the row (state kAdopting) at a free slot of the orbit, or, if the row exists (a re-park), moves it there.
  /// A random orbit is one that is neither in use nor in quarantine.
  virtual void claim_orbit(ParkedCallRow row, OrbitRequest request,
                           Answer<Result<ClaimedOrbit, ClaimOrbitFailure>> answer) = 0;
  /// The whole row. A row that was won meanwhile (kRetrieving) stays won.
  virtual void write(ParkedCallRow row, Answer<Result<void, StoreUnavailable>> answer) = 0;
  /// Wins a call: kParked becomes kRetrieving, once.
  virtual void claim_call(std::string tenant, RetrieveRequest request, Party retriever,
                          Answer<Result<ParkedCallRow, ClaimCallFailure>> answer) = 0;
  /// Wins this call for the target of a recall, with the target's dialog as the row's peer; once, like claim_call().
  virtual void claim_for_target(ParkedCallRow row, Answer<Result<void, ClaimCallFailure>> answer) = 0;
  /// kAdopting or kRetrieving becomes kParked.
  virtual void unclaim_call(ParkId park_id) = 0;
  /// The call talks: the row is written as kRetrieved with no orbit; a random orbit goes into quarantine.
  virtual void write_retrieved(ParkedCallRow row) = 0;
  /// Records the last segments and removes the row, both or neither.
  virtual void remove(ParkId park_id, park::EndReason reason, std::vector<EndedSegment> ended) = 0;
  /// The extensions that get a text about this event, by the settings of the tenant and the park group.
  virtual void look_up_recipients(ParkEvent event, Answer<Result<std::vector<Recipient>, StoreUnavailable>> answer) = 0;
  /// All rows that this node owns.
  virtual void load(Answer<Result<std::vector<ParkedCallRow>, StoreUnavailable>> answer) = 0;
};

}  // namespace callpark
