#include "access/backend/sql_rules.h"

namespace sb::plugins::authz::postgresql {

void add_to(access::authz::Registry& registry) {
  registry.add(access::backend::sql_rules(access::backend::Dialect::PostgreSql));
}

}  // namespace sb::plugins::authz::postgresql
