#include "net/psk_table.h"

#include "base/regular_file.h"

#include <fmt/format.h>

#include <vector>

namespace sb::net {

namespace {
constexpr std::size_t kFileMax = 64 << 20;
}

std::optional<Secret> PskTable::find(std::string_view identity) const {
  const auto keys = std::atomic_load(&keys_);
  const auto it = keys->find(identity);
  if (it == keys->end()) return std::nullopt;
  return it->second;
}

std::vector<PskTable::Row> PskTable::all() const {
  const auto keys = std::atomic_load(&keys_);
  return {keys->begin(), keys->end()};
}

void PskTable::add_missing(std::vector<Row> rows) {
  auto next = std::make_shared<Keys>(*std::atomic_load(&keys_));
  for (Row& row : rows) next->try_emplace(std::move(row.first), std::move(row.second));
  std::atomic_store(&keys_, std::shared_ptr<const Keys>(std::move(next)));
}

void PskTable::put(std::vector<Row> rows) {
  auto next = std::make_shared<Keys>(*std::atomic_load(&keys_));
  for (Row& row : rows) next->insert_or_assign(std::move(row.first), std::move(row.second));
  std::atomic_store(&keys_, std::shared_ptr<const Keys>(std::move(next)));
}

void PskTable::erase(const std::vector<std::string>& identities) {
  auto next = std::make_shared<Keys>(*std::atomic_load(&keys_));
  for (const std::string& identity : identities) next->erase(identity);
  std::atomic_store(&keys_, std::shared_ptr<const Keys>(std::move(next)));
}

Result<std::size_t> PskTable::import_text(std::string_view text, char separator) {
  auto next = std::make_shared<Keys>(*std::atomic_load(&keys_));
  std::size_t lines = 0;
  while (!text.empty()) {
    ++lines;
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t at = line.find(separator);
    if (at == std::string_view::npos || at == 0 || at + 1 == line.size())
      return fail(Errc::Invalid, fmt::format("line {} is not identity{}secret", lines, separator));
    (*next)[std::string(line.substr(0, at))] = Secret(std::string(line.substr(at + 1)));
  }
  std::atomic_store(&keys_, std::shared_ptr<const Keys>(std::move(next)));
  return lines;
}

Result<std::size_t> PskTable::import_file(const std::string& path, char separator) {
  auto text = read_regular_file(path, kFileMax);
  if (!text) return fail(text.error().code, fmt::format("the PSK file: {}", text.error().what));
  auto done = import_text(*text, separator);
  if (!done) return fail(done.error().code, fmt::format("{}: {}", path, done.error().what));
  return done;
}

}  // namespace sb::net
