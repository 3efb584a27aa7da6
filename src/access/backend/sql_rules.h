// The sources `postgresql` and `mysql` (access-control 7.5): rows of a prepared query are rules, the first that fits
// decides. A query that fails is no match.
#pragma once

#include "access/authz/source.h"
#include "access/backend/sql.h"

namespace sb::access::backend {

authz::SourceKind sql_rules(Dialect dialect);

}  // namespace sb::access::backend
