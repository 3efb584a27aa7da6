#include "access/backend/sql_password.h"

namespace sb::plugins::authn::postgresql {

void add_to(access::authn::Registry& registry) {
  registry.add(access::backend::sql_password(access::backend::Dialect::PostgreSql));
}

}  // namespace sb::plugins::authn::postgresql
