// The billing hook of a tenant, with its secrets, in one query.
#pragma once

#include <optional>
#include <string>

#include "parkd/ports/billing.h"
#include "parkd/store/database_connection.h"

namespace callpark {

/// Nothing if the tenant has none that is enabled. Throws DatabaseError.
std::optional<BillingHook> query_billing_hook(DatabaseConnection& connection, const std::string& tenant);

}  // namespace callpark
