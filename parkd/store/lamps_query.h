// Queries for lamps: of parkd's tables for calls and codes, of Kamailio's for publications.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parkd/ports/presence_store.h"
#include "parkd/store/database_connection.h"

namespace callpark {

// All throw DatabaseError.

/// See PresenceStore::read_lamps().
LampFacts query_lamps(DatabaseConnection& connection, const std::vector<CallChange>& changes);
/// See PresenceStore::read_watched().
std::vector<Presentity> query_watched(DatabaseConnection& connection, const std::optional<Presentity>& after,
                                      std::size_t most);
/// See PresenceStore::read_lit_flows().
std::vector<LitFlow> query_lit_flows(DatabaseConnection& connection);
/// See PresenceStore::read_shown().
PresenceStore::ShownLamps query_shown(DatabaseConnection& connection, const std::vector<Presentity>& presentities);
/// See PresenceStore::read_unwatched().
std::vector<Presentity> query_unwatched(DatabaseConnection& connection);
/// See PresenceStore::remove_publication().
void delete_publication(DatabaseConnection& connection, const Presentity& presentity);
/// See PresenceStore::find_publication().
std::optional<LivePublication> take_publication(DatabaseConnection& connection, const Presentity& presentity);
/// See PresenceStore::read_call_info().
std::vector<CallInfo> query_call_info(DatabaseConnection& connection, const std::string& tenant,
                                      const std::vector<std::string>& extensions);

}  // namespace callpark
