// Messages that wait for a client (management-api 5, 5.6.0).
#pragma once

#include "http/table.h"
#include "management/service.h"

namespace sb::plugins::api::clients {

void add_waiting(http::Table& table, management::Service& service);

}  // namespace sb::plugins::api::clients
