#include "http/etag.h"

#include "base/hash.h"

#include <fmt/format.h>

#include <algorithm>

namespace sb::http {

std::string etag_of(const Response& response) {
  if (response.status != 200 || response.body.empty()) return {};
  return fmt::format("\"{:016x}\"", hash_text(response.settings.empty() ? response.body : response.settings));
}

bool if_match_holds(std::string_view field, std::string_view etag) {
  while (!field.empty()) {
    std::string_view one = field.substr(0, field.find(','));
    field.remove_prefix(std::min(one.size() + 1, field.size()));
    while (!one.empty() && (one.front() == ' ' || one.front() == '\t')) one.remove_prefix(1);
    while (!one.empty() && (one.back() == ' ' || one.back() == '\t')) one.remove_suffix(1);
    if (one == "*" || (!etag.empty() && one == etag)) return true;
  }
  return false;
}

}  // namespace sb::http
