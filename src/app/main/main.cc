#include "app/catalogs.h"
#include "app/config_review.h"
#include "app/dashboard.h"
#include "app/print_openapi.h"
#include "app/start.h"
#include "cli/dispatch.h"
#include "driver/mongodb/library.h"
#include "net/tls_memory.h"

#include <string>

/// Gives memory back after a burst instead of keeping it for ever.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:1000";
}

/// Before the constructors of shared libraries: some of them use OpenSSL, and after that it keeps its allocator; others
/// speak.
#ifndef SB_SANITIZED  // whose own start comes later still
__attribute__((section(".preinit_array"), used)) void (*const before_libraries[])() = {
    &sb::net::install_tls_memory, &sb::driver::mongodb::silence_library};
#endif

int main(int argc, char** argv) {
  sb::driver::mongodb::unname_counters();
  return sb::cli::dispatch(argc, argv,
                           {.start =
                                [](const std::string& config_file) {
                                  sb::http::AssetTable dashboard;
                                  for (const sb::app::DashboardFile& file : sb::app::dashboard_files())
                                    dashboard.add(std::string(file.path), {file.content_type, file.bytes, file.gzip,
                                                                           file.etag, file.immutable});
                                  return sb::app::start(config_file, dashboard.size() > 0 ? &dashboard : nullptr);
                                },
                            .mechanisms =
                                [] {
                                  sb::access::authn::Registry mechanisms;
                                  sb::app::add_authn_plugins(mechanisms);
                                  return mechanisms.names();
                                },
                            .sources =
                                [] {
                                  sb::access::authz::Registry sources;
                                  sb::app::add_authz_plugins(sources);
                                  return sources.names();
                                },
                            .review = sb::app::review_all,
                            .openapi = sb::app::print_openapi});
}
