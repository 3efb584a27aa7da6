// Backup archives from outside on arbitrary bytes: no crash, no hang, no unbounded memory, and nothing is taken that
// leads out of the archive. The tables of EMQX are also tried by themselves, since few inputs get through gzip.
#include "management/archive.h"
#include "management/backup_archive.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sb::management;
  if (size > 1 << 20) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ArchiveLimits limits;
  limits.total_bytes_max = 8 << 20;
  if (const auto entries = read_tar_gz(bytes, limits)) {
    std::uint64_t total = 0;
    for (const ArchiveEntry& entry : *entries) {
      if (!plain_name(entry.name)) std::abort();
      total += entry.bytes.size();
    }
    if (total > limits.total_bytes_max || entries->size() > limits.entries_max) std::abort();
  }
  if (const auto archive = read_archive("a.tar.gz", bytes, "5.4.0"))
    for (const auto& [table, rows] : archive->tables)
      if (!known_table(table)) std::abort();
  for (const char* table : {"emqx_banned", "emqx_authn_mnesia", "emqx_app", "emqx_acl", "emqx_admin"})
    (void)mnesia_rows(table, bytes);
  return 0;
}
