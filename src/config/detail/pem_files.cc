#include "config/detail/pem_files.h"

#include "base/hash.h"

#include <fmt/format.h>

#include <algorithm>

namespace sb::config::detail {

namespace {
constexpr std::string_view kKeys[] = {"certfile", "keyfile", "cacertfile", "issuer_pem", "dhfile"};

/// `folder`: within the data folder.
void take(Value& value, const std::string& data_dir, const std::string& folder, std::vector<PemFile>& out) {
  if (auto* fields = value.if_object()) {
    for (auto& [key, child] : *fields) {
      const bool file = std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
      const auto* text = child.if_string();
      if (file && text && text->find("-----BEGIN") != text->npos) {
        // Named by content: files in use are never written over.
        const std::string name = fmt::format("{}/{}-{:016x}.pem", folder, key, hash_stable(*text, 0));
        out.push_back({.path = fmt::format("{}/{}", data_dir, name), .content = *text});
        const Location at = child.at;
        child = Value("${EMQX_DATA_DIR}/" + name);
        child.at = at;
      } else {
        const bool plain = key.find_first_of("/.") == key.npos;  // a key is never a way out of the folder
        take(child, data_dir, plain ? folder + "/" + key : folder, out);
      }
    }
  } else if (auto* list = value.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) take((*list)[i], data_dir, fmt::format("{}/{}", folder, i + 1), out);
  }
}

}  // namespace

void take_pems(Value& value, const std::string& data_dir, std::vector<PemFile>& out) {
  take(value, data_dir, "certs", out);
}

}  // namespace sb::config::detail
