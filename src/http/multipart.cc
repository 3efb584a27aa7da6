#include "http/multipart.h"

#include <algorithm>

namespace sb::http {

namespace {

constexpr std::size_t kBoundaryMax = 70;  // RFC 2046 5.1.1
constexpr std::size_t kPartHeadMax = 4096;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool same(std::string_view a, std::string_view lower_case) {
  return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(),
                    [](char x, char y) { return lower(x) == y; });
}
std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes one `; name=value` or `; name="value"` off the front. False: nothing is left, or it is malformed.
bool next_attribute(std::string_view& rest, std::string_view& name, std::string& value) {
  rest = trim(rest);
  if (!rest.starts_with(';')) return false;
  rest = trim(rest.substr(1));
  const auto equals = rest.find('=');
  if (equals == std::string_view::npos) return false;
  name = trim(rest.substr(0, equals));
  rest = trim(rest.substr(equals + 1));
  value.clear();
  if (!rest.starts_with('"')) {
    const auto end = std::min(rest.find(';'), rest.size());
    value = trim(rest.substr(0, end));
    rest.remove_prefix(end);
    return true;
  }
  rest.remove_prefix(1);
  while (!rest.empty() && rest.front() != '"') {
    if (rest.starts_with("\\\"")) rest.remove_prefix(1);
    value += rest.front();
    rest.remove_prefix(1);
  }
  if (rest.empty()) {
    rest = "\"";  // the quote does not end: what is left is no good
    return false;
  }
  rest.remove_prefix(1);
  return true;
}

Result<> read_part_head(std::string_view head, Part& part) {
  bool disposition = false;
  while (!head.empty()) {
    const auto end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return fail(Errc::Invalid, "a field of a part without ':'");
    const std::string_view name = trim(line.substr(0, colon));
    const std::string_view value = trim(line.substr(colon + 1));
    if (same(name, "content-type")) part.content_type = value;
    if (!same(name, "content-disposition")) continue;
    const auto kind_end = std::min(value.find(';'), value.size());
    if (!same(trim(value.substr(0, kind_end)), "form-data")) return fail(Errc::Invalid, "a part that is no form-data");
    disposition = true;
    std::string_view rest = value.substr(kind_end);
    std::string_view key;
    std::string text;
    while (next_attribute(rest, key, text)) {
      if (same(key, "name")) part.name = text;
      if (same(key, "filename")) part.file_name = text;
    }
    if (!trim(rest).empty()) return fail(Errc::Invalid, "a malformed content-disposition");
  }
  if (!disposition) return fail(Errc::Invalid, "a part without content-disposition");
  return {};
}

}  // namespace

std::string multipart_boundary(std::string_view content_type) {
  const auto end = std::min(content_type.find(';'), content_type.size());
  if (!same(trim(content_type.substr(0, end)), "multipart/form-data")) return {};
  std::string_view rest = content_type.substr(end);
  std::string_view name;
  std::string value;
  while (next_attribute(rest, name, value))
    if (same(name, "boundary")) return value.size() <= kBoundaryMax ? value : std::string();
  return {};
}

Result<std::vector<Part>> parse_multipart(std::string_view body, std::string_view boundary) {
  if (boundary.empty()) return fail(Errc::Invalid, "a form without a boundary");
  const std::string line = fmt::format("--{}", boundary);
  const std::string between = "\r\n" + line;
  std::size_t at = 0;
  if (!body.starts_with(line)) {
    // What stands before the first boundary is to be ignored (RFC 2046 5.1.1).
    at = body.find(between);
    if (at == std::string_view::npos) return fail(Errc::Invalid, "the form has no boundary line");
    at += 2;
  }
  std::vector<Part> out;
  body.remove_prefix(at + line.size());
  while (!body.starts_with("--")) {
    while (!body.empty() && (body.front() == ' ' || body.front() == '\t')) body.remove_prefix(1);
    if (!body.starts_with("\r\n")) return fail(Errc::Invalid, "a malformed boundary line");
    body.remove_prefix(2);
    if (out.size() == kPartsMax) return fail(Errc::Invalid, fmt::format("more than {} parts", kPartsMax));
    Part part;
    std::size_t head_end = 0;
    if (!body.starts_with("\r\n")) {
      head_end = body.substr(0, kPartHeadMax).find("\r\n\r\n");
      if (head_end == std::string_view::npos) return fail(Errc::Invalid, "the head of a part does not end");
      SB_CHECKED(read_part_head(body.substr(0, head_end), part));
      body.remove_prefix(head_end + 4);
    } else {
      return fail(Errc::Invalid, "a part without content-disposition");
    }
    const auto end = body.find(between);
    if (end == std::string_view::npos) return fail(Errc::Invalid, "the form does not end");
    part.bytes = body.substr(0, end);
    body.remove_prefix(end + between.size());
    out.push_back(std::move(part));
  }
  return out;
}

}  // namespace sb::http
