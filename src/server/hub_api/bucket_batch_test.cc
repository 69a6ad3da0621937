#include "server/hub_api/bucket_batch.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hearth::server {
namespace {

const std::string kHash(64, 'a');

std::string Add(const std::string& more) {
  return R"({"type":"addFile","path":"a","xetHash":")" + kHash + "\"" + more + "}";
}

std::string Fault(const std::string& body) {
  try {
    ParseBucketBatch(body);
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

TEST(BucketBatch, ReadsTheThreeOperationsInOrder) {
  auto batch = ParseBucketBatch(Add(R"(,"mtime":1700000000123,"contentType":"text/plain")") +
                                "\n\n" + R"({"type":"copyFile","path":"b","xetHash":")" + kHash +
                                R"(","mtime":5.75,"sourceRepoType":"model","sourceRepoId":"x/y"})" +
                                "\r\n" + R"({"type":"deleteFile","path":"c"})");
  ASSERT_EQ(batch.size(), 3u);
  const auto& add = std::get<hub::BucketAdd>(batch[0]);
  EXPECT_EQ(add.path, "a");
  EXPECT_EQ(add.hash.Text(), kHash);
  EXPECT_EQ(ToUnixMillis(*add.modified_at), 1700000000123);
  EXPECT_EQ(add.content_type, "text/plain");
  const auto& copy = std::get<hub::BucketCopy>(batch[1]);
  EXPECT_EQ(ToUnixMillis(*copy.file.modified_at), 5);
  EXPECT_EQ(copy.source_type + " " + copy.source_id, "model x/y");
  EXPECT_EQ(std::get<hub::BucketDelete>(batch[2]).path, "c");
}

TEST(BucketBatch, TimesOutsideOfTheCalendarAreMovedInside) {
  for (const char* time : {"-5", "1e300", "18446744073709551615", "-1e300"}) {
    auto batch = ParseBucketBatch(Add(std::string(",\"mtime\":") + time));
    int64_t millis = ToUnixMillis(*std::get<hub::BucketAdd>(batch.at(0)).modified_at);
    EXPECT_GE(millis, 0) << time;
    EXPECT_LE(millis, 253402300799999) << time;
  }
  EXPECT_FALSE(std::get<hub::BucketAdd>(ParseBucketBatch(Add("")).at(0)).modified_at);
}

TEST(BucketBatch, AFaultNamesItsLine) {
  EXPECT_EQ(Fault(""), "");
  EXPECT_EQ(Fault("{}").substr(0, 22), "Invalid batch, line 1:");
  EXPECT_EQ(Fault(Add("") + "\n[]").substr(0, 22), "Invalid batch, line 2:");
  for (const std::string& line :
       {std::string("nonsense"), std::string(R"({"type":"moveFile","path":"a"})"),
        std::string(R"({"type":"addFile","path":"a","xetHash":"ab"})"),
        std::string(R"({"type":"addFile","xetHash":")") + kHash + "\"}", Add(",\"mtime\":\"now\""),
        Add(",\"contentType\":\"a\\r\\nb\""),
        Add(",\"contentType\":\"" + std::string(256, 'x') + "\""),
        std::string(R"({"type":"copyFile","path":"a","xetHash":")") + kHash + "\"}"}) {
    EXPECT_NE(Fault(line), "") << line;
  }
}

TEST(BucketBatch, TooManyOperationsAreRefused) {
  std::string body;
  for (size_t i = 0; i <= kMaxBucketOperations; ++i)
    body += R"({"type":"deleteFile","path":"c"})"
            "\n";
  EXPECT_NE(Fault(body), "");
}

}  // namespace
}  // namespace hearth::server
