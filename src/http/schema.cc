#include "http/schema.h"

#include "base/secret.h"
#include "base/secret_name.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <cmath>

namespace sb::http {

namespace schema {
Schema any() {
  return {};
}
Schema string(std::int64_t bytes_min, std::int64_t bytes_max) {
  Schema out;
  out.type = Schema::Type::String;
  out.minimum = bytes_min;
  out.maximum = bytes_max;
  return out;
}
Schema choice(std::vector<std::string> choices) {
  Schema out;
  out.type = Schema::Type::String;
  out.choices = std::move(choices);
  return out;
}
Schema integer(std::optional<std::int64_t> minimum, std::optional<std::int64_t> maximum) {
  Schema out;
  out.type = Schema::Type::Integer;
  out.minimum = minimum;
  out.maximum = maximum;
  return out;
}
Schema number() {
  Schema out;
  out.type = Schema::Type::Number;
  return out;
}
Schema boolean() {
  Schema out;
  out.type = Schema::Type::Boolean;
  return out;
}
Schema object(std::vector<Field> fields) {
  Schema out;
  out.type = Schema::Type::Object;
  out.fields = std::move(fields);
  return out;
}
Schema open_object(std::vector<Field> fields) {
  Schema out = object(std::move(fields));
  out.open = true;
  return out;
}
Schema array(Schema items, std::int64_t length_max) {
  Schema out;
  out.type = Schema::Type::Array;
  out.maximum = length_max;
  out.items = std::make_shared<const Schema>(std::move(items));
  return out;
}
Schema nullable(Schema inner) {
  inner.nullable = true;
  return inner;
}
}  // namespace schema

namespace {

std::string_view name_of(Schema::Type type) {
  switch (type) {
    case Schema::Type::Any:
      return "value";
    case Schema::Type::String:
      return "string";
    case Schema::Type::Integer:
      return "integer";
    case Schema::Type::Number:
      return "number";
    case Schema::Type::Boolean:
      return "boolean";
    case Schema::Type::Object:
      return "object";
    case Schema::Type::Array:
      return "array";
  }
  return "value";
}

/// What an answer, and with it the audit log, may show of a wrong value: no secret, and nothing that may hold one.
json::value shown(std::string_view path, const json::value& value) {
  if (value.is_object() || value.is_array()) return nullptr;
  const std::string_view name = path.substr(path.rfind('.') + 1);  // the whole path where there is no dot
  return names_secret(name.substr(0, name.find('['))) && !value.is_null() ? json::value(kMasked) : value;
}

void complain(std::vector<Complaint>& out, const std::string& path, std::string_view reason, std::string expected,
              const json::value& value) {
  if (out.size() < kComplaintsMax) out.push_back({path, std::string(reason), std::move(expected), shown(path, value)});
}

bool in_range(const Schema& schema, std::int64_t value) {
  return (!schema.minimum || value >= *schema.minimum) && (!schema.maximum || value <= *schema.maximum);
}

std::optional<std::int64_t> as_integer(const json::value& value) {
  if (const auto* i = value.if_int64()) return *i;
  if (const auto* u = value.if_uint64())
    return *u <= INT64_MAX ? std::optional<std::int64_t>(static_cast<std::int64_t>(*u)) : std::nullopt;
  if (const auto* d = value.if_double()) {
    constexpr double kExact = 9007199254740992.0;  // 2^53
    if (std::trunc(*d) == *d && std::abs(*d) <= kExact) return static_cast<std::int64_t>(*d);
    return std::nullopt;
  }
  if (const auto* s = value.if_string()) {
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(s->data(), s->data() + s->size(), out);
    if (error == std::errc() && end == s->data() + s->size() && !s->empty()) return out;
  }
  return std::nullopt;
}

std::optional<double> as_number(const json::value& value) {
  if (const auto* d = value.if_double()) return *d;
  if (const auto integer = as_integer(value)) return static_cast<double>(*integer);
  if (const auto* s = value.if_string()) {
    double out = 0;
    const auto [end, error] = std::from_chars(s->data(), s->data() + s->size(), out);
    if (error == std::errc() && end == s->data() + s->size() && !s->empty()) return out;
  }
  return std::nullopt;
}

void check_string(const Schema& schema, json::value& value, const std::string& path,
                  std::vector<Complaint>& complaints) {
  if (const auto* i = value.if_int64()) value = json::string(std::to_string(*i));
  const auto* text = value.if_string();
  if (!text) return complain(complaints, path, "bad_type", expectation(schema), value);
  if (!schema.choices.empty()) {
    for (const std::string& choice : schema.choices)
      if (std::string_view(choice) == std::string_view(*text)) return;
    return complain(complaints, path, "unable_to_convert_to_enum_symbol", expectation(schema), value);
  }
  if (!in_range(schema, static_cast<std::int64_t>(text->size())))
    complain(complaints, path, "bad_length", expectation(schema), text->size() > 256 ? json::value(nullptr) : value);
}

void check_object(const Schema& schema, json::value& value, const std::string& path,
                  std::vector<Complaint>& complaints) {
  auto* object = value.if_object();
  if (!object) return complain(complaints, path, "bad_value_for_struct", expectation(schema), value);
  const auto at = [&](std::string_view name) {
    return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
  };
  for (const Field& field : schema.fields) {
    auto* member = object->if_contains(field.name);
    if (member && member->is_null() && !field.schema.nullable && !field.required) {
      object->erase(field.name);  // null stands for "not given"
      member = nullptr;
    }
    if (member) {
      check(field.schema, *member, at(field.name), complaints);
    } else if (field.required) {
      complain(complaints, at(field.name), "required_field", expectation(field.schema), nullptr);
    } else if (!field.fallback.is_null()) {
      object->emplace(field.name, field.fallback);
    }
  }
  if (schema.open) return;
  for (const auto& [name, member] : *object) {
    bool known = false;
    for (const Field& field : schema.fields) known = known || std::string_view(field.name) == std::string_view(name);
    if (!known)
      complain(complaints, at(std::string_view(name).substr(0, 128)), "unknown_fields", "no such field", nullptr);
  }
}

void check_array(const Schema& schema, json::value& value, const std::string& path,
                 std::vector<Complaint>& complaints) {
  auto* array = value.if_array();
  if (!array) return complain(complaints, path, "bad_type", expectation(schema), value);
  if (!in_range(schema, static_cast<std::int64_t>(array->size())))
    return complain(complaints, path, "bad_length", expectation(schema), nullptr);
  if (!schema.items) return;
  for (std::size_t i = 0; i < array->size(); ++i)  // counted as in paths of the configuration
    check(*schema.items, (*array)[i], fmt::format("{}{}{}", path, path.empty() ? "" : ".", i + 1), complaints);
}

}  // namespace

void check(const Schema& schema, json::value& value, const std::string& path, std::vector<Complaint>& complaints) {
  if (value.is_null() && schema.nullable) return;
  switch (schema.type) {
    case Schema::Type::Any:
      return;
    case Schema::Type::String:
      return check_string(schema, value, path, complaints);
    case Schema::Type::Integer: {
      const auto integer = as_integer(value);
      if (!integer) return complain(complaints, path, "bad_type", expectation(schema), value);
      if (!in_range(schema, *integer)) return complain(complaints, path, "out_of_range", expectation(schema), value);
      value = *integer;
      return;
    }
    case Schema::Type::Number: {
      const auto number = as_number(value);
      if (!number) return complain(complaints, path, "bad_type", expectation(schema), value);
      value = *number;
      return;
    }
    case Schema::Type::Boolean: {
      if (value.is_bool()) return;
      const auto* text = value.if_string();
      if (text && (*text == "true" || *text == "false"))
        value = *text == "true";
      else
        complain(complaints, path, "bad_type", expectation(schema), value);
      return;
    }
    case Schema::Type::Object:
      return check_object(schema, value, path, complaints);
    case Schema::Type::Array:
      return check_array(schema, value, path, complaints);
  }
}

Response refusal(const std::vector<Complaint>& complaints) {
  json::array list;
  for (const Complaint& c : complaints) {
    json::object entry{{"kind", "validation_error"},
                       {"path", fmt::format("root{}{}", c.path.empty() ? "" : ".", c.path)},
                       {"reason", c.reason}};
    if (!c.expected.empty()) entry["expected"] = c.expected;
    if (!c.value.is_null()) entry["value"] = c.value;
    list.push_back(std::move(entry));
  }
  const std::string message = list.size() == 1 ? json::serialize(list[0]) : json::serialize(list);
  return Response::error(400, "BAD_REQUEST", message);
}

std::string expectation(const Schema& schema) {
  if (!schema.choices.empty()) return fmt::format("one of: {}", fmt::join(schema.choices, ", "));
  std::string out(name_of(schema.type));
  if (schema.type == Schema::Type::String && (!schema.minimum || *schema.minimum == 0) && schema.maximum == 65536)
    return out;
  if (schema.minimum && schema.maximum)
    out += fmt::format(" {}..{}", *schema.minimum, *schema.maximum);
  else if (schema.minimum)
    out += fmt::format(" of at least {}", *schema.minimum);
  else if (schema.maximum)
    out += fmt::format(" of at most {}", *schema.maximum);
  if (schema.type == Schema::Type::String) out += " bytes";
  return out;
}

json::object to_openapi(const Schema& schema) {
  json::object out;
  if (schema.type != Schema::Type::Any) out["type"] = name_of(schema.type);
  if (schema.nullable) out["nullable"] = true;
  const auto bounds = [&](const char* low, const char* high) {
    if (schema.minimum && *schema.minimum != 0) out[low] = *schema.minimum;
    if (schema.minimum && *schema.minimum == 0 && schema.type == Schema::Type::Integer) out[low] = 0;
    if (schema.maximum) out[high] = *schema.maximum;
  };
  switch (schema.type) {
    case Schema::Type::String:
      if (!schema.choices.empty()) {
        json::array choices;
        for (const std::string& choice : schema.choices) choices.emplace_back(choice);
        out["enum"] = std::move(choices);
      } else {
        bounds("minLength", "maxLength");
      }
      break;
    case Schema::Type::Integer:
      bounds("minimum", "maximum");
      break;
    case Schema::Type::Array:
      bounds("minItems", "maxItems");
      out["items"] = schema.items ? to_openapi(*schema.items) : json::object{};
      break;
    case Schema::Type::Object: {
      json::object properties;
      json::array required;
      for (const Field& field : schema.fields) {
        json::object property = to_openapi(field.schema);
        if (!field.description.empty()) property["description"] = field.description;
        if (!field.fallback.is_null()) property["default"] = field.fallback;
        properties[field.name] = std::move(property);
        if (field.required) required.emplace_back(field.name);
      }
      out["properties"] = std::move(properties);
      if (!required.empty()) out["required"] = std::move(required);
      out["additionalProperties"] = schema.open;
      break;
    }
    default:
      break;
  }
  return out;
}

}  // namespace sb::http
