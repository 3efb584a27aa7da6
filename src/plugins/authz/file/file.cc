#include "plugins/authz/file/file.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace sb::plugins::authz::file {

namespace {
Result<access::AclRef> read(const Settings& settings) {
  std::string text = settings.rules;
  if (!settings.path.empty()) {
    std::ifstream file(settings.path);
    if (!file) return fail(Errc::NotFound, fmt::format("cannot read the ACL file '{}'", settings.path));
    std::ostringstream all;
    all << file.rdbuf();
    text = all.str();
  }
  auto acl = access::Acl::parse(text);
  if (!acl)
    return fail(acl.error().code,
                fmt::format("{}: {}", settings.path.empty() ? "rules" : settings.path, acl.error().what));
  return *acl;
}
}  // namespace

const config::Struct& Settings::schema() {
  using S = Settings;
  static const config::Struct s = config::authz_schema<S>("file")
                                      .doc("Rules in a file.")
                                      .field("path", &S::path, {.doc = "The rules' file.", .path = true})
                                      .field("rules", &S::rules, {.doc = "The rules themselves, in place of a file."})
                                      .build();
  return s;
}

void add_to(access::authz::Registry& registry) {
  registry.add({.type = "file",
                .description = "Rules in a file",
                .schema = &Settings::schema(),
                .make = [](const access::authz::Services&,
                           std::shared_ptr<const void> settings) -> Result<std::shared_ptr<access::authz::Source>> {
                  SB_TRY(access::AclRef acl, read(*std::static_pointer_cast<const Settings>(settings)));
                  return std::make_shared<File>(std::move(acl));
                },
                .reads_files = true});
}

}  // namespace sb::plugins::authz::file
