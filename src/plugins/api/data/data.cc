// Backup and restore (management-api 2.19).
#include "http/file_body.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/backup.h"
#include "management/backup_journal.h"
#include "management/service.h"
#include "management/text.h"

#include <boost/json/array.hpp>

#include <algorithm>

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

constexpr std::uint64_t kUploadMax = std::uint64_t{512} << 20;

void upload(Backup& backup, const Call& call, const Reply& reply) {
  const auto file = std::find_if(call.parts.begin(), call.parts.end(),
                                 [](const http::Part& part) { return part.name == "filename"; });
  if (file == call.parts.end())
    return reply(Response::error(400, "BAD_REQUEST", "a form with a file in the part 'filename' is expected"));
  const auto taken = backup.take(file->file_name, file->bytes);
  reply(taken ? Response::empty() : refused(taken.error()));
}

void download(const Backup& backup, const Call& call, const Reply& reply) {
  const std::string name = call.text("filename");
  const auto path = backup.path_of(name);
  if (!path) return reply(refused(path.error()));
  auto file = http::FileBody::open(*path);
  if (!file) return reply(refused(file.error()));
  Response response;
  response.file = *std::move(file);
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
    if (report.error().code == Errc::NotFound) return reply(Response::error(400, "BAD_REQUEST", report.error().what));
    return reply(refused(report.error()));
  }
  Response response =
      call.request.door == http::Door::Cli ? Response::of(management::to_json(*report)) : Response::empty();
  response.report = management::to_json(*report);
  reply(std::move(response));
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
                 [&backup](const Call& call, const Reply& reply) { upload(backup, call, reply); },
                 http::Login::Any,
                 kUploadMax});
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
