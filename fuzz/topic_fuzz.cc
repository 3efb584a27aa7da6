// First line a filter, the rest a topic: matching agrees with a plain reading of 4.7, and a parsed filter is valid.
#include "broker/topic.h"

#include <cstdlib>
#include <vector>

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto slash = text.find('/');
    out.push_back(text.substr(0, slash));
    if (slash == text.npos) return out;
    text.remove_prefix(slash + 1);
  }
}

bool reference(std::string_view filter, std::string_view topic) {
  const auto f = split(filter);
  const auto t = split(topic);
  if (topic.front() == '$' && (f[0] == "+" || f[0] == "#")) return false;
  for (std::size_t i = 0; i < f.size(); ++i) {
    if (f[i] == "#") return true;
    if (i >= t.size() || (f[i] != "+" && f[i] != t[i])) return false;
  }
  return f.size() == t.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sb::broker;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto line = all.find('\n');
  const std::string_view filter = all.substr(0, line);
  const std::string_view topic = line == all.npos ? std::string_view() : all.substr(line + 1);
  if (const auto parsed = parse_filter(filter)) require(check_topic_filter(parsed->filter).has_value());
  if (check_topic_name(topic, TextRules::Strict)) require(check_topic_name(topic).has_value());
  if (!check_topic_filter(filter) || !check_topic_name(topic)) return 0;
  require(count_levels(topic) == split(topic).size());
  require(matches(filter, topic) == reference(filter, topic));
  return 0;
}
