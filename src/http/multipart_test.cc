#include "http/multipart.h"

#include "http/upload.h"

#include <gtest/gtest.h>

namespace sb::http {
namespace {

TEST(Multipart, FindsTheBoundary) {
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=x; Boundary=\"a b;c\""), "a b;c");
  EXPECT_EQ(multipart_boundary("multipart/form-data"), "");
  EXPECT_EQ(multipart_boundary("application/json; boundary=abc"), "");
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=" + std::string(71, 'x')), "");
}

TEST(Multipart, ReadsParts) {
  const std::string body =
      "ignored\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--b\r\n"
      "content-disposition: form-data; name=filename; filename=\"x\\\"y.tar.gz\"\r\nContent-Type: text/plain\r\n\r\n"
      "two\r\n--not\r\n\r\n--b--\r\ntail";
  const auto parts = parse_multipart(body, "b");
  ASSERT_TRUE(parts) << parts.error().what;
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ((*parts)[0].name, "a");
  EXPECT_EQ((*parts)[0].bytes, "one");
  EXPECT_EQ((*parts)[1].name, "filename");
  EXPECT_EQ((*parts)[1].file_name, "x\"y.tar.gz");
  EXPECT_EQ((*parts)[1].content_type, "text/plain");
  EXPECT_EQ((*parts)[1].bytes, "two\r\n--not\r\n");
}

TEST(Multipart, RefusesWhatIsNoForm) {
  for (const char* bad : {"", "--b", "--b\r\n", "--b\r\n\r\nx\r\n--b--", "--bx\r\n\r\n",
                          "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx",
                          "--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--",
                          "--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--b--",
                          "--b\r\nContent-Disposition form-data\r\n\r\nx\r\n--b--"})
    EXPECT_FALSE(parse_multipart(bad, "b")) << bad;
  EXPECT_FALSE(parse_multipart("--\r\n", ""));
  std::string many;
  for (std::size_t i = 0; i <= kPartsMax; ++i) many += "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
  EXPECT_FALSE(parse_multipart(many + "--b--", "b"));
}

TEST(Upload, KeepsBytesInAFile) {
  const auto upload = Upload::create(testing::TempDir());
  ASSERT_TRUE(upload) << upload.error().what;
  EXPECT_EQ((*upload)->bytes()->size(), 0U);
  ASSERT_TRUE((*upload)->append("hello "));
  ASSERT_TRUE((*upload)->append("world"));
  EXPECT_EQ((*upload)->size(), 11U);
  EXPECT_EQ(*(*upload)->bytes(), "hello world");
  EXPECT_FALSE(Upload::create("/no/such/folder"));
}

}  // namespace
}  // namespace sb::http
