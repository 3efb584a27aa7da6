// A small description of JSON values: enough to check requests, to convert what is leniently allowed, and to be printed
// as an OpenAPI 3 schema. Plain data.
#pragma once

#include "http/message.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::http {

struct Field;

struct Schema {
  enum class Type : std::uint8_t { Any, String, Integer, Number, Boolean, Object, Array };
  Type type = Type::Any;
  /// Of an integer its value, of a string its bytes, of an array its length.
  std::optional<std::int64_t> minimum{};
  std::optional<std::int64_t> maximum{};
  std::vector<std::string> choices{};  // of a string
  std::vector<Field> fields;           // of an object
  bool open = false;                   // an object may have members beside `fields`
  bool nullable = false;
  std::shared_ptr<const Schema> items{};  // of an array
};

struct Field {
  std::string name;
  Schema schema;
  bool required = false;
  std::string description{};
  json::value fallback = nullptr;  // filled in when absent, unless null
};

namespace schema {
Schema any();
Schema string(std::int64_t bytes_min = 0, std::int64_t bytes_max = 65536);
Schema choice(std::vector<std::string> choices);
Schema integer(std::optional<std::int64_t> minimum = {}, std::optional<std::int64_t> maximum = {});
Schema number();
Schema boolean();
Schema object(std::vector<Field> fields);
/// For answers: the fields named and others.
Schema open_object(std::vector<Field> fields = {});
Schema array(Schema items, std::int64_t length_max = 10000);
Schema nullable(Schema schema);
}  // namespace schema

/// What is wrong with a value and where.
struct Complaint {
  std::string path;      // "qos", "topics[2].topic"
  std::string reason;    // "required_field", "unknown_fields", "bad_type", "out_of_range", ...
  std::string expected;  // "integer 0..2"; empty where the reason says it all
  json::value value = nullptr;
};

/// Converts in place what is leniently allowed ("1" for 1, "true" for true, 1 for "1"), fills defaults in, and appends
/// what is wrong. At most `kComplaintsMax` are kept.
inline constexpr std::size_t kComplaintsMax = 16;
void check(const Schema& schema, json::value& value, const std::string& path, std::vector<Complaint>& complaints);

/// 400 whose message is JSON that names field, value and expectation.
Response refusal(const std::vector<Complaint>& complaints);

/// "integer 0..2", "one of: a, b"
std::string expectation(const Schema& schema);
json::object to_openapi(const Schema& schema);

}  // namespace sb::http
