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
/// Of all tenants.
LampFacts query_all_lamps(DatabaseConnection& connection);
/// Every publication of parkd's.
std::vector<PublishedLamp> query_published_lamps(DatabaseConnection& connection);
/// See PresenceStore::find_publication().
std::optional<LivePublication> take_publication(DatabaseConnection& connection, const Presentity& presentity);
/// See PresenceStore::read_call_info().
std::vector<CallInfo> query_call_info(DatabaseConnection& connection, const std::string& tenant,
                                      const std::vector<std::string>& extensions);

}  // namespace callpark
