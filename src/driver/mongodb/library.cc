#include "driver/mongodb/library.h"

#include "base/log.h"

#include <fmt/format.h>
#include <mongoc/mongoc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <mutex>

namespace sb::driver::mongodb {

void silence_library() {
  mongoc_log_set_handler([](mongoc_log_level_t, const char*, const char*, void*) {}, nullptr);
}

void unname_counters() {
  ::shm_unlink(fmt::format("/mongoc-{}", ::getpid()).c_str());
}

void prepare_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    mongoc_init();
    mongoc_log_set_handler(
        [](mongoc_log_level_t level, const char* domain, const char* message, void*) {
          if (level <= MONGOC_LOG_LEVEL_WARNING)
            SB_LOG(log::Level::Debug, "mongodb_library", kv("domain", domain), kv("what", message));
        },
        nullptr);
  });
}

}  // namespace sb::driver::mongodb
