"""Every rule of tools/check finds what it forbids and leaves alone what it allows."""
import pathlib

import pytest

LAYERS = pathlib.Path(__file__).resolve().parent.parent / "layers.txt"


def names(check, path, text):
    layers = check.load_layers(LAYERS.read_text())
    if path.endswith(".h"):
        text = "#pragma once\n" + text
    return [name for _, name, _ in check.check_cxx(path, text, layers)]


BAD = [
    ("src/broker/a.cc", '#include "net/stream.h"', "layers"),
    ("src/base/a.cc", '#include "runtime/loop.h"', "layers"),
    ("src/nowhere/a.cc", '#include "base/result.h"', "layers"),
    ("src/broker/a.cc", '#include "session.h"', "layers"),
    ("src/plugins/authn/ldap/a.cc", '#include "plugins/authn/http/b.h"', "layers"),
    ("src/client/a.cc", '#include "broker/detail/trie.h"', "detail"),
    ("src/store/table.h", "#include <rocksdb/db.h>", "leak"),
    ("src/base/a.cc", "std::regex r;", "regex"),
    ("src/base/a.cc", "int a = rand();", "rand"),
    ("src/base/a.cc", "std::this_thread::sleep_for(1s);", "sleep"),
    ("src/base/a.cc", "  ::usleep(5);", "sleep"),
    ("src/base/a.cc", "  std::system(x);", "system"),
    ("src/base/a.cc", "  return system(x);", "system"),
    ("src/base/a.cc", "auto* p = new Thing(1);", "new"),
    ("src/base/a.cc", "std::cout << x;", "debug"),
    ("src/base/a.cc", "// TODO: later", "todo"),
    ("src/base/a.h", "Result<int> f();", "nodiscard"),
    ("src/base/a.h", "  static Decoded<std::vector<int>> parse(int a);", "nodiscard"),
    ("src/base/a.h", "using namespace std;", "using"),
    ("src/http/a.cc", "void f() {\n  co_await f({.host = h});\n}", "await"),
    ("src/http/a.cc", "void f() {\n  auto x = g({a}) + co_await f();\n}", "await"),
    ("src/http/a.cc", "void f() {\n  co_await on_pool([s] { return s; });\n}", "await"),
    ("src/http/a.cc", "void f() {\n  if (co_await f(P{a, b})) {\n  }\n}", "await"),
]

GOOD = [
    ("src/broker/a.cc", '#include "broker/detail/trie.h"\n#include "store/table.h"'),
    ("src/codec/mqtt/a.cc", '#include "codec/mqtt/detail/reader.h"'),
    ("src/app/main/main.cc", '#include "mqtt/channel.h"\nint main() { std::printf("x"); }'),
    ("src/store/detail/rocks.h", "#include <rocksdb/db.h>"),
    ("src/base/a.cc", '// std::regex rand() new Thing\nauto s = "std::cout sleep(1)";'),
    ("src/base/a.cc", "bool system() const { return renew(1); }\nint operand(int);"),
    ("src/base/a.cc", "auto* p = new Thing(1);  // check: allow new"),
    ("src/base/a.cc", "::new (room) Thing(1);"),
    ("src/base/a.cc", "// check: allow new in this file: a slab of its own\nauto* p = new Thing(1);"),
    ("src/base/a.cc", "std::snprintf(b, 4, x);\nauto n = 1'000'000; auto m = 2'000;"),
    ("src/base/a.h", "[[nodiscard]] Result<int> f();\n[[nodiscard]]\nResult<> g();\nResult<int> member_;"),
    ("src/base/a_test.cc", "std::this_thread::sleep_for(1ms);"),
    ("src/http/a.cc", "void f() {\n  auto t = f({1, 2});\n  co_await std::move(t);\n}"),
    ("src/http/a.cc", "void f() {\n  if (co_await f(a)) { g({1}); }\n  auto [a, b] = co_await f(x[1]);\n}"),
]


@pytest.mark.parametrize("path,text,name", BAD)
def test_finds(check, path, text, name):
    assert names(check, path, text) == [name]


@pytest.mark.parametrize("path,text", GOOD)
def test_leaves_alone(check, path, text):
    assert names(check, path, text) == []


def test_header_needs_pragma_once(check):
    assert [f[1] for f in check.check_cxx("src/base/a.h", "int a;\n", {"base": set()})] == ["once"]


def test_finds_paths_of_one_machine(check):
    assert [f[1] for f in check.check_machine("a.md", "see /wor" + "k/x and ../sha" + "red/y\n")] == ["machine"]
    assert not list(check.check_machine("a.md", "https://example.org/work/x and build/work/y\n"))


def test_line_numbers_survive_comments_and_raw_strings(check):
    text = '/* a\n b */\nauto s = R"(x\ny)";\nint a = rand();\n'
    assert [f[0] for f in check.check_cxx("src/base/a.cc", text, {"base": set()})] == [5]


def test_layer_table_has_no_cycle(check):
    table = check.load_layers(LAYERS.read_text())
    order = list(table)
    core = [n for n in order if not n.startswith("plugins/") and n != "app"]
    for name in core:
        for other in table[name]:
            assert other in core and name not in table[other], (name, other)
