#include "plugins/authz/file/file.h"

#include "base/regular_file.h"

#include <fmt/format.h>

namespace sb::plugins::authz::file {

namespace {
Result<access::AclRef> read(const Settings& settings) {
  std::string text = settings.rules;
  if (!settings.path.empty()) {
    auto content = read_regular_file(settings.path, access::Acl::kTextMax);
    if (!content) return fail(content.error().code, "the ACL file: " + content.error().what);
    text = *std::move(content);
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
