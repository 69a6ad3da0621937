// Against a hub in this process that lies, breaks off and redirects; whole hubs and the Python
// library are in tests/inference/test_model_ids.py.
#include "client/hub_download.h"

#include <atomic>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "client/test_server.h"

namespace hearth::client {
namespace {

namespace fs = std::filesystem;

const std::string kCommit(40, 'a');

TEST(ModelId, IsReadAsItIsWritten) {
  ModelId id = *ParseModelId("ann/tiny.v2@refs/pr/1:q/tiny.gguf");
  EXPECT_EQ(id.repository, "ann/tiny.v2");
  EXPECT_EQ(id.revision, "refs/pr/1");
  EXPECT_EQ(id.file, "q/tiny.gguf");
  EXPECT_EQ(id.Text(), "ann/tiny.v2@refs/pr/1:q/tiny.gguf");
  EXPECT_EQ(ParseModelId("ann/tiny")->Text(), "ann/tiny");
}

TEST(ModelId, WhatIsNoNameIsNone) {
  for (const char* text : {"", "tiny", "/ann/tiny", "./tiny", "../tiny", "ann/", "/tiny", "a/b/c",
                           "ann/ti ny", "ann/..", ".ann/tiny", "ann/x..y", "ann/tiny.git"}) {
    EXPECT_FALSE(ParseModelId(text)) << text;
  }
  for (const char* text : {"ann/tiny@", "ann/tiny@../main", "ann/tiny@a//b", "ann/tiny:config.json",
                           "ann/tiny:../x.gguf", "ann/tiny:/x.gguf", "ann/tiny@a\\b"}) {
    EXPECT_THROW(ParseModelId(text), Error) << text;
  }
}

std::vector<std::string> Select(std::vector<std::string> paths, const std::string& file = "",
                                ModelParts parts = ModelParts::kAll) {
  return SelectModelFiles(paths, parts, file);
}

TEST(ModelFiles, OneFormOfTheWeightsIsTaken) {
  using Paths = std::vector<std::string>;
  EXPECT_EQ(Select({"README.md", "config.json", "consolidated.safetensors", "model.safetensors",
                    "pytorch_model.bin", "tf_model.h5", "tokenizer.json", "x.gguf"}),
            (Paths{"config.json", "model.safetensors", "tokenizer.json"}));
  EXPECT_EQ(Select({"config.json", "pytorch_model-00001-of-00002.bin",
                    "pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json"})
                .size(),
            4u);
  EXPECT_EQ(Select({"1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors",
                    "2_Dense/pytorch_model.bin", "config.json", "model.safetensors", "modules.json",
                    "onnx/config.json"}),
            (Paths{"1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors",
                   "config.json", "model.safetensors", "modules.json"}));
  EXPECT_EQ(Select({"a-00001-of-00002.gguf", "a-00002-of-00002.gguf", "b.txt"}).size(), 2u);
  EXPECT_EQ(Select({"a.gguf", "b.gguf", "config.json"}, "b.gguf"), (Paths{"b.gguf"}));
  EXPECT_EQ(Select({"config.json", "model.safetensors", "vocab.txt"}, "", ModelParts::kTokenizer),
            (Paths{"config.json", "vocab.txt"}));
}

TEST(ModelFiles, WhatIsMissingIsNamed) {
  EXPECT_THROW(Select({"README.md", "config.json"}), Error);
  EXPECT_THROW(Select({"model.safetensors"}), Error);
  EXPECT_THROW(Select({"a.gguf", "b.gguf"}), Error);
  EXPECT_THROW(Select({"a.gguf"}, "b.gguf"), Error);
  EXPECT_THROW(Select({"a-00001-of-00002.gguf"}), Error);
  EXPECT_THROW(
      Select({"config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json"}),
      Error);
  EXPECT_THROW(Select({"model.safetensors", "config.json"}, "", ModelParts::kTokenizer), Error);
}

struct Blob {
  std::string path, content;
  bool large = false;
};

// A hub of one model whose files are answered by `resolve`, or as they are.
class HubDownload : public ::testing::Test {
 protected:
  HubDownload()
      : folder_(fs::path(::testing::TempDir()) / ("hub" + std::to_string(::getpid()))),
        hub_([this](const std::string& head) { return Respond(head); }) {
    fs::remove_all(folder_);
    settings_.cache = HubCache(folder_);
    settings_.endpoint = hub_.origin();
  }
  ~HubDownload() override { fs::remove_all(folder_); }

