#include "access/backend/sql_password.h"

namespace sb::plugins::authn::mysql {

void add_to(access::authn::Registry& registry) {
  registry.add(access::backend::sql_password(access::backend::Dialect::MySql));
}

}  // namespace sb::plugins::authn::mysql
