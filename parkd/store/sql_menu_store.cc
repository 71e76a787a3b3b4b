#include "parkd/store/sql_menu_store.h"

#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "parkd/store/menu_calls_table.h"
#include "parkd/store/menus_table.h"

namespace callpark {
namespace {

constexpr std::size_t kOperationIdLength = 26;  // 130 bits

constexpr const char* kNotOurs = "the row of this caller in a menu is gone, or another process has adopted it";

}  // namespace

SqlMenuStore::SqlMenuStore(EventLoop& loop, SqlStore& parked_calls)
    : loop_(loop), parked_calls_(parked_calls), statements_(parked_calls.statements()), owner_(parked_calls.owner()) {}

// ---- places ----

void SqlMenuStore::find_place(std::string tenant, std::string extension, std::string number,
                              Answer<Result<std::optional<MenuPlace>, StoreUnavailable>> answer) {
  statements_.query<Result<std::optional<MenuPlace>, StoreUnavailable>>(
      {},
      [tenant = std::move(tenant), extension = std::move(extension), number = std::move(number)](
          DatabaseConnection& connection) { return MenusTable(connection).find(tenant, extension, number); },
      failure(StoreUnavailable{}), std::move(answer));
}

void SqlMenuStore::resolve(std::string tenant, std::string extension, std::string destination, bool is_entered,
                           Answer<Result<FoundDestination, StoreUnavailable>> answer) {
  const auto plain = is_entered ? std::nullopt : plain_destination(destination);
  if (plain) {
    loop_.post([alive = std::weak_ptr<bool>(alive_), plain = *plain, answer = std::move(answer)] {
      if (!alive.expired()) answer(plain);
    });
    return;
  }
  statements_.query<Result<FoundDestination, StoreUnavailable>>(
      {},
      [tenant = std::move(tenant), extension = std::move(extension), destination = std::move(destination),
       is_entered](DatabaseConnection& connection) {
        MenusTable table(connection);
        return is_entered ? table.resolve_entered(tenant, destination) : table.resolve(tenant, extension, destination);
      },
      failure(StoreUnavailable{}), std::move(answer));
}

// ---- callers in menus ----

void SqlMenuStore::write(MenuCallRow row) {
  const ParkId id = row.id;
  const bool is_new = rows_.insert(id).second;
  statements_.write_lastingly(id, [&owner = owner_, is_new, row = std::move(row)](DatabaseConnection& connection) {
    MenuCallsTable table(connection, owner);
    if (is_new) return table.insert(row);
    if (!table.update(row)) log_warning(row.caller.call_id, kNotOurs);
  });
}

void SqlMenuStore::claim(MenuCallRow row, Answer<Result<void, ClaimFailure>> answer) {
  const ParkId id = row.id;
  const CallStatements::Work undo = [&owner = owner_, row](DatabaseConnection& connection) {
    MenuCallsTable(connection, owner).forget_peer(row);
  };
  statements_.query<Result<void, ClaimFailure>>(
      id,
      [&owner = owner_, row = std::move(row)](DatabaseConnection& connection) -> Result<void, ClaimFailure> {
        if (MenuCallsTable(connection, owner).update(row)) return {};
        return failure(ClaimFailure::kGone);
      },
      failure(ClaimFailure::kUnavailable), std::move(answer), undo);
}

void SqlMenuStore::remove(ParkId id, menu::EndedBy by, WallTime at) {
  rows_.erase(id);
  statements_.write_lastingly(id, [&owner = owner_, id, by, at](DatabaseConnection& connection) {
    MenuCallsTable(connection, owner).remove(id, by, at);
  });
}

void SqlMenuStore::hand_over(ParkedCallRow row) {
  const ParkId id = row.park_id;
  rows_.erase(id);
  row.state = RowState::kRetrieved;
  const auto call = std::make_shared<const ParkedCallRow>(std::move(row));
  // Written by the worker before the loop gets its report.
  const auto is_done = std::make_shared<bool>(false);
  statements_.write_lastingly(
      id,
      [&owner = owner_, call, is_done,
       operation_id = random_token(kOperationIdLength)](DatabaseConnection& connection) {
        *is_done = MenuCallsTable(connection, owner).hand_over(*call, operation_id);
      },
      [&parked_calls = parked_calls_, call, is_done](const DatabaseWorkers::Report&) {
        if (!*is_done) return log_warning(call->caller.call_id, kNotOurs);
        parked_calls.note_inserted(*call);
      });
}

void SqlMenuStore::load(Answer<Result<std::vector<MenuCallRow>, StoreUnavailable>> to) {
  Answer<Result<std::vector<MenuCallRow>, StoreUnavailable>> answer =
      [this, to = std::move(to)](Result<std::vector<MenuCallRow>, StoreUnavailable> rows) {
        if (rows) {
          for (const MenuCallRow& row : *rows) rows_.insert(row.id);
        }
        to(std::move(rows));
      };
  statements_.query<Result<std::vector<MenuCallRow>, StoreUnavailable>>(
      {}, [&owner = owner_](DatabaseConnection& connection) { return MenuCallsTable(connection, owner).load(); },
      failure(StoreUnavailable{}), std::move(answer));
}

}  // namespace callpark
