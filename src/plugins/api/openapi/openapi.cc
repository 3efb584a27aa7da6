// The document that describes the whole table (management-api 1.1).
#include "http/table.h"
#include "management/api_registry.h"
#include "plugins/api/openapi/page.h"

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

  http::Endpoint page;
  page.path = "/api-docs";
  page.tag = "Documentation";
  page.access = http::Access::Open;
  page.summary = "The page to browse the document with";
  page.hidden = true;
  page.handler = [](const http::Call&, const http::Reply& reply) {
    http::Response out;
    out.content_type = "text/html; charset=utf-8";
    out.fixed_body = kPage;
    out.headers = {{"x-content-type-options", "nosniff"},
                   {"x-frame-options", "DENY"},
                   {"content-security-policy",
                    "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"}};
    reply(std::move(out));
  };
  table.add(std::move(page));
}

}  // namespace sb::plugins::api::openapi
