// Backup and restore (management-api 2.19).
#include "http/table.h"
#include "management/api_registry.h"
#include "management/backup.h"
#include "management/backup_journal.h"
#include "management/service.h"
#include "management/text.h"

#include <boost/json/array.hpp>

#include <fstream>
#include <sstream>

namespace sb::plugins::api::data {

namespace {
using http::Call;
using http::Method;
using http::Reply;
using http::Response;
using management::Backup;
namespace json = http::json;
namespace schema = http::schema;

Response refused(const Error& error) {
  if (error.code == Errc::NotFound) return Response::error(404, "NOT_FOUND", error.what);
  if (error.code == Errc::Io) return Response::error(500, "INTERNAL_ERROR", error.what);
  return Response::error(400, "BAD_REQUEST", error.what);
}

json::object to_json(const Backup::File& file, const std::string& node) {
  return {{"filename", file.name},
          {"size", file.size},
          {"created_at", management::rfc3339_s(file.created_ms)},
          {"created_at_sec", file.created_ms / 1000},
          {"node", node}};
}

/// 400 for another node: nullopt means this one.
std::optional<Response> elsewhere(const std::optional<std::string>& asked, const std::string& node) {
  if (!asked || *asked == node) return std::nullopt;
  return Response::error(400, "BAD_REQUEST", "Node not found: " + *asked);
}

void list(const Backup& backup, const std::string& node, const Call& call, const Reply& reply) {
  const http::Paging paging = http::paging_of(call);
  const auto files = backup.list();
  json::array rows;
  for (std::size_t i = paging.skip(); i < files.size() && rows.size() < paging.limit; ++i)
    rows.push_back(to_json(files[i], node));
  const bool more = paging.skip() + rows.size() < files.size();
  reply(Response::of(http::page_answer(std::move(rows), paging, files.size(), more)));
}

/// The part of a form that is a file: its name and its bytes.
std::optional<std::pair<std::string, std::string_view>> form_file(const Call& call);

void upload(Backup& backup, const Call& call, const Reply& reply) {
  const auto file = form_file(call);
  if (!file) return reply(Response::error(400, "BAD_REQUEST", "a form with a file in the part 'filename' is expected"));
  const auto taken = backup.take(file->first, file->second);
  reply(taken ? Response::empty() : refused(taken.error()));
}

void download(const Backup& backup, const Call& call, const Reply& reply) {
  const std::string name = call.text("filename");
  const auto path = backup.path_of(name);
  if (!path) return reply(refused(path.error()));
  std::ifstream file(*path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  Response response = Response::text(std::move(content).str());
  response.content_type = "application/octet-stream";
  response.headers.emplace_back("content-disposition", fmt::format("attachment; filename={}", name));
  reply(std::move(response));
}

/// What changed is in the report; the local command line gets it with the answer.
void import(Backup& backup, const std::string& node, const Call& call, const Reply& reply) {
  const json::object& body = call.object();
  const auto* asked = body.if_contains("node");
  const auto of = asked ? std::optional(std::string(std::string_view(asked->get_string()))) : std::nullopt;
  if (auto bad = elsewhere(of, node)) return reply(std::move(*bad));
  const auto report = backup.restore(std::string_view(body.at("filename").get_string()));
  if (!report) {
    Response response = refused(report.error());
    response.status = response.status == 404 ? 400 : response.status;
    return reply(std::move(response));
  }
  reply(call.request.door == http::Door::Cli ? Response::of(management::to_json(*report)) : Response::empty());
}

std::optional<std::pair<std::string, std::string_view>> form_file(const Call& call) {
  // RFC 7578: --BOUNDARY, fields, an empty line, bytes, --BOUNDARY--
  const std::string& type = call.request.content_type;
  const std::string_view body = call.request.body;
  const auto mark = type.find("boundary=");
  if (!type.starts_with("multipart/form-data") || mark == type.npos) return std::nullopt;
  std::string boundary = type.substr(mark + std::string_view("boundary=").size());
  boundary = boundary.substr(0, boundary.find(';'));
  if (boundary.size() > 2 && boundary.front() == '"') boundary = boundary.substr(1, boundary.size() - 2);
  const std::string line = "--" + boundary;
  for (std::size_t at = body.find(line); at != body.npos; at = body.find(line, at + line.size())) {
    const auto head = body.find("\r\n\r\n", at);
    if (head == body.npos) return std::nullopt;
    const std::string_view fields = body.substr(at, head - at);
    if (fields.find("name=\"filename\"") == fields.npos) continue;
    constexpr std::string_view kName = "filename=\"";
    // The last one: `name="filename"` does not count.
    const auto name = fields.rfind(kName);
    const auto end = body.find("\r\n" + line, head);
    if (name == fields.npos || end == body.npos) return std::nullopt;
    std::string_view file_name = fields.substr(name + kName.size());
    file_name = file_name.substr(0, file_name.find('"'));
    return std::pair(std::string(file_name), body.substr(head + 4, end - head - 4));
  }
  return std::nullopt;
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  if (!api.service.environment().backup) return;
  Backup& backup = *api.service.environment().backup;
  const std::string& node = api.service.environment().node;
  const std::string kTag = "Data Backup";
  const http::Answer bad = http::fault(400, "Refused");
  const http::Answer missing = http::fault(404, "No such file");
  api.table.add({Method::Post,
                 "/api/v5/data/export",
                 kTag,
                 http::Access::Administrator,
                 "Write a backup archive",
                 {},
                 schema::open_object({{"retained", schema::boolean(), false, "Retained messages too", false}}),
                 false,
                 {http::ok(schema::open_object()), http::fault(500, "Not written")},
                 false,
                 [&backup, &node](const Call& call, const Reply& reply) {
                   const auto file = backup.create(call.object().at("retained").get_bool());
                   if (!file) return reply(Response::error(500, "INTERNAL_ERROR", file.error().what));
                   reply(Response::of(to_json(*file, node)));
                 }});
  api.table.add({Method::Post,
                 "/api/v5/data/import",
                 kTag,
                 http::Access::Administrator,
                 "Restore from a stored archive: all of it, or nothing",
                 {},
                 schema::object({{"filename", schema::string(1, 256), true, "Archive in the backup folder"},
                                 {"node", schema::string(1, 256), false, "Where it lies"}}),
                 false,
                 {http::no_content(), bad},
                 false,
                 [&backup, &node](const Call& call, const Reply& reply) { import(backup, node, call, reply); }});
  api.table.add({Method::Get,
                 "/api/v5/data/imports/last",
                 kTag,
                 http::Access::Viewer,
                 "What the last import changed",
                 {},
                 {},
                 false,
                 {http::ok(schema::open_object()), http::fault(404, "Nothing was imported yet")},
                 false,
                 [&backup](const Call&, const Reply& reply) {
                   if (!backup.last()) return reply(Response::error(404, "NOT_FOUND", "nothing was imported yet"));
                   reply(Response::of(management::to_json(*backup.last())));
                 }});
  api.table.add({Method::Get,
                 "/api/v5/data/files",
                 kTag,
                 http::Access::Viewer,
                 "Page through backup archives",
                 http::with_paging(),
                 {},
                 false,
                 {http::ok(http::page_of(schema::open_object()))},
                 false,
                 [&backup, &node](const Call& call, const Reply& reply) { list(backup, node, call, reply); }});
  api.table.add({Method::Post,
                 "/api/v5/data/files",
                 kTag,
                 http::Access::Administrator,
                 "Upload a backup archive",
                 {},
                 {},
                 false,
                 {http::no_content(), bad},
                 false,
                 [&backup](const Call& call, const Reply& reply) { upload(backup, call, reply); }});
  const std::vector<http::Parameter> file = {http::path_parameter("filename", "Name of the archive"),
                                             http::query_parameter("node", schema::string(1, 256), "Where it lies")};
  api.table.add({Method::Get,
                 "/api/v5/data/files/{filename}",
                 kTag,
                 http::Access::Viewer,
                 "Download a backup archive",
                 file,
                 {},
                 false,
                 {{200, "The archive", schema::string(), "application/octet-stream"}, bad, missing},
                 false,
                 [&backup, &node](const Call& call, const Reply& reply) {
                   if (auto other = elsewhere(call.find_text("node"), node)) return reply(std::move(*other));
                   download(backup, call, reply);
                 }});
  api.table.add({Method::Delete,
                 "/api/v5/data/files/{filename}",
                 kTag,
                 http::Access::Administrator,
                 "Delete a backup archive",
                 file,
                 {},
                 false,
                 {http::no_content(), bad, missing},
                 false,
                 [&backup, &node](const Call& call, const Reply& reply) {
                   if (auto other = elsewhere(call.find_text("node"), node)) return reply(std::move(*other));
                   const auto removed = backup.remove(call.text("filename"));
                   reply(removed ? Response::empty() : refused(removed.error()));
                 }});
}

}  // namespace sb::plugins::api::data
