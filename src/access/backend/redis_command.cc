#include "access/backend/redis_command.h"

#include <fmt/format.h>

#include <algorithm>

namespace sb::access::backend {

namespace {
constexpr std::size_t kWordsMax = 64;

Result<std::vector<std::string>> split(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  bool inside = false;  // a word has begun, perhaps an empty one in quotes
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      if (++i == text.size()) return fail(Errc::Invalid, "no backslash at the end");
      word += text[i];
      inside = true;
    } else if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      inside = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (inside) out.push_back(std::move(word));
      word.clear();
      inside = false;
    } else {
      word += c;
      inside = true;
    }
  }
  if (quote != 0) return fail(Errc::Invalid, fmt::format("{} with its end", quote));
  if (inside) out.push_back(std::move(word));
  if (out.size() > kWordsMax) return fail(Errc::Invalid, fmt::format("at most {} words", kWordsMax));
  return out;
}
}  // namespace

Result<RedisCommand> RedisCommand::parse(std::string_view text, const std::vector<std::string_view>& allowed) {
  SB_TRY(auto words, split(text));
  RedisCommand out;
  if (!words.empty()) out.name_ = words[0];
  for (char& c : out.name_)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  if (std::find(allowed.begin(), allowed.end(), out.name_) == allowed.end())
    return fail(Errc::Invalid, fmt::format("{}", fmt::join(allowed, " or ")));
  if (words.size() < 2) return fail(Errc::Invalid, "a key behind the command");
  out.key_ = authn::Template(words[1]);
  if (!out.key_.unknown().empty())
    return fail(Errc::Invalid, fmt::format("a key without the unknown placeholder ${{{}}}", out.key_.unknown()[0]));
  out.fields_.assign(words.begin() + 2, words.end());
  for (const std::string& field : out.fields_)
    if (field.find("${") != std::string::npos) return fail(Errc::Invalid, "placeholders in the key only");
  const bool fieldless = out.name_ == "HGETALL";
  if (fieldless != out.fields_.empty())
    return fail(Errc::Invalid, fieldless ? "nothing behind the key of HGETALL" : "a field behind the key");
  if (out.name_ == "HGET" && out.fields_.size() != 1) return fail(Errc::Invalid, "one field behind the key of HGET");
  return out;
}

std::vector<std::optional<std::string>> RedisCommand::values(const Credentials& credentials) const {
  std::vector<std::optional<std::string>> out{name_, key_.render(credentials)};
  out.insert(out.end(), fields_.begin(), fields_.end());
  return out;
}

}  // namespace sb::access::backend
