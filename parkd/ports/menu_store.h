// The tables of menus, announcements and callers in them, as the service sees them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "parkd/call/cdr.h"
#include "parkd/call/dialog_snapshot.h"
#include "parkd/call/ids.h"
#include "parkd/call/media.h"
#include "parkd/call/parked_call.h"
#include "parkd/menu/types.h"
#include "parkd/ports/store.h"

namespace callpark {

/// A menu or an announcement with its settings.
struct MenuPlace {
  std::string number;
  std::string name;
  menu::Place place;
  std::string sound;     // of the greeting: a prompt file; "" if there is a text
  std::string text;      // of the greeting: to be synthesised
  std::string language;  // of the place, else the caller's, else the tenant's
  Duration first_key{};
  Duration next_key{};
  Duration ring_max{};  // of a destination
};

/// One that rings: dialled as it is.
struct DestinationNumber {
  bool is_ring_group = false;
};
struct DestinationHangUp {};
struct DestinationMissing {};
/// What a destination is now, through call flows.
using FoundDestination = std::variant<MenuPlace, DestinationNumber, DestinationHangUp, DestinationMissing>;

/// A row of menu_calls: a caller in a menu.
struct MenuCallRow {
  ParkId id;  // the park_id of the row that follows when the caller talks to a destination
  std::string tenant;
  std::vector<std::string> numbers;  // of the places, the first one dialled first; the last is the caller's now
  DialogSnapshot caller;
  std::optional<DialogSnapshot> peer;  // a target that has answered
  std::optional<MediaSnapshot> media;
  std::string owner;        // node
  std::uint64_t epoch = 0;  // rises when another node adopts the call
  WallTime since;           // when the call was answered
  std::optional<Cdr> cdr;   // of the time in menus; nothing in the row of an older parkd, which gets no CDR
};

/// Nothing here blocks; each answer comes once, on the loop, within the store's budget (2 s). Statements about the same
/// id are executed in the order of the calls. Functions without an answer are repeated until the database is back.
class MenuStore {
 public:
  template <class T>
  using Answer = std::function<void(T)>;
  enum class ClaimFailure { kGone, kUnavailable };

  virtual ~MenuStore() = default;

  /// The enabled menu or announcement with this number; nothing if the tenant has none. `extension`: of the caller, ""
  /// of a trunk's.
  virtual void find_place(std::string tenant, std::string extension, std::string number,
                          Answer<Result<std::optional<MenuPlace>, StoreUnavailable>> answer) = 0;
  /// What `destination` is. `is_entered`: only an enabled extension is found, as DestinationNumber.
  virtual void resolve(std::string tenant, std::string extension, std::string destination, bool is_entered,
                       Answer<Result<FoundDestination, StoreUnavailable>> answer) = 0;
  /// Inserts the row, or writes it anew.
  virtual void write(MenuCallRow row) = 0;
  /// Writes the row with the peer of a target that has answered; kGone if another node owns it, or it is removed.
  virtual void claim(MenuCallRow row, Answer<Result<void, ClaimFailure>> answer) = 0;
  /// Removes the row and enters its CDR: the call ended at this time.
  virtual void remove(ParkId id, menu::EndedBy by, WallTime at) = 0;
  /// The caller talks since row.parked_at: `row`, of state kRetrieved, is inserted into parked_calls, and the row of
  /// menu_calls with the same id is removed and its CDR entered, in one transaction.
  virtual void hand_over(ParkedCallRow row) = 0;
  /// All rows that this node owns.
  virtual void load(Answer<Result<std::vector<MenuCallRow>, StoreUnavailable>> answer) = 0;
};

}  // namespace callpark
