// Cached authorization decisions of everybody (management-api 2.29).
#include "access/access_control.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"

namespace sb::plugins::api::authorization {

void add_to(management::ApiRegistry& api) {
  access::AccessControl& access = *api.service.environment().access;
  api.table.add({http::Method::Delete,
                 "/api/v5/authorization/cache",
                 "Authorization",
                 http::Access::Administrator,
                 "Clear the cached ACL decisions of every client",
                 {},
                 {},
                 false,
                 {http::no_content()},
                 false,
                 [&access](const http::Call&, const http::Reply& reply) {
                   access.clear_caches();
                   reply(http::Response::empty());
                 }});
}

}  // namespace sb::plugins::api::authorization
