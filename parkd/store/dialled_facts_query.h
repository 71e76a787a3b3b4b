// The content of the tables about a dialled number, in one query; one more for the members of a park group, and one for
// the billing hook of a tenant that has one.
#pragma once

#include <string>

#include "parkd/ports/store.h"
#include "parkd/store/database_connection.h"

namespace callpark {

/// `dialled` is the user part of a Request-URI, whatever its bytes. A user that is disabled, or not in the tables, has
/// no permissions. Throws DatabaseError.
DialledFacts query_dialled_facts(DatabaseConnection& connection, const std::string& tenant, const std::string& user,
                                 const std::string& dialled);

}  // namespace callpark
