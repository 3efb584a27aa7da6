// The filters and topics of the route benchmarks: fleets whose filters share long prefixes, as real ones do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sb::bench {

enum class Kind : std::uint8_t {
  Plain,     // an exact filter a device
  Wildcard,  // a filter with both wildcards a device
  Shared,    // what workers share: groups of filters with `+` in front of a level of their own, many under one node
};

inline const char* name_of(Kind kind) {
  return kind == Kind::Plain ? "plain" : kind == Kind::Wildcard ? "wildcard" : "shared";
}

/// Six digits and more, spread so that neighbours in number are not neighbours in text.
inline std::string device(std::size_t i) {
  std::string id = std::to_string(10'000'000 + (i * 2'654'435'761u) % 90'000'000);
  return id + std::to_string(i % 10);
}

inline std::string filter_of(Kind kind, std::size_t i) {
  switch (kind) {
    case Kind::Plain:
      return "v1/site/7/device/" + device(i) + "/state/up";
    case Kind::Wildcard:
      return "device/" + device(i) + "/+/cmd/#";
    case Kind::Shared:
      return "v1/tenant/acme/site/+/line/" + device(i) + "/+/event/#";
  }
  return {};
}

/// A topic that the i-th filter matches.
inline std::string topic_of(Kind kind, std::size_t i) {
  switch (kind) {
    case Kind::Plain:
      return "v1/site/7/device/" + device(i) + "/state/up";
    case Kind::Wildcard:
      return "device/" + device(i) + "/m1/cmd/reboot";
    case Kind::Shared:
      return "v1/tenant/acme/site/berlin/line/" + device(i) + "/press/event/stop";
  }
  return {};
}

inline std::vector<std::string> filters(Kind kind, std::size_t count) {
  std::vector<std::string> all;
  all.reserve(count);
  for (std::size_t i = 0; i < count; ++i) all.push_back(filter_of(kind, i));
  return all;
}

/// A fixed sequence without repetition over 0..count-1 (count is no multiple of the step's factors).
inline std::size_t scatter(std::size_t i, std::size_t count) {
  return (i * 7'919u + i / count) % count;
}

}  // namespace sb::bench
