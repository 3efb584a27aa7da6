// The document that describes the whole table (management-api 1.1).
#include "http/table.h"
#include "management/api_registry.h"

namespace sb::plugins::api::openapi {

void add_to(management::ApiRegistry& api) {
  http::Table& table = api.table;
  table.add({http::Method::Get,
             "/api-docs/swagger.json",
             "Documentation",
             http::Access::Open,
             "The OpenAPI 3 document",
             {},
             {},
             false,
             {http::ok(http::schema::open_object())},
             true,
             [&table](const http::Call&, const http::Reply& reply) { reply(http::Response::of(table.openapi())); }});
}

}  // namespace sb::plugins::api::openapi