  std::string Respond(const std::string& head) {
    if (head.find("/api/models/ann/tiny/revision/") != std::string::npos) {
      return Answer("200 OK", "", info_.empty() ? Info() : info_);
    }
    if (resolve_) return resolve_(head);
    for (const Blob& file : files_) {
      if (head.find(file.path + " ") != std::string::npos) {
        return Answer("200 OK", "", file.content);
      }
    }
    return Answer("404 Not Found", "", "");
  }
  std::string Info() const {
    std::string text = R"({"sha": ")" + kCommit + R"(", "siblings": [)";
    for (const Blob& file : files_) {
      std::string size = std::to_string(file.content.size());
      text += R"({"rfilename": ")" + file.path + R"(", "size": )" + size;
      text += file.large ? R"(, "lfs": {"sha256": ")" + Sha256Of(file.content).Hex() + "\"}},"
                         : R"(, "blobId": ")" + GitBlobOid(file.content).Hex() + "\"},";
    }
    text.back() = ']';
    return text + "}";
  }
  fs::path Fetch() { return FetchModel(*ParseModelId("ann/tiny"), ModelParts::kAll, settings_); }
  Code Fault() {
    try {
      Fetch();
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return Code::kInternal;
  }

  std::vector<Blob> files_ = {{"config.json", "{}"},
                              {"model.safetensors", std::string(100'000, 'w'), true}};
  std::string info_;
  std::function<std::string(const std::string&)> resolve_;
  fs::path folder_;
  HubSettings settings_{"", "", false, HubCache("")};
  Server hub_;
};

TEST_F(HubDownload, TheTokenStaysWithTheHubWhenAStoreServesTheFile) {
  Server store([&](const std::string&) { return Answer("200 OK", "", files_[1].content); });
  resolve_ = [&](const std::string& head) {
    if (head.find("/config.json ") != std::string::npos) return Answer("200 OK", "", "{}");
    return Answer("302 Found", "Location: " + store.origin() + "/blob\r\n", "moved");
  };
  settings_.token = "hf_secret";
  EXPECT_EQ(ReadFile(Fetch() / "model.safetensors"), files_[1].content);
  for (const std::string& request : hub_.requests()) {
    EXPECT_NE(request.find("Bearer hf_secret"), std::string::npos);
  }
  ASSERT_EQ(store.requests().size(), 1u);
  EXPECT_EQ(store.requests()[0].find("hf_secret"), std::string::npos);
}

TEST_F(HubDownload, ATransferThatBreaksOffGoesOnWhereItEnded) {
  const std::string& content = files_[1].content;
  std::atomic<int> asked = 0;
  resolve_ = [&](const std::string& head) {
    if (head.find("/config.json ") != std::string::npos) return Answer("200 OK", "", "{}");
    size_t size = content.size(), from = asked.exchange(1) == 0 ? 0 : 40'000;
    if (from == 0) {
      return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(size) +
             "\r\n\r\n" + content.substr(0, 40'000);
    }
    EXPECT_NE(head.find("bytes=40000-99999"), std::string::npos) << head;
    return Answer("206 Partial Content", "Content-Range: bytes 40000-99999/100000\r\n",
                  content.substr(from));
  };
  EXPECT_EQ(ReadFile(Fetch() / "model.safetensors"), content);
}

TEST_F(HubDownload, BytesOfAnotherIdentityAreNoModel) {
  std::string wrong = files_[1].content;
  wrong[50'000] = 'x';
  resolve_ = [&](const std::string& head) {
    bool config = head.find("/config.json ") != std::string::npos;
    return Answer("200 OK", "", config ? "{}" : wrong);
  };
  EXPECT_EQ(Fault(), Code::kUnavailable);
  fs::path blobs = settings_.cache.Folder("ann/tiny") / "blobs";
  EXPECT_EQ(std::distance(fs::directory_iterator(blobs), fs::directory_iterator()), 1);
  // Also of a small file, whose identity is git's.
  resolve_ = [&](const std::string& head) {
    bool config = head.find("/config.json ") != std::string::npos;
    return Answer("200 OK", "", config ? "[]" : files_[1].content);
  };
  fs::remove_all(folder_);
  EXPECT_EQ(Fault(), Code::kUnavailable);
}

TEST_F(HubDownload, AHubThatNamesOddPathsOrIdentitiesWritesNothing) {
  std::string oid = GitBlobOid("{}").Hex();
  for (const std::string& path : {"../evil.json", "/etc/x.json", "a/../../x", "a\\\\b", ""}) {
    info_ = R"({"sha": ")" + kCommit + R"(", "siblings": [{"rfilename": ")" + path +
            R"(", "size": 2, "blobId": ")" + oid + R"("}]})";
    EXPECT_EQ(Fault(), Code::kInvalidArgument) << path;
  }
  for (const std::string& id : {std::string("../../x"), std::string(40, 'G'), std::string("ab")}) {
    info_ = R"({"sha": ")" + kCommit + R"(", "siblings": [{"rfilename": "config.json", "size": 2,
            "blobId": ")" +
            id + R"("}]})";
    EXPECT_EQ(Fault(), Code::kInvalidArgument) << id;
    info_ = R"({"sha": ")" + id + R"(", "siblings": []})";
    EXPECT_EQ(Fault(), Code::kInvalidArgument) << id;
  }
  for (const char* text : {"", "[]", "{}", "null", "{\"sha\": 1}", "<html>"}) {
    info_ = text;
    if (info_.empty()) info_ = " ";
    EXPECT_EQ(Fault(), Code::kInvalidArgument) << text;
  }
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(HubDownload, TheListDoesNotComeFromAnotherHost) {
  Server other([&](const std::string&) { return Answer("200 OK", "", Info()); });
  Server hub([&](const std::string&) {
    return Answer("307 Temporary Redirect", "Location: " + other.origin() + "/api\r\n", "");
  });
  settings_.endpoint = hub.origin();
  EXPECT_EQ(Fault(), Code::kNotFound);  // taken for a hub that is down, and nothing is cached
  EXPECT_TRUE(other.requests().empty());
}

}  // namespace
}  // namespace hearth::client
