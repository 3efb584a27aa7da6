// Errors as values. Result<T> for what fails outside us (disk, peer, configuration), Decoded<T> for bad bytes from a
// peer: one byte, no allocation. Never ignore either: every function that returns one is [[nodiscard]].
#pragma once

#include "base/mqtt_types.h"

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace sb {

/// What a program may branch on; `Error::what` is for people.
enum class Errc : std::uint8_t {
  Invalid,      // input breaks a rule
  NotFound,     // the named thing does not exist
  Exists,       // the named thing exists already
  Busy,         // held by somebody else, try later
  Full,         // a bound was reached
  Unavailable,  // something outside does not answer
  Unsupported,  // understood, but not offered
  Corrupt,      // stored data does not check
  Io,           // the operating system refused
  Timeout,
  Denied,
};

struct Error {
  Errc code;
  std::string what;
};

template <class T = void>
using Result = tl::expected<T, Error>;

template <class T = void>
using Decoded = tl::expected<T, ReasonCode>;

[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string what) {
  return tl::unexpected<Error>(Error{code, std::move(what)});
}
[[nodiscard]] inline tl::unexpected<ReasonCode> refuse(ReasonCode code) {
  return tl::unexpected<ReasonCode>(code);
}

}  // namespace sb

#define SB_CAT2_(a, b) a##b
#define SB_CAT_(a, b) SB_CAT2_(a, b)
#define SB_TRY_IMPL_(tmp, decl, expr)                \
  auto tmp = (expr);                                 \
  if (!tmp) [[unlikely]]                             \
    return ::tl::unexpected(std::move(tmp).error()); \
  decl = *std::move(tmp)
/// SB_TRY(auto x, f()): x = value of f(), or return its error.
#define SB_TRY(decl, ...) SB_TRY_IMPL_(SB_CAT_(sb_try_, __COUNTER__), decl, (__VA_ARGS__))
/// SB_CHECKED(f()): return the error of a Result<void>.
#define SB_CHECKED(...)                                        \
  do {                                                         \
    auto sb_checked_ = (__VA_ARGS__);                          \
    if (!sb_checked_) [[unlikely]]                             \
      return ::tl::unexpected(std::move(sb_checked_).error()); \
  } while (false)
