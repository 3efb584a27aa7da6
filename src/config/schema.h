// One declaration per key. A Struct lists the keys of one configuration object: type, unit, default, range, symbols,
// secrecy, reload class, old names, words for people. From it come parsing into typed members, defaults, validation,
// output, documentation and later REST schemas and forms. Declared beside the struct it fills:
//
//   const Struct& Retainer::schema() {
//     static const Struct s = Schema<Retainer>("retainer", Hot::Y)
//         .field("enable", &Retainer::enable, {.def = "true", .doc = "..."}) ...
//
// The C++ type of the member decides the accepted values: bool, integers, double, std::string, Secret, milliseconds,
// seconds, microseconds (unit us allowed), Percent, Rate, Bind, enumerations with EnumNames, nested structs, vectors,
// maps, optional of any of these (unset when absent), Value (taken as it is).
#pragma once

#include "config/units.h"
#include "config/value.h"

#include <concepts>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sb::config {

/// When a change at run time takes effect.
enum class Hot : std::uint8_t {
  N,  // read-only while the node runs
  Y,  // at once
  C,  // for new connections or sessions
  L,  // by the rules of listeners
  B,  // accepted, after the next start
};
char to_char(Hot hot);

constexpr double kUnbounded = 1e300;

struct Opts {
  std::string_view def = {};  // HOCON text; "" = no default
  double min = -kUnbounded;   // durations: milliseconds
  double max = kUnbounded;
  std::string_view words = {};    // literals besides the type: "infinity", "disabled", "disable"; several by spaces
  std::optional<Hot> hot = {};    // unset: that of the struct
  std::string_view aliases = {};  // old names, by spaces
  std::string_view doc = {};
  std::string_view since = "5.4";  // of EMQX, or "signalbox 0.1"
  bool size = false;               // an integer written as 1MB
  bool path = false;               // a leading $VAR or ${VAR} is expanded
  bool secret = false;
  bool opaque = false;  // of an area that is not built: what is inside is secret by its name
  bool required = false;
  bool hidden = false;  // accepted, left out of `conf show` and of short documentation
  bool deprecated = false;
  bool tombstones = false;  // map entries may be "marked_for_deletion"
  bool partial = false;     // no defaults below: a layer over other values
};

class Checker;
struct Struct;

struct Key {
  std::string_view name;
  std::string type;  // for people: "duration", "enum(a|b)", "list(string)"
  Opts opts;
  Hot hot = Hot::Y;
  Value default_value;            // parsed opts.def; null when none
  const Struct* child = nullptr;  // of the object, or of each entry of a list or map
  enum class Shape : std::uint8_t { Scalar, Object, List, Map, Any } shape = Shape::Scalar;
  bool optional = false;  // stays unset when absent
  std::vector<std::string_view> symbols;
  /// Converts into the member of `object`; normalises `value`. Problems go to the checker.
  std::function<void(Checker&, const Key&, Value& value, void* object)> read;

  bool answers_to(std::string_view candidate) const;  // name or alias
};

struct Struct {
  std::string_view name;
  Hot hot = Hot::Y;
  std::vector<Key> keys;
  std::vector<std::string_view> dropped;  // removed keys, silently ignored
  std::string_view doc;
  bool open = false;  // other keys are kept without a check
  /// A fresh object for read_object.
  std::function<std::shared_ptr<void>()> make;
  /// Before keys are read: rewrites old shapes.
  std::function<void(Checker&, Value&)> prepare;
  /// After all keys are read: cross-field checks, told by Checker::broken(). Keys that were bad hold what a fresh
  /// object holds.
  std::function<void(Checker&, const Value&, void* object)> finish;

  const Key* find(std::string_view key) const;
};

/// What a check needs from outside, and where its problems go.
class Checker {
 public:
  Checker(Problems& errors, Problems& warnings, const std::map<std::string, std::string>& env)
      : errors_(errors), warnings_(warnings), env_(env) {}

  /// Reads `value` into `object` (a fresh instance of the struct's type) and normalises it: new names, defaults filled.
  void read_object(const Struct& s, Value& value, void* object);

