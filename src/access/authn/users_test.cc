#include "access/authn/users.h"

#include "access/authn/import.h"
#include "access/authn/store_user_log.h"
#include "access/authn/user_import.h"

#include <gtest/gtest.h>

#include <thread>

namespace sb::access::authn {
namespace {

User user(std::string id, std::string hash = "h", bool superuser = false) {
  User out;
  out.id = std::move(id);
  out.hash = std::move(hash);
  out.superuser = superuser;
  return out;
}

TEST(Users, OfOneGroupAreUnknownInAnother) {
  UserTable table;
  ASSERT_TRUE(table.create("a", user("joe")));
  EXPECT_TRUE(table.find("a", "joe"));
  EXPECT_FALSE(table.find("b", "joe"));
  EXPECT_FALSE(table.find("a", "jo"));
}

TEST(Users, AreNotCreatedTwiceNorWithoutAName) {
  UserTable table;
  ASSERT_TRUE(table.create("g", user("joe", "first")));
  const auto again = table.create("g", user("joe", "second"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::Exists);
  EXPECT_EQ(table.find("g", "joe")->hash, "first");
  EXPECT_FALSE(table.create("g", user("")));
  EXPECT_FALSE(table.create("g", user(std::string("a\0b", 3))));
  EXPECT_FALSE(table.create("g", user(std::string(UserTable::kIdMax + 1, 'x'))));
}

TEST(Users, AreTakenTogetherOrNotAtAll) {
  UserTable table;
  EXPECT_FALSE(table.put("g", {user("a"), user(""), user("b")}, true));
  EXPECT_EQ(table.size("g"), 0U);
  EXPECT_EQ(table.put("g", {user("a"), user("b")}, true), 2U);
  EXPECT_EQ(table.put("g", {user("b", "new"), user("c")}, false), 1U);
  EXPECT_EQ(table.find("g", "b")->hash, "h");
  EXPECT_EQ(table.put("g", {user("b", "new")}, true), 1U);
  EXPECT_EQ(table.find("g", "b")->hash, "new");
}

TEST(Users, AreListedByPageAndFilter) {
  UserTable table;
  for (const char* id : {"ann", "bob", "bobby", "eve"}) ASSERT_TRUE(table.create("g", user(id, "h", id[0] == 'e')));
  const auto page = table.list("g", {.skip = 1, .limit = 2});
  EXPECT_EQ(page.count, 4U);
  ASSERT_EQ(page.rows.size(), 2U);
  EXPECT_EQ(page.rows[0]->id, "bob");
  EXPECT_EQ(table.list("g", {.like_user_id = "bo"}).count, 2U);
  EXPECT_EQ(table.list("g", {.superuser = true}).rows.at(0)->id, "eve");
  EXPECT_EQ(table.list("none", {}).count, 0U);
}

TEST(Users, SurviveInTheStore) {
  const auto store = store::make_memory();
  {
    StoreUserLog log(*store);
    UserTable table;
    table.open({}, &log);
    User scram = user("joe", "stored", true);
    scram.salt = "salt";
    scram.server_key = std::string("\0\x01", 2);
    scram.algorithm = "sha512";
    scram.iterations = 5000;
    ASSERT_TRUE(table.create("g", scram));
    ASSERT_TRUE(table.create("g", user("gone")));
    ASSERT_TRUE(table.create("h", user("other")));
    ASSERT_TRUE(table.create("i", user("cleared")));
    ASSERT_TRUE(table.erase("g", "gone"));
    ASSERT_TRUE(table.clear("i"));
    EXPECT_FALSE(table.find("i", "cleared"));
    ASSERT_TRUE(table.update("h", "other", [](User& one) { one.superuser = true; }));
    EXPECT_EQ(table.update("h", "nobody", [](User&) {}).error().code, Errc::NotFound);
    EXPECT_EQ(table.erase("h", "nobody").error().code, Errc::NotFound);
  }
  StoreUserLog log(*store);
  UserTable table;
  auto stored = log.load();
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->size(), 2U);
  table.open(*std::move(stored), &log);
  const UserRef joe = table.find("g", "joe");
  ASSERT_TRUE(joe);
  EXPECT_TRUE(joe->superuser);
  EXPECT_EQ(joe->hash, "stored");
  EXPECT_EQ(joe->salt, "salt");
  EXPECT_EQ(joe->server_key, std::string("\0\x01", 2));
  EXPECT_EQ(joe->algorithm, "sha512");
  EXPECT_EQ(joe->iterations, 5000U);
  EXPECT_TRUE(table.find("h", "other")->superuser);
}

TEST(Users, ThatTheDiskRefusesDoNotExist) {
  bool full = false;
  const auto store = store::make_memory({.before_commit = [&full](const store::Batch&) -> Result<> {
    if (full) return fail(Errc::Full, "disk full");
    return {};
  }});
  StoreUserLog log(*store);
  UserTable table;
  table.open({}, &log);
  ASSERT_TRUE(table.create("g", user("old", "old")));
  full = true;
  EXPECT_FALSE(table.create("g", user("new")));
  EXPECT_FALSE(table.find("g", "new"));
  EXPECT_FALSE(table.erase("g", "old"));
  EXPECT_FALSE(table.update("g", "old", [](User& one) { one.hash = "changed"; }));
  EXPECT_EQ(table.find("g", "old")->hash, "old");
}

// ---------------------------------------------------------------- files

TEST(UserFiles, ReadColumnsInAnyOrder) {
  const auto csv = read_users(
      "users.csv", "is_superuser,user_id,salt,password_hash\r\ntrue,joe,s1,h1\n\nfalse,\"a, b\",,\"h\"\"2\"\n", false);
  ASSERT_TRUE(csv) << csv.error().what;
  ASSERT_EQ(csv->size(), 2U);
  EXPECT_EQ(csv->at(0).user_id, "joe");
  EXPECT_TRUE(csv->at(0).superuser);
  EXPECT_EQ(csv->at(0).password_hash, "h1");
  EXPECT_EQ(csv->at(0).salt, "s1");
  EXPECT_EQ(csv->at(1).user_id, "a, b");
  EXPECT_EQ(csv->at(1).password_hash, "h\"2");
  const auto spaces = read_users("u.csv", "user_id password_hash\njoe h\n", false);
  ASSERT_TRUE(spaces);
  EXPECT_EQ(spaces->at(0).password_hash, "h");
}

TEST(UserFiles, ReadJsonAndPlainPasswords) {
  const auto json =
      read_users("u.json", R"([{"user_id":"joe","password_hash":"h","salt":"s","is_superuser":true}])", false);
  ASSERT_TRUE(json) << json.error().what;
  EXPECT_TRUE(json->at(0).superuser);
  const auto plain = read_users("u.json", R"([{"user_id":"joe","password":"p"}])", true);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->at(0).password, "p");
}

TEST(UserFiles, MayBeginWithAMarkAndHaveSpacesBehindCommas) {
  for (const auto& [name, text] : {std::pair{"u.csv", "\xEF\xBB\xBFuser_id, password\njoe, secret\n"},
                                   {"u.json", "\xEF\xBB\xBF[{\"user_id\":\"joe\",\"password\":\"secret\"}]"}}) {
    const auto read = read_users(name, text, true);
    ASSERT_TRUE(read) << read.error().what;
    ASSERT_EQ(read->size(), 1U) << name;
    EXPECT_EQ(read->at(0).user_id, "joe");
    EXPECT_EQ(read->at(0).password, "secret");
  }
}

TEST(UserFiles, TheLastOfTwoLinesAboutOneUserCounts) {
  UserTable table;
  const auto make = [](const ImportedUser& from) -> Result<User> {
    return User{.id = from.user_id, .hash = from.password, .salt = ""};
  };
  UserImport twice(table, "g", *read_users("u.csv", "user_id,password\njoe,1\njoe,2\n", true), true, make);
  ASSERT_TRUE(twice.step());
  EXPECT_EQ(table.find("g", "joe")->hash, "2");
}

TEST(UserFiles, NameTheFirstBadLineAndNothingSecret) {
  struct Bad {
    const char* name;
    const char* text;
    bool plain;
    const char* told;
  };
  for (const Bad& bad :
       {Bad{"u.csv", "user_id,password_hash\njoe,hunter2,x\n", false, "line 2"},
        Bad{"u.csv", "user_id,password_hash,is_superuser\na,hunter2,true\nb,hunter2,maybe\n", false, "line 3"},
        Bad{"u.csv", "user_id,secret\n", false, "line 1"},
        Bad{"u.csv", "user_id,user_id\n", false, "line 1"},
        Bad{"u.csv", "user_id,password\njoe,hunter2\n", false, "line 1"},
        Bad{"u.csv", "user_id,password_hash\n,hunter2\n", false, "line 2"},
        Bad{"u.csv", "user_id,password_hash\njoe,\"hunter2\n", false, "line 2"},
        Bad{"u.json", "{}", false, "array"},
        Bad{"u.csv", "user_id,password_hash\njoe,h\n\"ab\"cd,hunter2\n", false, "line 3: text behind a quote"},
        Bad{"u.csv", "user_id,password_hash\n\"\"cd,hunter2\n", false, "line 2: text behind a quote"},
        Bad{"u.json", "[\n{\"user_id\":\"joe\",\n \"password_hash\":\"hunter2\",}]", false, "line 3, byte "},
        Bad{"u.json", "[\n", false, "line 2, byte 3 of the file"},
        Bad{"u.json", "[] x", false, "line 1, byte 4 of"},
        Bad{"u.json", "[{\"user_id\":\"joe\",\"password_hash\":\"hunter2\",\"x\":1}]", false, "element 1"},
        Bad{"u.json", "[{\"user_id\":5,\"password_hash\":\"hunter2\"}]", false, "element 1"},
        Bad{"u.json", "[{\"user_id\":\"joe\"}]", true, "element 1"},
        Bad{"u.txt", "", false, ".csv"},
        Bad{"u.csv", "", false, "empty"},
        Bad{"u.csv", "\n \n", true, "empty"},
        Bad{"u.csv", "password_hash\nhunter2\n", false, "no user_id"}}) {
    const auto read = read_users(bad.name, bad.text, bad.plain);
    ASSERT_FALSE(read) << bad.text;
    EXPECT_NE(read.error().what.find(bad.told), std::string::npos) << read.error().what;
    EXPECT_EQ(read.error().what.find("hunter2"), std::string::npos) << read.error().what;
  }
}

TEST(UserTable, AKeyIsVoidOnceItsGroupWasCleared) {
  UserTable table;
  const GroupKey old = table.key("g");
  ASSERT_TRUE(table.create(old, User{.id = "a", .hash = "h", .salt = ""}));
  ASSERT_TRUE(table.clear("g"));
  EXPECT_FALSE(table.create(old, User{.id = "a", .hash = "h", .salt = ""}));
  EXPECT_FALSE(table.put(old, {User{.id = "a", .hash = "h", .salt = ""}}, true));
  EXPECT_EQ(table.size("g"), 0U);
  EXPECT_TRUE(table.create(table.key("g"), User{.id = "b", .hash = "h", .salt = ""}));
  EXPECT_FALSE(table.erase(old, "b"));
  EXPECT_FALSE(table.update(old, "b", [](User& user) { user.superuser = true; }));
  EXPECT_TRUE(table.erase("g", "b")) << "without an epoch whoever is there";
}

TEST(UserImport, WritesAllAtTheEndUnlessTheGroupIsGone) {
  UserTable table;
  const auto make = [](const ImportedUser& from) -> Result<User> {
    std::this_thread::sleep_for(std::chrono::milliseconds(6));
    return User{.id = from.user_id, .hash = from.password, .salt = ""};
  };
  std::vector<ImportedUser> two(2);
  two[0].user_id = "a";
  two[0].password = "1";
  two[1].user_id = "b";
  two[1].password = "2";
  two[1].superuser = true;
  UserImport good(table, table.key("g"), two, true, make), gone(table, table.key("g"), two, true, make);
  EXPECT_EQ(*good.step(), std::nullopt) << "one slow hash a step";
  EXPECT_EQ(table.size("g"), 0U);
  EXPECT_EQ(*good.step(), 2U);
  EXPECT_TRUE(table.find("g", "b")->superuser);
  EXPECT_EQ(*gone.step(), std::nullopt);
  ASSERT_TRUE(table.clear("g"));
  EXPECT_FALSE(gone.step());
  EXPECT_EQ(table.size("g"), 0U);
}

TEST(UserImport, AddsNobodyOnceTheSettingsWereReplaced) {
  UserTable table;
  const auto make = [](const ImportedUser& from) -> Result<User> {
    return User{.id = from.user_id, .hash = from.password, .salt = ""};
  };
  std::vector<ImportedUser> one(1);
  one[0].user_id = "a";
  const auto replaced = std::make_shared<std::atomic<bool>>(false);
  UserImport good(table, table.key("g"), one, true, make, replaced),
      late(table, table.key("g"), one, true, make, replaced), gone(table, table.key("g"), one, true, make, replaced);
  EXPECT_EQ(*good.step(), 1U);
  *replaced = true;
  const auto refused = late.step();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Busy);
  ASSERT_TRUE(table.clear("g"));
  EXPECT_EQ(gone.step().error().code, Errc::NotFound) << "that it is gone says more";
  EXPECT_EQ(table.size("g"), 0U);
}

TEST(UserImport, LooksBeforeItWritesToo) {
  UserTable table;
  const auto replaced = std::make_shared<std::atomic<bool>>(false);
  const auto make = [&](const ImportedUser& from) -> Result<User> {
    *replaced = true;  // meanwhile
    return User{.id = from.user_id, .hash = "h", .salt = ""};
  };
  std::vector<ImportedUser> one(1);
  one[0].user_id = "a";
  UserImport import(table, table.key("g"), one, true, make, replaced);
  EXPECT_EQ(import.step().error().code, Errc::Busy);
  EXPECT_EQ(table.size("g"), 0U);
}

}  // namespace
}  // namespace sb::access::authn
