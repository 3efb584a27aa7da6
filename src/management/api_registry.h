// What the plug-ins of the family `api` get: the table to fill, the service that does the work.
#pragma once

namespace sb::http {
class Table;
}

namespace sb::management {

class Service;

struct ApiRegistry {
  http::Table& table;
  Service& service;
};

}  // namespace sb::management