  void error(const Value& at, std::string_view reason, std::string expected, std::string shown);
  std::string shown_here(const Value& at) const;
  void error(const Key& key, const Value& at, std::string_view reason, std::string expected);
  /// A broken rule of one field or between it and those `beside` it, located at the child key `field` when it is there.
  /// Not told while one of them is bad by itself: the rule saw nothing of what was written then.
  void broken(const Value& object, std::string_view field, std::string_view rule, std::string expected,
              std::initializer_list<std::string_view> beside = {});
  /// False while `field` of the object whose rules are checked is bad by itself: for rules that look into it.
  bool usable(std::string_view field) const;
  void warn(const Value& at, std::string_view reason, std::string expected);

  // Conversions; false after a problem was told.
  bool read_bool(const Key& key, Value& v, bool& out);
  bool read_integer(const Key& key, Value& v, double type_min, double type_max, std::int64_t& out, bool& infinite);
  bool read_double(const Key& key, Value& v, double& out);
  bool read_text(const Key& key, Value& v, std::string& out);
  bool read_duration(const Key& key, Value& v, microseconds plain, bool allow_us, microseconds& out, bool& infinite);
  bool read_percent(const Key& key, Value& v, Percent& out);
  bool read_rate(const Key& key, Value& v, Rate& out);
  bool read_bind(const Key& key, Value& v, Bind& out);
  bool read_symbol(const Key& key, Value& v, std::size_t& out);
  /// The elements of a list; a text is split at commas where elements are scalars.
  bool read_elements(const Key& key, Value& v, bool scalars);
  /// Members of a map with valid names; tombstones are left out.
  std::vector<std::pair<std::string, Value*>> read_members(const Key& key, Value& v);

  std::string path() const;
  std::size_t error_count() const { return errors_.size() + errors_.dropped(); }
  const std::map<std::string, std::string>& env() const { return env_; }
  bool defaults() const { return defaults_; }

  /// Extends the key path while it lives.
  class Level {
   public:
    Level(Checker& checker, std::string part) : checker_(checker) { checker_.path_.push_back(std::move(part)); }
    ~Level() { checker_.path_.pop_back(); }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Checker& checker_;
  };
  /// Turns the filling of defaults off while it lives.
  class Partial {
   public:
    Partial(Checker& checker, bool on) : checker_(checker), before_(checker.defaults_) {
      if (on) checker_.defaults_ = false;
    }
    ~Partial() { checker_.defaults_ = before_; }
    Partial(const Partial&) = delete;
    Partial& operator=(const Partial&) = delete;

   private:
    Checker& checker_;
    bool before_;
  };

 private:
  void rename_aliases(const Struct& s, Value::Object& fields);
  void refuse_unknown(const Struct& s, Value::Object& fields);
  std::string expand(const std::string& text, const Value& at);

  Problems& errors_;
  Problems& warnings_;
  const std::map<std::string, std::string>& env_;
  std::vector<std::string> path_;
  bool defaults_ = true;
  const std::vector<std::string_view>* bad_ = nullptr;  // keys of the object whose `finish` runs now
};

/// Symbols of an enumeration, in the order of its enumerators: specialise with `static constexpr std::string_view
/// names[]`.
template <class E>
struct EnumNames;
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires { EnumNames<E>::names[0]; };
template <NamedEnum E>
std::string_view to_string(E value) {
  return EnumNames<E>::names[static_cast<std::size_t>(value)];
}
template <class T>
concept HasSchema = requires {
  { T::schema() } -> std::same_as<const Struct&>;
};

