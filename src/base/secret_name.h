// What must not be seen although it is not held as a Secret.
#pragma once

#include <string>
#include <string_view>

namespace sb {

/// Whether a field of this name holds a secret: "password", "new_pwd", "X-Api-Key", ... By the end of the name, any
/// case,
/// '-' as '_'.
bool names_secret(std::string_view field);

/// A username as logs, traces and alarms may show it: one that is a JSON Web Token (jwt with `from = username`) is not.
std::string_view shown_username(std::string_view username);

/// The text with the passwords of URLs in it masked: "http://joe:******@host/?token=******" (3.2.1 and 3.4 of RFC
/// 3986). Of a query only what is named like a secret.
std::string shown_urls(std::string_view text);
/// The same for logs and records, where nobody edits what he reads: every value of a query, but for placeholders.
std::string logged_urls(std::string_view text);
/// Whether it came out of `shown_urls` with something masked.
bool has_masked_url(std::string_view text);

}  // namespace sb
