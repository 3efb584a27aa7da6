#include "codec/erlang/term.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace sb::codec::erlang {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

Term good(const std::string& encoded) {
  auto out = decode(encoded);
  EXPECT_TRUE(out) << out.error().what;
  return out ? *std::move(out) : Term{};
}

TEST(ErlangTerm, Integers) {
  EXPECT_EQ(*good(bytes({131, 97, 200})).integer(), 200);
  EXPECT_EQ(*good(bytes({131, 98, 255, 255, 255, 254})).integer(), -2);
  EXPECT_EQ(*good(bytes({131, 110, 5, 0, 0, 0, 0, 0, 1})).integer(), std::int64_t{1} << 32);
  EXPECT_EQ(*good(bytes({131, 110, 1, 1, 7})).integer(), -7);
}

TEST(ErlangTerm, TextsAndAtoms) {
  EXPECT_TRUE(good(bytes({131, 119, 4, 't', 'r', 'u', 'e'})).is("true"));
  EXPECT_TRUE(good(bytes({131, 100, 0, 2, 'o', 'k'})).is("ok"));
  EXPECT_EQ(*good(bytes({131, 109, 0, 0, 0, 2, 'h', 'i'})).bytes(), "hi");
  const Term list = good(bytes({131, 107, 0, 2, 1, 2}));
  ASSERT_EQ(list.list()->size(), 2u);
  EXPECT_EQ(*list.list()->at(1).integer(), 2);
}

TEST(ErlangTerm, Structures) {
  // {user, [a], #{k => 1}}
  const Term term = good(bytes({131, 104, 3,   119, 4,   'u', 's', 'e', 'r', 108, 0, 0,   0,  1,
                                119, 1,   'a', 106, 116, 0,   0,   0,   1,   119, 1, 'k', 97, 1}));
  ASSERT_TRUE(term.tuple());
  EXPECT_TRUE(term.tuple()->at(0).is("user"));
  EXPECT_TRUE(term.tuple()->at(1).list()->at(0).is("a"));
  EXPECT_EQ(*term.tuple()->at(2).find("k")->integer(), 1);
  EXPECT_EQ(term.tuple()->at(2).find("other"), nullptr);
}

TEST(ErlangTerm, MayBeCompressed) {
  const std::string inner = bytes({109, 0, 0, 0, 3, 'a', 'b', 'c'});
  std::string packed(100, '\0');
  uLongf size = packed.size();
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(inner.data()),
                     inner.size()),
            Z_OK);
  packed.resize(size);
  EXPECT_EQ(*good(bytes({131, 80, 0, 0, 0, 8}) + packed).bytes(), "abc");
  EXPECT_FALSE(decode(bytes({131, 80, 15, 255, 255, 255}) + packed));
  EXPECT_FALSE(decode(bytes({131, 80, 0, 0, 0, 9}) + packed));
}

TEST(ErlangTerm, EveryTruncationIsRefused) {
  const std::string whole = bytes({131, 104, 3,   119, 4,   'u', 's', 'e', 'r', 108, 0, 0,   0,  1,
                                   119, 1,   'a', 106, 116, 0,   0,   0,   1,   119, 1, 'k', 97, 1});
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(decode(whole.substr(0, size))) << size;
  EXPECT_FALSE(decode(whole + "x"));
}

TEST(ErlangTerm, WhatIsTooMuchIsRefused) {
  std::string deep = bytes({131});
  for (int i = 0; i < 100; ++i) deep += bytes({104, 1});
  EXPECT_FALSE(decode(deep + bytes({97, 1})));
  EXPECT_FALSE(decode(bytes({131, 105, 255, 255, 255, 255, 97, 1})));
  EXPECT_FALSE(decode(bytes({131, 116, 255, 255, 255, 255, 97, 1})));
  EXPECT_FALSE(decode(bytes({131, 1})));
  EXPECT_FALSE(decode(bytes({131, 108, 0, 0, 0, 1, 97, 1, 97, 2})));  // improper
}

TEST(ErlangBackupLog, IsTakenApart) {
  const std::string head("\x01\x02\x03\x04\x63\x58\x4d\x0b", 8);
  const std::string item = bytes({131, 97, 5});
  const std::string framed = bytes({0, 0, 0, 3, 0x62, 0x57, 0x4c, 0x41}) + item;
  const auto items = read_backup_log(head + framed + framed);
  ASSERT_TRUE(items);
  EXPECT_EQ(items->size(), 2u);
  EXPECT_FALSE(read_backup_log(framed));
  EXPECT_FALSE(read_backup_log(head + framed.substr(0, framed.size() - 1)));
  EXPECT_FALSE(read_backup_log(head + "garbage!"));
}

}  // namespace
}  // namespace sb::codec::erlang
