#include "net/multipart.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace hearth::net {
namespace {

std::string_view Body() {
  // As Chromium sends it; the file's content holds a NUL.
  static const std::string body = [] {
    std::string text(
        "--WebKitX\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\nabc123\r\n"
        "--WebKitX\r\nContent-Disposition: form-data; name=\"summary\"\r\n\r\n\r\n"
        "--WebKitX\r\nContent-Disposition: form-data; name=\"files\"; "
        "filename=\"<img src=x onerror=%22a()%22>.bin\"\r\n"
        "Content-Type: application/octet-stream\r\n\r\n\r\n--WebKit\r\n");
    text += '\0';
    return text + "\xff\r\n--WebKitX--\r\n";
  }();
  return body;
}

TEST(Multipart, ReadsFieldsAndFilesAsABrowserSendsThem) {
  std::vector<FormPart> parts = ParseMultipart(Body(), "WebKitX");
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].name, "csrf_token");
  EXPECT_EQ(parts[0].content, "abc123");
  EXPECT_FALSE(parts[0].file_name);
  EXPECT_EQ(parts[1].content, "");
  EXPECT_EQ(parts[2].file_name, "<img src=x onerror=\"a()\">.bin");
  EXPECT_EQ(parts[2].content, std::string_view("\r\n--WebKit\r\n\0\xff", 14));
}

TEST(Multipart, EveryTruncationIsAnError) {
  for (size_t size = 0; size + 4 < Body().size(); ++size) {
    EXPECT_THROW(ParseMultipart(Body().substr(0, size), "WebKitX"), Error) << size;
  }
}

TEST(Multipart, TheFirstPartIsFoundInTheHeadOfABody) {
  EXPECT_EQ(FirstPart(Body().substr(0, 110), "WebKitX", "csrf_token"), "abc123");
  EXPECT_EQ(FirstPart(Body(), "WebKitX", "summary"), std::nullopt);
  EXPECT_EQ(FirstPart(Body().substr(0, 40), "WebKitX", "csrf_token"), std::nullopt);
}

TEST(Multipart, TheBoundaryComesFromTheHeader) {
  EXPECT_EQ(MultipartBoundary("multipart/form-data; boundary=----WebKitX"), "----WebKitX");
  EXPECT_EQ(MultipartBoundary("Multipart/Form-Data; charset=utf-8; boundary=\"a b\""), "a b");
  EXPECT_EQ(MultipartBoundary("multipart/form-data"), std::nullopt);
  EXPECT_EQ(MultipartBoundary("application/json; boundary=x"), std::nullopt);
  EXPECT_EQ(MultipartBoundary("multipart/form-data; boundary=" + std::string(71, 'x')),
            std::nullopt);
}

TEST(Multipart, MorePartsThanAllowedAreRefused) {
  EXPECT_THROW(ParseMultipart(Body(), "WebKitX", 2), Error);
  EXPECT_EQ(ParseMultipart(Body(), "WebKitX", 3).size(), 3u);
}

}  // namespace
}  // namespace hearth::net
