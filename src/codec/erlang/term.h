// Erlang terms in the external term format (https://www.erlang.org/doc/apps/erts/erl_ext_dist.html), decoded. Atoms and
// binaries keep their bytes; integers that do not fit become doubles.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sb::codec::erlang {

struct Atom {
  std::string name;
  friend bool operator==(const Atom&, const Atom&) = default;
};

struct Term {
  struct Tuple {
    std::vector<Term> items;
  };
  struct List {
    std::vector<Term> items;
  };
  struct Map {
    std::vector<std::pair<Term, Term>> items;
  };
  std::variant<std::int64_t, double, Atom, std::string, Tuple, List, Map> value;

  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value); }
  const Atom* atom() const { return std::get_if<Atom>(&value); }
  /// A binary.
  const std::string* bytes() const { return std::get_if<std::string>(&value); }
  const std::vector<Term>* tuple() const;
  const std::vector<Term>* list() const;
  const std::vector<std::pair<Term, Term>>* map() const;
  bool is(std::string_view atom_name) const;
  /// Of a map with atoms for keys.
  const Term* find(std::string_view key) const;
  /// Names and values of a map, or of a list of pairs; nullopt: neither. They point into this.
  using Entries = std::vector<std::pair<const Term*, const Term*>>;
  std::optional<Entries> entries() const;
};

constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kTermsMax = 10'000'000;
constexpr std::size_t kInflatedMax = std::size_t{256} << 20;

/// One term, from its version byte on. Corrupt: not a term, a tag that is not known, more or fewer bytes.
[[nodiscard]] Result<Term> decode(std::string_view bytes);

/// The items of a table's file (mnesia's backup log): 8 bytes, then each item a length, a mark and a term.
[[nodiscard]] Result<std::vector<Term>> read_backup_log(std::string_view bytes);

}  // namespace sb::codec::erlang
