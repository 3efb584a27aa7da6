// HOCON parser and schema on arbitrary text: no crash, no hang, no unbounded memory; what is accepted prints and reads
// back to the same.
#include "config/config.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {
using namespace sb::config;

LoadOptions options_for(const std::string& text) {
  LoadOptions options;
  options.main_file = "fuzz.conf";
  options.read = [text](const std::string& path) -> std::optional<std::string> {
    if (path == "fuzz.conf") return text;
    if (path == "inner") return "x = 1\ny = ${x}\ninclude \"fuzz.conf\"";
    return std::nullopt;
  };
  return options;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 64 << 10) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)parse_duration(text, microseconds(1000), true);
  (void)parse_size(text);
  (void)parse_percent(text);
  (void)parse_rate(text);
  (void)parse_bind(text);
  const Loaded first = load(options_for(text));
  if (first.config == nullptr) {
    if (first.errors.empty()) std::abort();  // refused without a reason
    return 0;
  }
  const std::string printed = to_hocon(first.config->effective, {.reveal = true, .pretty = true});
  const Loaded second = load(options_for(printed));
  if (second.config == nullptr || !(second.config->effective == first.config->effective)) std::abort();
  return 0;
}
