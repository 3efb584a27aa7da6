// Files that the server offers beside the endpoint table: the dashboard. An AssetSource is asked for every GET outside
// /api/v5, /api-docs and /status; it decides itself what a path means ("/" is its index page).
#pragma once

#include "http/message.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sb::http {

/// All views outlive the source's users.
struct Asset {
  std::string_view content_type;  // "text/html; charset=utf-8"
  std::string_view bytes;
  std::string_view gzip{};  // the same, compressed; empty: not kept compressed
  std::string_view etag;    // quoted: "\"1a2b\""
  bool immutable = false;   // the name holds a hash of the content: may be kept for ever
};

/// Immutable, any thread.
class AssetSource {
 public:
  virtual ~AssetSource() = default;
  /// `path` begins with '/', is decoded, and holds no "..".
  virtual std::optional<Asset> find(std::string_view path) const = 0;
};

/// A table by path. "/" is "/index.html".
class AssetTable final : public AssetSource {
 public:
  void add(std::string path, Asset asset) { assets_.insert_or_assign(std::move(path), asset); }
  std::optional<Asset> find(std::string_view path) const override;
  std::size_t size() const { return assets_.size(); }

 private:
  std::map<std::string, Asset, std::less<>> assets_;
};

/// 200, 304 when the client has it already, 405 for anything but GET, or 404 in the form that `accept` asks for
/// (management-api 1.7).
Response serve_asset(const AssetSource* source, const Request& request);

}  // namespace sb::http
