#include "codec/erlang/term.h"

#include <fmt/format.h>
#include <zlib.h>

#include <bit>
#include <cstring>

namespace sb::codec::erlang {

namespace {

// Tags, in the order of the specification.
enum Tag : std::uint8_t {
  kNewFloat = 70,
  kCompressed = 80,
  kSmallInteger = 97,
  kInteger = 98,
  kAtom = 100,
  kSmallTuple = 104,
  kLargeTuple = 105,
  kNil = 106,
  kString = 107,
  kList = 108,
  kBinary = 109,
  kSmallBig = 110,
  kLargeBig = 111,
  kSmallAtom = 115,
  kMap = 116,
  kAtomUtf8 = 118,
  kSmallAtomUtf8 = 119,
};
constexpr std::uint8_t kVersion = 131;

tl::unexpected<Error> corrupt(std::string what) {
  return fail(Errc::Corrupt, "erlang term: " + std::move(what));
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : in_(bytes) {}

  bool done() const { return in_.empty(); }

  Result<Term> term(std::size_t depth) {
    if (depth > kDepthMax) return corrupt("nested too deeply");
    if (++terms_ > kTermsMax) return corrupt("too many terms");
    SB_TRY(const auto tag, number(1));
    switch (tag) {
      case kSmallInteger: {
        SB_TRY(const auto value, number(1));
        return Term{static_cast<std::int64_t>(value)};
      }
      case kInteger: {
        SB_TRY(const auto value, number(4));
        return Term{std::int64_t{static_cast<std::int32_t>(static_cast<std::uint32_t>(value))}};
      }
      case kNewFloat: {
        SB_TRY(const auto value, number(8));
        return Term{std::bit_cast<double>(value)};
      }
      case kAtom:
      case kAtomUtf8:
        return atom(2);
      case kSmallAtom:
      case kSmallAtomUtf8:
        return atom(1);
      case kSmallTuple:
        return tuple(1, depth);
      case kLargeTuple:
        return tuple(4, depth);
      case kNil:
        return Term{Term::List{}};
      case kString: {
        SB_TRY(const auto size, number(2));
        SB_TRY(const std::string_view text, take(size));
        Term::List out;
        for (const char c : text) out.items.push_back(Term{std::int64_t{static_cast<unsigned char>(c)}});
        return Term{std::move(out)};
      }
      case kList:
        return list(depth);
      case kBinary: {
        SB_TRY(const auto size, number(4));
        SB_TRY(const std::string_view bytes, take(size));
        return Term{std::string(bytes)};
      }
      case kSmallBig:
        return big(1);
      case kLargeBig:
        return big(4);
      case kMap:
        return map(depth);
      default:
        return corrupt(fmt::format("tag {}", tag));
    }
  }

 private:
  Result<std::string_view> take(std::uint64_t size) {
    if (size > in_.size()) return corrupt("cut short");
    const std::string_view out = in_.substr(0, static_cast<std::size_t>(size));
    in_.remove_prefix(out.size());
    return out;
  }
  Result<std::uint64_t> number(std::size_t size) {
    SB_TRY(const std::string_view bytes, take(size));
    std::uint64_t out = 0;
    for (const char c : bytes) out = out << 8 | static_cast<unsigned char>(c);
    return out;
  }
  Result<Term> atom(std::size_t length_bytes) {
    SB_TRY(const auto size, number(length_bytes));
    SB_TRY(const std::string_view name, take(size));
    return Term{Atom{std::string(name)}};
  }
  Result<std::vector<Term>> items(std::uint64_t count, std::size_t depth) {
    // Each takes a byte at least: a count alone reserves nothing.
    if (count > in_.size()) return corrupt("cut short");
    std::vector<Term> out;
    for (std::uint64_t i = 0; i < count; ++i) {
      SB_TRY(Term item, term(depth + 1));
      out.push_back(std::move(item));
    }
    return out;
  }
  Result<Term> tuple(std::size_t length_bytes, std::size_t depth) {
    SB_TRY(const auto count, number(length_bytes));
    SB_TRY(auto all, items(count, depth));
    return Term{Term::Tuple{std::move(all)}};
  }
  Result<Term> list(std::size_t depth) {
    SB_TRY(const auto count, number(4));
    SB_TRY(auto all, items(count, depth));
    SB_TRY(const Term tail, term(depth + 1));
    const auto* end = tail.list();
    if (!end || !end->empty()) return corrupt("an improper list");
    return Term{Term::List{std::move(all)}};
  }
  Result<Term> map(std::size_t depth) {
    SB_TRY(const auto count, number(4));
    if (count > in_.size() / 2) return corrupt("cut short");
    Term::Map out;
    for (std::uint64_t i = 0; i < count; ++i) {
      SB_TRY(Term key, term(depth + 1));
      SB_TRY(Term value, term(depth + 1));
      out.items.emplace_back(std::move(key), std::move(value));
    }
    return Term{std::move(out)};
  }
  /// Magnitude in little endian after a sign.
  Result<Term> big(std::size_t length_bytes) {
    SB_TRY(const auto size, number(length_bytes));
    SB_TRY(const auto sign, number(1));
    SB_TRY(const std::string_view bytes, take(size));
    std::uint64_t exact = 0;
    double rough = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
      const auto byte = static_cast<unsigned char>(bytes[i]);
      rough = rough * 256 + byte;
      if (i < 8) exact |= std::uint64_t{byte} << (8 * i);
    }
    constexpr double kLimit = 9.2e18;
    if (rough < kLimit) return Term{sign ? -static_cast<std::int64_t>(exact) : static_cast<std::int64_t>(exact)};
    return Term{sign ? -rough : rough};
  }

