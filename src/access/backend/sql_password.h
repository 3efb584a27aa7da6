// password_based:postgresql and password_based:mysql (access-control 4.2, 4.3): the first row of a prepared query holds
// hash, salt and superuser. No row, a query that fails and a dead server leave the client to the next authenticator.
#pragma once

#include "access/authn/provider.h"
#include "access/backend/sql.h"

namespace sb::access::backend {

authn::Mechanism sql_password(Dialect dialect);

}  // namespace sb::access::backend
