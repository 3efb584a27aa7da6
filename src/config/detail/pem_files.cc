#include "config/detail/pem_files.h"

#include "base/hash.h"

#include <fmt/format.h>

#include <algorithm>

namespace sb::config::detail {

namespace {
constexpr std::string_view kKeys[] = {"certfile", "keyfile", "cacertfile", "issuer_pem", "dhfile"};
}

void take_pems(Value& value, const std::string& folder, std::vector<PemFile>& out) {
  if (auto* fields = value.if_object()) {
    for (auto& [key, child] : *fields) {
      const bool file = std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
      const auto* text = child.if_string();
      if (file && text && text->find("-----BEGIN") != text->npos) {
        // Named by content: files in use are never written over.
        PemFile pem{.path = fmt::format("{}/{}-{:016x}.pem", folder, key, hash_stable(*text, 0)), .content = *text};
        const Location at = child.at;
        child = Value(pem.path);
        child.at = at;
        out.push_back(std::move(pem));
      } else {
        const bool plain = key.find_first_of("/.") == key.npos;  // a key is never a way out of the folder
        take_pems(child, plain ? folder + "/" + key : folder, out);
      }
    }
  } else if (auto* list = value.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) take_pems((*list)[i], fmt::format("{}/{}", folder, i + 1), out);
  }
}

}  // namespace sb::config::detail