  std::string_view in_;
  std::size_t terms_ = 0;
};

Result<std::string> inflated(std::string_view bytes) {
  if (bytes.size() < 4) return corrupt("cut short");
  std::uint32_t size = 0;
  for (int i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  if (size > kInflatedMax) return corrupt("unpacks to too much");
  bytes.remove_prefix(4);
  // What is claimed is not believed: deflate packs a byte into a thousandth at best.
  constexpr std::size_t kRatioMax = 1100;
  if (size > bytes.size() * kRatioMax) return corrupt("unpacks to too much");
  std::string out(size, '\0');
  uLongf got = size;
  if (uncompress(reinterpret_cast<Bytef*>(out.data()), &got, reinterpret_cast<const Bytef*>(bytes.data()),
                 static_cast<uLong>(bytes.size())) != Z_OK ||
      got != size)
    return corrupt("cannot be unpacked");
  return out;
}

}  // namespace

const std::vector<Term>* Term::tuple() const {
  const auto* found = std::get_if<Tuple>(&value);
  return found ? &found->items : nullptr;
}
const std::vector<Term>* Term::list() const {
  const auto* found = std::get_if<List>(&value);
  return found ? &found->items : nullptr;
}
const std::vector<std::pair<Term, Term>>* Term::map() const {
  const auto* found = std::get_if<Map>(&value);
  return found ? &found->items : nullptr;
}
bool Term::is(std::string_view atom_name) const {
  const Atom* found = atom();
  return found && found->name == atom_name;
}
std::optional<Term::Entries> Term::entries() const {
  Entries out;
  if (const auto* all = map()) {
    for (const auto& one : *all) out.emplace_back(&one.first, &one.second);
    return out;
  }
  const auto* all = list();
  if (!all) return std::nullopt;
  for (const Term& one : *all) {
    const auto* pair = one.tuple();
    if (!pair || pair->size() != 2) return std::nullopt;
    out.emplace_back(&pair->front(), &pair->back());
  }
  return out;
}

const Term* Term::find(std::string_view key) const {
  const auto* pairs = map();
  if (!pairs) return nullptr;
  for (const auto& [name, found] : *pairs)
    if (name.is(key)) return &found;
  return nullptr;
}

Result<Term> decode(std::string_view bytes) {
  if (bytes.empty() || static_cast<std::uint8_t>(bytes.front()) != kVersion) return corrupt("no version byte");
  bytes.remove_prefix(1);
  std::string unpacked;
  if (!bytes.empty() && static_cast<std::uint8_t>(bytes.front()) == kCompressed) {
    SB_TRY(unpacked, inflated(bytes.substr(1)));
    bytes = unpacked;
  }
  Reader reader(bytes);
  SB_TRY(Term out, reader.term(0));
  if (!reader.done()) return corrupt("bytes after its end");
  return out;
}

Result<std::vector<Term>> read_backup_log(std::string_view bytes) {
  constexpr std::string_view kHead("\x01\x02\x03\x04\x63\x58\x4d\x0b", 8);
  constexpr std::string_view kMark("\x62\x57\x4c\x41", 4);
  if (!bytes.starts_with(kHead)) return corrupt("not a table of a backup");
  bytes.remove_prefix(kHead.size());
  std::vector<Term> out;
  while (!bytes.empty()) {
    if (bytes.size() < 8 || bytes.substr(4, 4) != kMark) return corrupt("an item without its mark");
    std::uint32_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(bytes[i]);
    bytes.remove_prefix(8);
    if (size > bytes.size()) return corrupt("cut short");
    SB_TRY(Term item, decode(bytes.substr(0, size)));
    out.push_back(std::move(item));
    bytes.remove_prefix(size);
  }
  return out;
}

}  // namespace sb::codec::erlang
