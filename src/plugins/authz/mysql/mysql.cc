#include "access/backend/sql_rules.h"

namespace sb::plugins::authz::mysql {

void add_to(access::authz::Registry& registry) {
  registry.add(access::backend::sql_rules(access::backend::Dialect::MySql));
}

}  // namespace sb::plugins::authz::mysql
