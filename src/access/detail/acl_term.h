// Erlang-like terms of acl.conf: atoms, strings, integers, tuples, lists; each term ends with '.', '%' begins a
// comment.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sb::access::detail {

struct Term {
  enum class Kind : std::uint8_t { Atom, Text, Integer, Tuple, List };
  Kind kind = Kind::Atom;
  unsigned line = 1;
  std::string text;  // of Atom and Text
  std::int64_t number = 0;
  std::vector<Term> items;

  bool is_atom(std::string_view name) const { return kind == Kind::Atom && text == name; }
  bool is_tuple(std::size_t size) const { return kind == Kind::Tuple && items.size() == size; }
};

[[nodiscard]] Result<std::vector<Term>> parse_terms(std::string_view text);
[[nodiscard]] tl::unexpected<Error> term_error(unsigned line, std::string_view what);

}  // namespace sb::access::detail
