#include "parkd/store/menu_calls_table.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/log.h"
#include "parkd/store/cdr_codec.h"
#include "parkd/store/parked_call_codec.h"
#include "parkd/store/parked_calls_table.h"

namespace callpark {
namespace {

using Value = DatabaseConnection::Value;
using Row = DatabaseConnection::Row;

constexpr const char* kInsert =
    "INSERT INTO menu_calls (tenant, numbers, caller_dialog, peer_dialog, media, id, owner, epoch, since, cdr) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), ?) "
    "ON DUPLICATE KEY UPDATE id = menu_calls.id";

constexpr const char* kUpdate =
    "UPDATE menu_calls SET tenant = ?, numbers = ?, caller_dialog = ?, peer_dialog = ?, media = ? "
    "WHERE id = ? AND owner = ? AND epoch = ?";

constexpr const char* kIsOurs = "SELECT 1 FROM menu_calls WHERE id = ? AND owner = ? AND epoch = ?";

// No target is called twice under one Call-ID: a peer that was written since is another text.
constexpr const char* kForgetPeer =
    "UPDATE menu_calls SET peer_dialog = NULL WHERE id = ? AND owner = ? AND epoch = ? AND peer_dialog = ?";

constexpr const char* kEnd = "CALL end_menu_call(?, ?, ?, ?, ?)";

constexpr const char* kIsHandedOver = "SELECT 1 FROM parked_calls WHERE park_id = ? AND owner = ? AND epoch = ?";

constexpr const char* kSelect =
    "SELECT id, tenant, numbers, caller_dialog, peer_dialog, media, owner, epoch, "
    "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', since) DIV 1000, cdr FROM menu_calls WHERE owner = ? AND epoch = ?";

std::int64_t milliseconds(WallTime time) {
  return time.time_since_epoch().count();
}

std::string join(const std::vector<std::string>& numbers) {
  std::string text;
  for (const std::string& number : numbers) text += (text.empty() ? "" : ",") + number;
  return text;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> numbers;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    numbers.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return numbers;
}

std::vector<Value> written_values(const MenuCallRow& row) {
  return {row.tenant, join(row.numbers), write_dialog(row.caller),
          row.peer ? Value(write_dialog(*row.peer)) : Value(nullptr),
          row.media ? Value(write_media(*row.media)) : Value(nullptr)};
}

template <class T>
T or_throw(Result<T, BadColumn> parsed) {
  if (!parsed) throw std::runtime_error(parsed.error().why);
  return std::move(*parsed);
}

MenuCallRow menu_call_of(const Row& row) {
  const auto text = [&row](std::size_t column) { return row.at(column).value_or(""); };
  MenuCallRow call;
  call.id = ParkId(text(0));
  call.tenant = text(1);
  call.numbers = split(text(2));
  call.caller = or_throw(parse_dialog(text(3)));
  if (row.at(4)) call.peer = or_throw(parse_dialog(*row.at(4)));
  if (row.at(5)) call.media = or_throw(parse_media(*row.at(5)));
  call.owner = text(6);
  call.epoch = std::stoull(text(7));
  call.since = WallTime(Duration(std::stoll(text(8))));
  if (row.at(9)) call.cdr = or_throw(parse_cdr(*row.at(9)));
  return call;
}

}  // namespace

void MenuCallsTable::insert(const MenuCallRow& row) {
  std::vector<Value> values = written_values(row);
  values.insert(values.end(), {row.id.text(), owner_.node, owner_.epoch, milliseconds(row.since),
                               row.cdr ? Value(write_cdr(*row.cdr)) : Value(nullptr)});
  connection_.execute(kInsert, values);
}

bool MenuCallsTable::update(const MenuCallRow& row) {
  std::vector<Value> values = written_values(row);
  values.insert(values.end(), {row.id.text(), owner_.node, owner_.epoch});
  if (connection_.execute(kUpdate, values) == 1) return true;
  // A row that is as it is to be is not changed.
  return !connection_.query(kIsOurs, {row.id.text(), owner_.node, owner_.epoch}).empty();
}

void MenuCallsTable::forget_peer(const MenuCallRow& row) {
  if (row.peer) connection_.execute(kForgetPeer, {row.id.text(), owner_.node, owner_.epoch, write_dialog(*row.peer)});
}

void MenuCallsTable::remove(const ParkId& id, menu::EndedBy by, WallTime at) {
  connection_.execute(kEnd, {id.text(), owner_.node, owner_.epoch, milliseconds(at),
                             by == menu::EndedBy::kCaller ? "caller" : "callee"});
}

bool MenuCallsTable::hand_over(const ParkedCallRow& row, const std::string& operation_id) {
  bool is_done = false;
  connection_.in_transaction([&] {
    // Without a row it changes nothing.
    is_done = connection_.execute(
                  kEnd, {row.park_id.text(), owner_.node, owner_.epoch, milliseconds(row.parked_at), "connected"}) != 0;
    if (is_done) ParkedCallsTable(connection_, owner_).insert(row, operation_id, {}, {});
  });
  // If the connection broke, the first try may have done it.
  return is_done || !connection_.query(kIsHandedOver, {row.park_id.text(), owner_.node, owner_.epoch}).empty();
}

std::vector<MenuCallRow> MenuCallsTable::load() {
  connection_.execute("UPDATE menu_calls SET epoch = ? WHERE owner = ?", {owner_.epoch, owner_.node});
  std::vector<MenuCallRow> calls;
  for (const Row& row : connection_.query(kSelect, {owner_.node, owner_.epoch})) {
    try {
      calls.push_back(menu_call_of(row));
    } catch (const std::exception& error) {
      log_error(row.at(0).value_or(""), "the row of this caller in a menu cannot be read, its call is lost: {}",
                error.what());
    }
  }
  return calls;
}

}  // namespace callpark
