#include "http/refused_change.h"

#include "http/schema.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace sb::http {

namespace {

/// What a problem shows of a value is its JSON, unless that was long or hidden.
json::value typed(const std::string& shown) {
  json::error_code error;
  json::value out = json::parse(shown, error);
  return error ? json::value(shown) : out;
}

/// "root.qos" of "retainer.qos" in a body that is the value of `retainer`.
std::string place_of(std::string_view path, const RefusedBody& body) {
  if (!body.at.empty()) {
    if (!path.starts_with(body.at)) return std::string(path);
    path.remove_prefix(body.at.size());
    if (!path.empty() && path.front() != '.') return body.at + std::string(path);  // of a key whose name is longer
    path.remove_prefix(path.empty() ? 0 : 1);
  }
  return path.empty() ? "root" : fmt::format("root.{}", path);
}

/// Something in the body is wrong, and another body would do.
bool is_mistake(const config::ConfigStore::Refusal& refusal) {
  return !refusal.problems.empty() && std::none_of(refusal.problems.begin(), refusal.problems.end(),
                                                   [](const auto& problem) { return problem.reason == "read_only"; });
}

}  // namespace

json::object validation_error(const config::Problem& problem, std::string_view path) {
  json::object out{{"kind", "validation_error"}, {"path", path}, {"reason", problem.reason}};
  if (!problem.value.empty()) out["value"] = typed(problem.value);
  if (!problem.expected.empty()) out["expected"] = problem.expected;
  return out;
}

Response refused_change(const config::ConfigStore::Refusal& refusal, const RefusedBody& body) {
  if (!is_mistake(refusal)) return Response::error(400, body.other, refusal.told());
  json::array list;
  for (const config::Problem& problem : refusal.problems) {
    if (list.size() == kComplaintsMax) break;
    json::value error = validation_error(problem, place_of(problem.path, body));
    // Where two read the same key, both complain.
    if (std::find(list.begin(), list.end(), error) == list.end()) list.push_back(std::move(error));
  }
  return Response::error(400, body.code, list.size() == 1 ? json::serialize(list[0]) : json::serialize(list));
}

}  // namespace sb::http
