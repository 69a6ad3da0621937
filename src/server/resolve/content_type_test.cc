#include "server/resolve/content_type.h"

#include <gtest/gtest.h>

namespace hearth::server {
namespace {

TEST(ContentType, NothingThatABrowserWouldRunKeepsItsType) {
  for (const char* name :
       {"index.html", "a/b/PAGE.HTM", "x.svg", "x.js", "x.mjs", "x.xml", "x.xhtml", "x.css"}) {
    EXPECT_EQ(ContentTypeOf(name, "<script>alert(1)</script>"), "text/plain; charset=utf-8")
        << name;
  }
}

TEST(ContentType, PicturesAndWeightsKeepTheirs) {
  EXPECT_EQ(ContentTypeOf("a.PNG", std::nullopt), "image/png");
  EXPECT_EQ(ContentTypeOf("model.safetensors", std::nullopt), "application/octet-stream");
}

TEST(ContentType, AnUnknownNameIsJudgedByItsContent) {
  EXPECT_EQ(ContentTypeOf("LICENSE", "Apache License"), "text/plain; charset=utf-8");
  EXPECT_EQ(ContentTypeOf("blob", std::string_view("\0\x01\x02", 3)), "application/octet-stream");
  EXPECT_EQ(ContentTypeOf("blob", std::nullopt), "application/octet-stream");
}

TEST(ContentDisposition, NamesTheFileTwiceAndEndsAsThePythonClientWants) {
  EXPECT_EQ(ContentDisposition("inline", "dir/a b.bin"),
            "inline; filename*=UTF-8''a%20b.bin; filename=\"a b.bin\";");
}

TEST(ContentDisposition, AHostileNameCannotLeaveItsQuotes) {
  EXPECT_EQ(ContentDisposition("attachment", "a\"; x=\"\r\n\xc3\xa9.bin"),
            "attachment; filename*=UTF-8''a%22%3B%20x%3D%22%0D%0A%C3%A9.bin; "
            "filename=\"a_; x=_____.bin\";");
}

}  // namespace
}  // namespace hearth::server
