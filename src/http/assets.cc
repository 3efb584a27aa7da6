#include "http/assets.h"

namespace sb::http {

namespace {

/// Whether a list like `gzip, br;q=0.5` names the coding and does not refuse it.
bool accepts(std::string_view list, std::string_view coding) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    std::string_view item = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    if (!item.starts_with(coding)) continue;
    item.remove_prefix(coding.size());
    if (item.empty() || item.front() == ' ' || item.front() == ';')
      return item.find("q=0") == std::string_view::npos || item.find("q=0.") != std::string_view::npos;
  }
  return false;
}

}  // namespace

std::optional<Asset> AssetTable::find(std::string_view path) const {
  const auto found = assets_.find(path == "/" ? std::string_view("/index.html") : path);
  if (found == assets_.end()) return std::nullopt;
  return found->second;
}

Response serve_asset(const AssetSource* source, const Request& request) {
  const auto path = percent_decode(request.path, false);
  if (!path || path->find("..") != std::string::npos) return path_not_found(request.accept);
  const auto asset = source ? source->find(*path) : std::nullopt;
  if (!asset) return path_not_found(request.accept);
  if (request.method != "GET") {
    Response refused = Response::empty(405);
    refused.headers.emplace_back("allow", "GET");
    return refused;
  }
  Response out;
  out.headers.emplace_back("etag", asset->etag);
  out.headers.emplace_back("cache-control", asset->immutable ? "public, max-age=31536000, immutable" : "no-cache");
  out.headers.emplace_back("vary", "accept-encoding");
  const std::string_view known = request.header("if-none-match");
  if (!asset->etag.empty() && known.find(asset->etag) != std::string_view::npos) {
    out.status = 304;
    return out;
  }
  out.content_type = asset->content_type;
  // The pages are ours alone: no frames, no foreign scripts, no guessed types.
  out.headers.emplace_back("x-content-type-options", "nosniff");
  out.headers.emplace_back("x-frame-options", "DENY");
  out.headers.emplace_back("referrer-policy", "no-referrer");
  // Styles are set by scripts; the page of the WebSocket client connects wherever it is told to.
  out.headers.emplace_back(
      "content-security-policy",
      "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' "
      "data:; connect-src 'self' ws: wss:; worker-src 'self' blob:; object-src 'none'; base-uri "
      "'self'; form-action 'self'; frame-ancestors 'none'");
  if (!asset->gzip.empty() && accepts(request.header("accept-encoding"), "gzip")) {
    out.headers.emplace_back("content-encoding", "gzip");
    out.fixed_body = asset->gzip;
  } else {
    out.fixed_body = asset->bytes;
  }
  return out;
}

}  // namespace sb::http
