#include "plugins/api/authentication/chains.h"

#include "http/refused_change.h"
#include "management/order.h"

#include <fmt/format.h>

#include <algorithm>

namespace sb::plugins::api::authentication {

using config::Value;

namespace {

/// The value of a parameter such as boundary= or name=, with or without quotes.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  for (std::size_t at = header.find(';'); at != std::string_view::npos;) {
    std::string_view rest = header.substr(at + 1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.size() > name.size() && rest[name.size()] == '=' && rest.starts_with(name)) {
      rest.remove_prefix(name.size() + 1);
      if (rest.starts_with('"')) return std::string(rest.substr(1, rest.find('"', 1) - 1));
      return std::string(rest.substr(0, rest.find_first_of("; \t")));
    }
    at = header.find(';', at + 1);
  }
  return std::nullopt;
}

/// The value of a header line in the head of a part, or empty.
std::string_view header_of(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head = end == std::string_view::npos ? std::string_view{} : head.substr(end + 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    const bool same = std::equal(name.begin(), name.end(), line.begin(),
                                 [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
    if (same) return line.substr(name.size() + 1);
  }
  return {};
}

}  // namespace

Chain::Chain(config::ConfigStore& store, std::string_view listener) : store_(store) {
  if (listener.empty()) {
    id_ = access::authn::kGlobalChain;
    path_ = "authentication";
    return;
  }
  id_ = listener;
  const auto colon = std::min(listener.find(':'), listener.size());
  listener_path_ =
      fmt::format("listeners.{}.{}", listener.substr(0, colon), listener.substr(std::min(colon + 1, listener.size())));
  path_ = listener_path_ + ".authentication";
}

bool Chain::exists() const {
  if (listener_path_.empty()) return true;
  // Names hold neither dots nor other marks, so a path is never made of something else.
  const bool plain =
      std::count(listener_path_.begin(), listener_path_.end(), '.') == 2 && !listener_path_.ends_with('.');
  const Value* listener = plain ? store_.current()->effective.at_path(listener_path_) : nullptr;
  return listener && listener->is_object();
}

Value::Array Chain::members() const {
  const Value* chain = store_.current()->effective.at_path(path_);
  if (!chain) return {};
  if (const auto* list = chain->if_array()) return *list;
  return chain->is_object() && !chain->if_object()->empty() ? Value::Array{*chain} : Value::Array{};
}

std::optional<Value> Chain::find(std::string_view id) const {
  const Value::Array all = members();
  const std::size_t at = management::position_of(all, config::authn_id, id);
  return at == all.size() ? std::nullopt : std::optional(all[at]);
}

std::optional<http::Response> Chain::replace(Value::Array members, std::optional<std::size_t> sent) {
  const auto changed = store_.update(path_, Value(std::move(members)), config::ConfigStore::Mode::Replace);
  if (changed) return std::nullopt;
  return http::refused_change(changed.error(), {.at = sent ? fmt::format("{}.{}", path_, *sent + 1) : path_});
}

std::optional<FormFile> form_file(std::string_view content_type, std::string_view body) {
  if (!content_type.starts_with("multipart/form-data")) return std::nullopt;
  const auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty()) return std::nullopt;
  const std::string mark = "--" + *boundary;
  std::size_t at = body.find(mark);
  while (at != std::string_view::npos) {
    const std::size_t begin = at + mark.size();
    if (body.substr(begin, 2) != "\r\n") return std::nullopt;  // "--": the end
    const std::size_t next = body.find("\r\n" + mark, begin);
    if (next == std::string_view::npos) return std::nullopt;
    const std::string_view part = body.substr(begin + 2, next > begin + 2 ? next - begin - 2 : 0);
    const std::size_t blank = part.find("\r\n\r\n");
    if (blank == std::string_view::npos) return std::nullopt;
    const std::string_view disposition = header_of(part.substr(0, blank), "content-disposition");
    if (parameter(disposition, "name") == "filename")
      return FormFile{parameter(disposition, "filename").value_or(""), std::string(part.substr(blank + 4))};
    at = next + 2;
  }
  return std::nullopt;
}

}  // namespace sb::plugins::api::authentication
