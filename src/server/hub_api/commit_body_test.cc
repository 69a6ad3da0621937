#include "server/hub_api/commit_body.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "codec/base64.h"

namespace hearth::server {
namespace {

using hub::CommitDelete;
using hub::CommitFile;
using hub::CommitLfsFile;
using hub::CommitRequest;

const std::string kHeader = R"({"key":"header","value":{"summary":"s"}})";

std::string FileLine(const std::string& path, const std::string& content) {
  return R"({"key":"file","value":{"content":")" + Base64Encode(content) + R"(","path":")" + path +
         R"(","encoding":"base64"}})";
}

CommitRequest Parse(const std::string& text, const CommitBodyLimits& limits = {}) {
  net::RequestBody body(text);
  return ParseCommitLines(body, limits);
}

std::string FaultOf(const std::string& text, Code expected = Code::kInvalidArgument) {
  try {
    Parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), expected) << text;
    return error.message();
  }
  ADD_FAILURE() << "accepted: " << text;
  return "";
}

TEST(CommitBodyTest, ReadsEveryKindOfLine) {
  std::string oid(64, 'a');
  CommitRequest request =
      Parse(R"({"key":"header","value":{"summary":"s","description":"d","parentCommit":"abcdef0"}})"
            "\n" +
            FileLine("a.txt", "hello") + "\r\n" +
            R"({"key":"file","value":{"path":"u.txt","content":"gr\u00fcn","encoding":"utf-8"}})"
            "\n\n" +
            R"({"key":"lfsFile","value":{"path":"w.bin","algo":"sha256","oid":")" + oid +
            R"(","size":5}})"
            "\n" +
            R"({"key":"lfsFile","value":{"path":"c.bin","algo":"sha256","oid":")" + oid + R"("}})" +
            "\n" +
            R"({"key":"deletedFile","value":{"path":"x"}})"
            "\n"
            R"({"key":"deletedFolder","value":{"path":"d/"}})"
            "\n"
            R"({"key":"deletedEntry","value":{"path":"e"}})");  // no final newline
  EXPECT_EQ(request.summary, "s");
  EXPECT_EQ(request.description, "d");
  EXPECT_EQ(request.parent_commit, "abcdef0");
  ASSERT_EQ(request.operations.size(), 7u);
  EXPECT_EQ(std::get<CommitFile>(request.operations[0]).content, "hello");
  EXPECT_EQ(std::get<CommitFile>(request.operations[1]).content, "gr\xC3\xBCn");
  EXPECT_EQ(std::get<CommitLfsFile>(request.operations[2]).size_bytes, 5u);
  EXPECT_FALSE(std::get<CommitLfsFile>(request.operations[3]).size_bytes);
  EXPECT_EQ(std::get<CommitDelete>(request.operations[4]).kind, CommitDelete::Kind::kFile);
  EXPECT_EQ(std::get<CommitDelete>(request.operations[5]).path, "d");
  EXPECT_EQ(std::get<CommitDelete>(request.operations[5]).kind, CommitDelete::Kind::kFolder);
  EXPECT_EQ(std::get<CommitDelete>(request.operations[6]).kind, CommitDelete::Kind::kEither);
}

TEST(CommitBodyTest, AnOldPathIsARename) {
  CommitRequest request = Parse(
      kHeader +
      "\n{\"key\":\"file\",\"value\":{\"path\":\"new\",\"oldPath\":\"old\",\"content\":\"x\"}}");
  ASSERT_EQ(request.operations.size(), 2u);
  EXPECT_EQ(std::get<CommitDelete>(request.operations[0]).path, "old");
  EXPECT_EQ(std::get<CommitFile>(request.operations[1]).path, "new");
}

TEST(CommitBodyTest, FaultsNameTheirLine) {
  const std::string good = kHeader + "\n" + FileLine("a", "1") + "\n";
  for (const std::string& line : std::vector<std::string>{
           "{", "[]", "null", "{}", R"({"key":"file"})", R"({"key":"file","value":[]})",
           R"({"key":"mystery","value":{}})", R"({"key":"file","value":{"path":"a"}})",
           R"({"key":"file","value":{"content":""}})",
           R"({"key":"file","value":{"path":"a","content":"!","encoding":"base64"}})",
           R"({"key":"file","value":{"path":"a","content":"x","encoding":"rot13"}})",
           R"({"key":"file","value":{"path":1,"content":"x"}})",
           R"({"key":"lfsFile","value":{"path":"a","oid":"xyz"}})",
           R"({"key":"lfsFile","value":{"path":"a","oid":")" + std::string(64, 'a') +
               R"(","size":-1}})",
           R"({"key":"lfsFile","value":{"path":"a","algo":"md5","oid":")" + std::string(64, 'a') +
               R"("}})",
           R"({"key":"deletedFile","value":{}})", kHeader, std::string("\xFF\xFE"),
           std::string("{\"key\":\"fi\0le\"}", 14)}) {
    EXPECT_NE(FaultOf(good + line).find("line 3"), std::string::npos) << line;
  }
  EXPECT_NE(FaultOf("").find("line 1"), std::string::npos);
  EXPECT_NE(FaultOf("\n\n").find("line 1"), std::string::npos);
  EXPECT_NE(FaultOf(FileLine("a", "1")).find("line 1"), std::string::npos);
  EXPECT_NE(FaultOf(R"({"key":"header","value":{}})").find("summary"), std::string::npos);
}