namespace detail {
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class T>
struct IsMap<std::map<std::string, T>> : std::true_type {};

template <class M>
std::string type_name(const Opts& opts) {
  if constexpr (IsOptional<M>::value)
    return type_name<typename M::value_type>(opts);
  else if constexpr (IsVector<M>::value)
    return "list of " + type_name<typename M::value_type>(opts);
  else if constexpr (IsMap<M>::value)
    return "map of " + type_name<typename M::mapped_type>(opts);
  else if constexpr (std::is_same_v<M, bool>)
    return "boolean";
  else if constexpr (std::is_same_v<M, std::string>)
    return opts.path ? "path" : "string";
  else if constexpr (std::is_same_v<M, Secret>)
    return "secret";
  else if constexpr (std::is_same_v<M, Percent>)
    return "percent";
  else if constexpr (std::is_same_v<M, Rate>)
    return "rate";
  else if constexpr (std::is_same_v<M, Bind>)
    return "ip:port";
  else if constexpr (std::is_same_v<M, Value>)
    return "any";
  else if constexpr (std::is_same_v<M, seconds>)
    return "duration (s)";
  else if constexpr (std::is_same_v<M, milliseconds> || std::is_same_v<M, microseconds>)
    return "duration";
  else if constexpr (NamedEnum<M>)
    return "enum";
  else if constexpr (std::is_floating_point_v<M>)
    return "number";
  else if constexpr (std::is_integral_v<M>)
    return opts.size ? "size" : "integer";
  else
    return "object";
}

template <class M>
void convert(Checker& c, const Key& key, Value& v, M& out);

template <class M>
void describe(Key& key, const Struct* child) {
  using Shape = Key::Shape;
  if constexpr (IsOptional<M>::value) {
    describe<typename M::value_type>(key, child);
    key.optional = true;
  } else if constexpr (IsVector<M>::value || IsMap<M>::value) {
    if constexpr (IsVector<M>::value)
      describe<typename M::value_type>(key, child);
    else
      describe<typename M::mapped_type>(key, child);
    key.shape = IsVector<M>::value ? Shape::List : Shape::Map;
  } else if constexpr (NamedEnum<M>) {
    key.symbols.assign(std::begin(EnumNames<M>::names), std::end(EnumNames<M>::names));
  } else if constexpr (HasSchema<M>) {
    key.shape = Shape::Object;
    key.child = child ? child : &M::schema();
  } else if constexpr (std::is_same_v<M, Value>) {
    key.shape = Shape::Any;
  } else if constexpr (std::is_class_v<M> && !std::is_same_v<M, std::string> && !std::is_same_v<M, Secret> &&
                       !std::is_same_v<M, Percent> && !std::is_same_v<M, Rate> && !std::is_same_v<M, Bind> &&
                       !std::is_same_v<M, seconds> && !std::is_same_v<M, milliseconds> &&
                       !std::is_same_v<M, microseconds>) {
    key.shape = Shape::Object;
    key.child = child;
  }
}

template <class M>
void convert(Checker& c, const Key& key, Value& v, M& out) {
  if constexpr (IsOptional<M>::value) {
    typename M::value_type inner{};
    convert(c, key, v, inner);
    out = std::move(inner);
  } else if constexpr (IsVector<M>::value) {
    out.clear();
    constexpr bool scalars =
        !std::is_class_v<typename M::value_type> || std::is_same_v<typename M::value_type, std::string>;
    if (!c.read_elements(key, v, scalars)) return;
    std::size_t n = 0;
    for (Value& e : *v.if_array()) {
      const Checker::Level level(c, std::to_string(++n));
      typename M::value_type element{};
      convert(c, key, e, element);
      out.push_back(std::move(element));
    }
  } else if constexpr (IsMap<M>::value) {
    out.clear();
    for (auto& [name, member] : c.read_members(key, v)) {
      const Checker::Level level(c, name);
      typename M::mapped_type element{};
      if constexpr (requires { element.name = name; }) element.name = name;
      convert(c, key, *member, element);
      out.insert_or_assign(name, std::move(element));
    }
  } else if constexpr (std::is_same_v<M, Value>) {
    out = v;
  } else if constexpr (std::is_same_v<M, bool>) {
    c.read_bool(key, v, out);
  } else if constexpr (std::is_same_v<M, std::string>) {
    c.read_text(key, v, out);
  } else if constexpr (std::is_same_v<M, Secret>) {
    std::string text;
    v.secret = true;
    if (c.read_text(key, v, text)) out = Secret(std::move(text));
    v.secret = true;
  } else if constexpr (std::is_same_v<M, Percent>) {
    c.read_percent(key, v, out);
  } else if constexpr (std::is_same_v<M, Rate>) {
    c.read_rate(key, v, out);
  } else if constexpr (std::is_same_v<M, Bind>) {
    c.read_bind(key, v, out);
  } else if constexpr (std::is_same_v<M, milliseconds> || std::is_same_v<M, seconds> ||
                       std::is_same_v<M, microseconds>) {
    microseconds us{};
    bool infinite = false;
    constexpr bool micro = std::is_same_v<M, microseconds>;
    const microseconds plain = std::is_same_v<M, seconds> ? microseconds(1'000'000) : microseconds(1'000);
    if (!c.read_duration(key, v, plain, micro, us, infinite)) return;
    out = infinite ? M::max() : std::chrono::ceil<M>(us);
  } else if constexpr (NamedEnum<M>) {
    std::size_t index = 0;
    if (c.read_symbol(key, v, index)) out = static_cast<M>(index);
  } else if constexpr (std::is_floating_point_v<M>) {
    c.read_double(key, v, out);
  } else if constexpr (std::is_integral_v<M>) {
    std::int64_t number = 0;
    bool infinite = false;
    constexpr double lowest = static_cast<double>(std::numeric_limits<M>::min());
    constexpr double highest = static_cast<double>(std::numeric_limits<M>::max());
    if (!c.read_integer(key, v, lowest, highest, number, infinite)) return;
    out = infinite ? std::numeric_limits<M>::max() : static_cast<M>(number);
  } else {
    c.read_object(*key.child, v, &out);
  }
}
}  // namespace detail

/// Builds the Struct of T.
template <class T>
class Schema {
 public:
  explicit Schema(std::string_view name, Hot hot = Hot::Y) {
    s_.name = name;
    s_.hot = hot;
  }

