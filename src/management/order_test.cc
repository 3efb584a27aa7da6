#include "management/order.h"

#include "config/hocon.h"

#include <gtest/gtest.h>

namespace sb::management {
namespace {

using config::Value;

std::string name_of(const Value& member) {
  return member.text();
}

Value::Array members(const char* list) {
  return *config::parse_value(list, "test")->if_array();
}

std::string names(const Value::Array& all) {
  std::string out;
  for (const Value& one : all) out += one.text();
  return out;
}

TEST(OrderTest, OneIsMoved) {
  const auto abc = members("[a, b, c]");
  const auto order = [&](const char* name, const char* position) {
    const auto out = moved(abc, name_of, name, position);
    return out ? names(*out) : "none";
  };
  EXPECT_EQ(order("c", "front"), "cab");
  EXPECT_EQ(order("a", "rear"), "bca");
  EXPECT_EQ(order("c", "before:b"), "acb");
  EXPECT_EQ(order("a", "after:b"), "bac");
  EXPECT_EQ(order("a", "after:a"), "none");
  EXPECT_EQ(order("a", "before:x"), "none");
  EXPECT_EQ(order("x", "front"), "none");
  EXPECT_EQ(order("a", "middle"), "none");
}

TEST(OrderTest, AWholeOrderNamesEachOnce) {
  const auto abc = members("[a, b, c]");
  EXPECT_EQ(names(in_order(abc, name_of, {"c", "a", "b"}).value()), "cab");
  EXPECT_EQ(in_order(abc, name_of, {"c", "a"}).error().what, "'b' is missing");
  EXPECT_EQ(in_order(abc, name_of, {"c", "a", "c", "b"}).error().what, "'c' is named twice");
  EXPECT_EQ(in_order(abc, name_of, {"c", "x", "a", "b"}).error().what, "'x' does not exist");
  EXPECT_EQ(names(in_order({}, name_of, {}).value()), "");
}

}  // namespace
}  // namespace sb::management
