#include "http/endpoint.h"

#include <boost/json/array.hpp>

namespace sb::http {

std::string Call::text(std::string_view name) const {
  return find_text(name).value_or(std::string());
}

std::optional<std::string> Call::find_text(std::string_view name) const {
  const auto* value = parameters.if_contains(name);
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(std::string_view(value->get_string()));
}

std::vector<std::string> Call::texts(std::string_view name) const {
  std::vector<std::string> out;
  const json::value* all = parameters.if_contains(name);
  if (!all || !all->is_array()) return out;
  for (const json::value& one : all->get_array()) out.emplace_back(std::string_view(one.get_string()));
  return out;
}
std::int64_t Call::integer(std::string_view name, std::int64_t absent) const {
  return find_integer(name).value_or(absent);
}

std::optional<std::int64_t> Call::find_integer(std::string_view name) const {
  const auto* value = parameters.if_contains(name);
  if (!value || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

bool Call::flag(std::string_view name, bool absent) const {
  return find_flag(name).value_or(absent);
}

std::optional<bool> Call::find_flag(std::string_view name) const {
  const auto* value = parameters.if_contains(name);
  if (!value || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

Parameter path_parameter(std::string name, std::string description) {
  Parameter out;
  out.name = std::move(name);
  out.in = Parameter::In::Path;
  out.schema = schema::string(1, 65535);
  out.required = true;
  out.description = std::move(description);
  return out;
}

Parameter query_parameter(std::string name, Schema schema, std::string description) {
  Parameter out;
  out.name = std::move(name);
  out.schema = std::move(schema);
  out.description = std::move(description);
  return out;
}

Parameter repeated_parameter(std::string name, Schema schema, std::string description) {
  Parameter out = query_parameter(std::move(name), std::move(schema), std::move(description));
  out.repeated = true;
  return out;
}

std::vector<Parameter> with_paging(std::vector<Parameter> more) {
  Parameter page = query_parameter("page", schema::integer(1, 1'000'000'000), "Page of the list, from 1 on");
  page.fallback = 1;
  Parameter limit = query_parameter("limit", schema::integer(1, 10000), "Rows of a page");
  limit.fallback = 100;
  more.insert(more.begin(), {std::move(page), std::move(limit)});
  return more;
}

Answer ok(Schema schema) {
  return {200, "OK", std::move(schema)};
}
Endpoint kept(Endpoint endpoint) {
  endpoint.kept = true;
  endpoint.answers.push_back(fault(503, "In force, but the disk takes nothing at present"));
  return endpoint;
}
Answer no_content() {
  return {204, "Done", {}, ""};
}
Answer fault(unsigned status, std::string description) {
  return {status, std::move(description),
          schema::object({{"code", schema::string(), true}, {"message", schema::string(), true}})};
}

Schema page_of(Schema row) {
  return schema::object({{"data", schema::array(std::move(row)), true},
                         {"meta",
                          schema::object({{"page", schema::integer(1), true},
                                          {"limit", schema::integer(1), true},
                                          {"count", schema::integer(0)},
                                          {"hasnext", schema::boolean(), true}}),
                          true}});
}

Paging paging_of(const Call& call) {
  return {static_cast<std::size_t>(call.integer("page", 1)), static_cast<std::size_t>(call.integer("limit", 100))};
}

json::value page_answer(json::array rows, const Paging& paging, std::optional<std::size_t> count, bool has_next) {
  json::object meta{{"page", paging.page}, {"limit", paging.limit}};
  if (count) meta["count"] = *count;
  meta["hasnext"] = has_next;
  return json::object{{"data", std::move(rows)}, {"meta", std::move(meta)}};
}

}  // namespace sb::http