  template <class M>
  Schema& field(std::string_view name, M T::*member, Opts opts = {}, const Struct* child = nullptr) {
    Key& key = add(name, detail::type_name<M>(opts), opts);
    detail::describe<M>(key, child);
    key.read = [member](Checker& c, const Key& k, Value& v, void* object) {
      detail::convert(c, k, v, static_cast<T*>(object)->*member);
    };
    return *this;
  }
  /// A key that is checked and shown but that nothing reads: M says its type.
  template <class M>
  Schema& accept(std::string_view name, Opts opts = {}) {
    opts.hidden = true;
    Key& key = add(name, detail::type_name<M>(opts), opts);
    detail::describe<M>(key, nullptr);
    key.read = [](Checker& c, const Key& k, Value& v, void*) {
      M ignored{};
      detail::convert(c, k, v, ignored);
    };
    return *this;
  }
  Schema& drop(std::string_view name) {
    s_.dropped.push_back(name);
    return *this;
  }
  Schema& doc(std::string_view text) {
    s_.doc = text;
    return *this;
  }
  Schema& open() {
    s_.open = true;
    return *this;
  }
  Schema& prepare(std::function<void(Checker&, Value&)> fn) {
    s_.prepare = std::move(fn);
    return *this;
  }
  Schema& finish(std::function<void(Checker&, const Value&, T&)> fn) {
    s_.finish = [fn = std::move(fn)](Checker& c, const Value& v, void* object) { fn(c, v, *static_cast<T*>(object)); };
    return *this;
  }
  Struct build() {
    s_.make = [] { return std::static_pointer_cast<void>(std::make_shared<T>()); };
    return std::move(s_);
  }

 private:
  Key& add(std::string_view name, std::string type, const Opts& opts);
  Struct s_;
};

namespace detail {
Key& add_key(Struct& s, std::string_view name, std::string type, const Opts& opts);
}
template <class T>
Key& Schema<T>::add(std::string_view name, std::string type, const Opts& opts) {
  return detail::add_key(s_, name, std::move(type), opts);
}

/// True when the schema knows a dotted path (old names too).
bool knows_path(const Struct& s, std::string_view path);
/// The declaration at a dotted path, or null (also where the path ends in the name of a map's member).
const Key* find_key(const Struct& s, std::string_view path);
/// Marks what looks like a secret in a part of the tree that no schema covers.
void mask_by_name(Value& value);

}  // namespace sb::config
