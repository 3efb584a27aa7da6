// One operation of the management interface, declared as data: from it come routing, checks, the OpenAPI document, the
// roles that may use it and its audit record.
#pragma once

#include "base/give_way.h"
#include "http/message.h"
#include "http/multipart.h"
#include "http/schema.h"

#include <string>
#include <string_view>
#include <vector>

namespace sb::http {

struct Parameter {
  enum class In : std::uint8_t { Path, Query };
  std::string name;
  In in = In::Query;
  Schema schema;
  bool required = false;
  std::string description{};
  json::value fallback = nullptr;
  bool repeated = false;  // of a query: may be given several times
};

/// A request that passed routing and validation.
class Call {
 public:
  Request request;
  json::object parameters;  // of path and query, typed
  json::value body;         // checked against the endpoint's schema
  std::vector<Part> parts;  // of an upload that is a form; they live as long as `request`

  std::string text(std::string_view name) const;
  std::optional<std::string> find_text(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;  // of a repeated parameter
  std::int64_t integer(std::string_view name, std::int64_t absent = 0) const;
  std::optional<std::int64_t> find_integer(std::string_view name) const;
  bool flag(std::string_view name, bool absent = false) const;
  std::optional<bool> find_flag(std::string_view name) const;
  const json::object& object() const { return body.get_object(); }
};

/// Works later if it must ask elsewhere: `reply` is called exactly once, on the thread that called the handler.
using Handler = std::function<void(Call call, Reply reply)>;

/// Who may use an operation. The administrator may use every one.
enum class Access : std::uint8_t {
  Viewer,  // and the viewer
  Administrator,
  Publisher,  // and the publisher, but not the viewer
  Own,        // and whoever is named by the first path parameter, or has no path parameter to name
  Metrics,    // open, or as Viewer, as the configuration wants
  Open,       // no log-in at all
};
/// By what means one may have logged in.
enum class Login : std::uint8_t { Any, TokenOnly };

struct Answer {
  unsigned status = 200;
  std::string description;
  Schema schema{};
  std::string content_type = "application/json";  // "" = no body
};

struct Endpoint {
  Method method = Method::Get;
  std::string path;  // "/api/v5/clients/{clientid}"
  std::string tag;
  Access access = Access::Viewer;
  std::string summary;
  std::vector<Parameter> parameters{};
  std::optional<Schema> body{};  // JSON; without it the body is handed on as it came
  bool plain_body = false;       // the body is text, for the document
  std::vector<Answer> answers{};
  bool hidden = false;  // not in the OpenAPI document
  Handler handler;
  Login login = Login::Any;
  /// Takes a file up to this size: a form's parts are in Call::parts, another body is Request::upload.
  std::uint64_t upload_max = 0;
  bool any_method = false;  // whatever the method, even one that nobody knows
  bool kept = false;        // see kept()
};

/// What the operation changes on the shards is on disk before it is answered: a crash right after does not undo it.
/// Where the disk takes nothing the answer is 503, which says that the change is in force all the same.
Endpoint kept(Endpoint endpoint);

// Parameters that many operations share.
Parameter path_parameter(std::string name, std::string description);
Parameter query_parameter(std::string name, Schema schema, std::string description);
Parameter repeated_parameter(std::string name, Schema schema, std::string description);
/// `page` (1 on) and `limit` (1..10000, 100)
std::vector<Parameter> with_paging(std::vector<Parameter> more = {});
/// 200 with this content, 204, and the usual error object.
Answer ok(Schema schema);
Answer no_content();
Answer fault(unsigned status, std::string description);
/// {"data":[…],"meta":{page,limit,count,hasnext}}
Schema page_of(Schema row);

struct Paging {
  std::size_t page = 1;
  std::size_t limit = 100;
  std::size_t skip() const { return (page - 1) * limit; }
};
Paging paging_of(const Call& call);
/// An array of what `to_json` makes of each. Pages are long: other threads have a go between rows.
template <class Rows, class ToJson>
json::array rows_of(const Rows& rows, ToJson&& to_json) {
  json::array out;
  out.reserve(rows.size());
  for (const auto& row : rows) {
    out.push_back(to_json(row));
    give_way();
  }
  return out;
}
json::value page_answer(json::array rows, const Paging& paging, std::optional<std::size_t> count, bool has_next);

}  // namespace sb::http