TEST(CommitBodyTest, EveryTruncationIsAFaultOrAShorterCommit) {
  std::string text = kHeader + "\n" + FileLine("a", "hello") + "\n" + FileLine("b", "world");
  for (size_t size = 0; size < text.size(); ++size) {
    try {
      EXPECT_LE(Parse(text.substr(0, size)).operations.size(), 1u) << size;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument) << size;
    }
  }
}

TEST(CommitBodyTest, ALineBeyondTheLimitIsATooLargeFile) {
  CommitBodyLimits limits;
  limits.max_line_bytes = 1000;
  try {
    Parse(kHeader + "\n" + FileLine("a", std::string(2000, 'x')), limits);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_NE(error.message().find("larger than 10 MiB"), std::string::npos);
    EXPECT_NE(error.message().find("line 2"), std::string::npos);
  }
  limits.max_operations = 2;
  std::string three = kHeader;
  for (const char* path : {"a", "b", "c"}) three += "\n" + FileLine(path, "x");
  EXPECT_THROW(Parse(three, limits), Error);
}

TEST(CommitBodyTest, ContentsBeyondTheBudgetAreReadFromTheSpoolAgain) {
  std::string text = kHeader;
  std::vector<std::string> contents;
  for (int i = 0; i < 20; ++i) {
    contents.push_back(std::string(5000, static_cast<char>('a' + i)));
    text += "\n" + FileLine("f" + std::to_string(i), contents.back());
  }
  text += "\n" + FileLine("README.md", std::string(5000, 'r'));
  TempFile spool(std::filesystem::temp_directory_path());
  spool.Append(text);
  net::RequestBody body(std::move(spool), std::nullopt);
  CommitBodyLimits limits;
  limits.memory_budget_bytes = 12000;
  CommitRequest request = ParseCommitLines(body, limits);
  ASSERT_EQ(request.operations.size(), 21u);
  size_t kept = 0;
  for (int i = 0; i < 20; ++i) {
    const auto& file = std::get<CommitFile>(request.operations[static_cast<size_t>(i)]);
    if (!file.load) {
      kept += file.content.size();
      EXPECT_EQ(file.content, contents[static_cast<size_t>(i)]);
      continue;
    }
    EXPECT_TRUE(file.content.empty());
    EXPECT_EQ(file.size_bytes, 5000u);
    EXPECT_EQ(file.sample, contents[static_cast<size_t>(i)].substr(0, 1024));
    EXPECT_EQ(file.load(), contents[static_cast<size_t>(i)]);
    EXPECT_EQ(file.load(), contents[static_cast<size_t>(i)]);
  }
  EXPECT_LE(kept, limits.memory_budget_bytes);
  // The card is checked, so it is always at hand.
  EXPECT_FALSE(std::get<CommitFile>(request.operations[20]).load);
}

TEST(CommitBodyTest, TheOlderFormIsOneObject) {
  net::RequestBody body(
      R"({"summary":"s","parentCommit":"","files":[{"path":"a","content":"aGk=",
    "encoding":"base64"}],"lfsFiles":[{"path":"w","oid":")" +
      std::string(64, 'b') +
      R"(","algo":"sha256"}],"deletedEntries":[{"path":"x"}],"deletedFiles":null})");
  CommitRequest request = ParseCommitJson(body);
  EXPECT_FALSE(request.parent_commit);
  ASSERT_EQ(request.operations.size(), 3u);
  EXPECT_EQ(std::get<CommitFile>(request.operations[0]).content, "hi");
  for (const char* bad : {"[]", "{}", "{\"summary\":\"s\",\"files\":{}}",
                          "{\"summary\":\"s\",\"files\":[1]}", "{\"summary\":1}"}) {
    net::RequestBody bad_body{std::string(bad)};
    EXPECT_THROW(ParseCommitJson(bad_body), Error) << bad;
  }
}

}  // namespace
}  // namespace hearth::server
