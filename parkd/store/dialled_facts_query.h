// What the tables say of a dialled number, in one query.
#pragma once

#include <string>

#include "parkd/ports/store.h"
#include "parkd/store/database_connection.h"

namespace callpark {

/// `dialled` is the user part of a Request-URI, whatever its bytes. Somebody whom the tables do not know, or who is
/// disabled, may nothing. Throws DatabaseError.
DialledFacts query_dialled_facts(DatabaseConnection& connection, const std::string& tenant, const std::string& user,
                                 const std::string& dialled);

}  // namespace callpark
