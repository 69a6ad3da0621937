// Content that came by Xet, seen through the doors of everybody else: resolve, LFS, lists of files.
#include "hub/xet_fixture.h"
#include "server/app_fixture.h"

namespace hearth::server {
namespace {

class XetDoorsTest : public AppFixture {
 protected:
  XetDoorsTest() {
    ada_ = MakeUser("ada");
    token_ = MakeToken(ada_);
    repo_ = MakeRepo(hub::RepoType::kModel, "ada", "m");
    bytes_ = hub::NoiseBytes(700'000);
    oid_ = Sha256Of(bytes_);
    file_ = hub::StoreByXet(*hub_, repo_->id, ada_, bytes_);
    Commit({hub::CommitLfsFile{"w.bin", oid_, bytes_.size()}});
  }
  void Commit(std::vector<hub::CommitOperation> operations) {
    hub::CommitRequest request;
    request.revision = "main";
    request.summary = "files";
    request.operations = std::move(operations);
    hub::RepoHandle handle = hub_->repos().OpenAsSystem(hub_->repos().FindById(repo_->id));
    commit_ = hub_->commits().Apply(hub::Actor::System(), handle, request).oid.Hex();
  }
  std::string Link() const {
    return "<http://hub.test/api/models/ada/m/xet-read-token/" + commit_ +
           ">; rel=\"xet-auth\", <http://hub.test/xet/" + hub_->xet().store_id() +
           "/v1/reconstructions/" + file_.hash.Text() + ">; rel=\"xet-reconstruction-info\"";
  }
  static std::string Pull(const net::Response& response, uint64_t start, uint64_t end) {
    const auto* body = std::get_if<net::SeekableBody>(&response.body);
    if (body == nullptr) return "not a seekable body";
    net::SeekableBody::Puller next = body->open(start, end);
    std::string all, chunk;
    bool more = true;
    while (more && all.size() < end - start) {
      chunk.clear();
      more = next(&chunk);
      all += chunk;
    }
    return all;
  }

  int64_t ada_ = 0;
  std::string token_, bytes_, commit_;
  hub::RepoPtr repo_;
  Sha256 oid_;
  hub::XetFile file_;
};

TEST_F(XetDoorsTest, ResolveRebuildsTheFileFromAnyOffset) {
  net::Response response = Get("/ada/m/resolve/main/w.bin");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("ETag"), "\"" + oid_.Hex() + "\"");
  EXPECT_EQ(response.headers.Get("X-Linked-Size"), "700000");
  EXPECT_EQ(std::get<net::SeekableBody>(response.body).size_bytes, bytes_.size());
  EXPECT_TRUE(Pull(response, 0, bytes_.size()) == bytes_);
  EXPECT_TRUE(Pull(response, 123'456, 456'789) == bytes_.substr(123'456, 456'789 - 123'456));
  EXPECT_EQ(Pull(response, 699'999, 700'000), bytes_.substr(699'999));
}

TEST_F(XetDoorsTest, HeadAndGetSayTheWayToXet) {
  for (int round = 0; round < 2; ++round) {  // the second one is answered from memory
    for (const char* method : {"HEAD", "GET"}) {
      net::Response response = Send({.method = method, .target = "/ada/m/resolve/main/w.bin"});
      EXPECT_EQ(response.headers.Get("X-Xet-Hash"), file_.hash.Text());
      EXPECT_EQ(response.headers.Get("Link"), Link());
      EXPECT_EQ(response.headers.Get("X-Linked-ETag"), "\"" + oid_.Hex() + "\"");
    }
  }
  net::Response raw = Get("/ada/m/raw/main/w.bin");
  EXPECT_EQ(raw.headers.Find("X-Xet-Hash"), nullptr);
}

TEST_F(XetDoorsTest, JavaScriptGetsTheFileInfo) {
  std::string accept = "application/vnd.xet-fileinfo+json, */*";
  net::Response response = Send({.target = "/ada/m/resolve/main/w.bin",
                                 .headers = {{"Accept", accept}, {"Range", "bytes=0-0"}}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers.Get("Content-Type"), "application/vnd.xet-fileinfo+json");
  EXPECT_EQ(response.headers.Get("X-Xet-Hash"), file_.hash.Text());
  EXPECT_EQ(response.headers.Get("X-Repo-Commit"), commit_);
  Json info = BodyJson(response);
  EXPECT_EQ(TextAt(info, "hash"), file_.hash.Text());
  EXPECT_EQ(TextAt(info, "etag"), "\"" + oid_.Hex() + "\"");
  EXPECT_EQ(info.IntField("size"), 700'000);
  EXPECT_EQ(TextAt(info, "refreshUrl"),
            "http://hub.test/api/models/ada/m/xet-read-token/" + commit_);
  // A regular file has none.
  net::Response regular =
      Send({.target = "/ada/m/resolve/main/.gitattributes", .headers = {{"Accept", accept}}});
  EXPECT_NE(regular.headers.Get("Content-Type"), "application/vnd.xet-fileinfo+json");
}

// What is remembered of a file is not how its content is stored.
TEST_F(XetDoorsTest, ARememberedFileIsOpenedInItsPresentForm) {
  ASSERT_EQ(Get("/ada/m/resolve/main/w.bin").status, 200);
  TempFile whole(hub_->blobs().temp_folder());
  whole.Append(bytes_);
  hub_->blobs().Put(std::move(whole), oid_);
  net::Response response = Get("/ada/m/resolve/main/w.bin");
  EXPECT_NE(std::get_if<net::FileBody>(&response.body), nullptr);
  hub_->blobs().Delete(oid_);
  EXPECT_TRUE(Pull(Get("/ada/m/resolve/main/w.bin"), 0, bytes_.size()) == bytes_);
}

TEST_F(XetDoorsTest, ListsOfFilesCarryTheHash) {
  Json tree = BodyJson(Get("/api/models/ada/m/tree/main"));
  std::vector<std::string> hashes;
  for (const Json& entry : *tree.AsArray()) {
    if (TextAt(entry, "path") == "w.bin") hashes.push_back(TextAt(entry, "xetHash"));
    if (TextAt(entry, "path") == ".gitattributes") {
      EXPECT_EQ(entry.Find("xetHash"), nullptr);
    }
  }
  EXPECT_EQ(hashes, std::vector<std::string>{file_.hash.Text()});
  Json info = BodyJson(SendJson("POST", "/api/models/ada/m/paths-info/main",
                                Json::Obj({{"paths", Json::Arr({"w.bin"})}})));
  EXPECT_EQ(TextAt((*info.AsArray())[0], "xetHash"), file_.hash.Text());
  Json held = BodyJson(Get("/api/models/ada/m/lfs-files", token_));
  EXPECT_EQ(TextAt((*held.AsArray())[0], "xetHash"), file_.hash.Text());
}

class XetBatchTest : public XetDoorsTest {
 protected:
  Json Batch(const std::string& operation, Json transfers, const std::string& oid, int64_t size) {
    net::Response response =
        SendJson("POST", "/ada/m.git/info/lfs/objects/batch",
                 Json::Obj({{"operation", operation},
                            {"transfers", std::move(transfers)},
                            {"objects", Json::Arr({Json::Obj({{"oid", oid}, {"size", size}})})},
                            {"ref", Json::Obj({{"name", "refs/heads/dev"}})}}),
                 token_);
    EXPECT_EQ(response.status, 200) << BodyText(response);
    return BodyJson(response);
  }
};

TEST_F(XetBatchTest, ClientsThatOfferXetAreSentThere) {
  Json answer =
      Batch("upload", Json::Arr({"basic", "multipart", "xet"}), std::string(64, 'a'), 100);
  EXPECT_EQ(TextAt(answer, "transfer"), "xet");
  const Json& object = (*answer.Find("objects")->AsArray())[0];
  const Json* upload = object.Find("actions")->Find("upload");
  EXPECT_EQ(TextAt(*upload, "href"), "http://hub.test/api/models/ada/m/xet-write-token/dev");
  const Json* header = upload->Find("header");
  EXPECT_EQ(TextAt(*header, "X-Xet-Cas-Url"), "http://hub.test/xet/" + hub_->xet().store_id());
  EXPECT_NE(TextAt(*header, "X-Xet-Access-Token"), "");
  EXPECT_NE(TextAt(*header, "X-Xet-Token-Expiration"), "");
  EXPECT_NE(TextAt(*header, "X-Xet-Session-Id"), "");
  // git-xet asks nothing else before it uploads.
  std::string grant =
      "/xet/" + hub_->xet().store_id() + "/v1/xorb-grants/default/" + std::string(64, 'b');
  HeaderList bearer{{"Authorization", "Bearer " + TextAt(*header, "X-Xet-Access-Token")}};
  EXPECT_EQ(Send({"POST", grant, bearer, ""}).status, 404) << "not stored: may upload";
}

TEST_F(XetBatchTest, WhatIsHeldNeedsNoUpload) {
  Json answer = Batch("upload", Json::Arr({"xet"}), oid_.Hex(), 700'000);
  EXPECT_EQ((*answer.Find("objects")->AsArray())[0].Find("actions"), nullptr);
}

TEST_F(XetBatchTest, OthersAreServedAsBefore) {
  EXPECT_EQ(TextAt(Batch("upload", Json::Arr({"basic"}), std::string(64, 'a'), 1), "transfer"),
            "basic");
  EXPECT_EQ(TextAt(Batch("download", Json::Arr({"basic", "xet"}), oid_.Hex(), 1), "transfer"),
            "basic");
}

TEST_F(XetBatchTest, TheLfsDownloadRebuildsTheContent) {
  Json answer = Batch("download", Json::Arr({"basic"}), oid_.Hex(), 700'000);
  const Json& object = (*answer.Find("objects")->AsArray())[0];
  std::string href = TextAt(*object.Find("actions")->Find("download"), "href");
  net::Response response = Get(href.substr(std::string("http://hub.test").size()));
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(Pull(response, 0, bytes_.size()) == bytes_);
}

class XetDuplicateTest : public XetDoorsTest {
 protected:
  net::Response Duplicate(const std::string& source, const std::string& target,
                          const std::string& token, const std::string& xet_hash) {
    return SendJson("POST", "/api/models/" + source + "/lfs-files/duplicate",
                    Json::Obj({{"target", Json::Obj({{"type", "dataset"}, {"name", target}})},
                               {"files", Json::Arr({Json::Obj({{"xetHash", xet_hash},
                                                               {"sha256", oid_.Hex()},
                                                               {"filename", "w.bin"}})})}}),
                    token);
  }
  bool Holds(const hub::RepoPtr& repo) { return hub_->objects().FindIn(*repo, oid_).has_value(); }
};

TEST_F(XetDuplicateTest, AReaderTakesAFileIntoARepositoryOfTheirOwn) {
  int64_t bob = MakeUser("bob");
  std::string token = MakeToken(bob);
  hub::RepoPtr mine = MakeRepo(hub::RepoType::kDataset, "bob", "d");
  net::Response response = Duplicate("ada/m", "bob/d", token, file_.hash.Text());
  EXPECT_EQ(response.status, 200) << BodyText(response);
  EXPECT_EQ(BodyText(response), R"({"success":true,"processed":1,"succeeded":1,"failed":[]})");
  EXPECT_TRUE(Holds(mine));
  EXPECT_FALSE(hub_->blobs().FindSize(oid_));
}

TEST_F(XetDuplicateTest, WhatTheSourceDoesNotHoldIsNamed) {
  int64_t bob = MakeUser("bob");
  std::string token = MakeToken(bob);
  MakeRepo(hub::RepoType::kModel, "bob", "empty");
  hub::RepoPtr mine = MakeRepo(hub::RepoType::kDataset, "bob", "d");
  net::Response response = Duplicate("bob/empty", "bob/d", token, file_.hash.Text());
  EXPECT_EQ(response.status, 207);
  Json body = BodyJson(response);
  EXPECT_EQ(TextAt((*body.Find("failed")->AsArray())[0], "sha256"), oid_.Hex());
  EXPECT_EQ(Duplicate("ada/m", "bob/d", token, std::string(64, '1')).status, 207);
  EXPECT_FALSE(Holds(mine));
}

TEST_F(XetDuplicateTest, NobodyWritesElsewhereOrReadsWhatIsPrivate) {
  int64_t bob = MakeUser("bob");
  std::string token = MakeToken(bob);
  hub::RepoPtr foreign = MakeRepo(hub::RepoType::kDataset, "ada", "d");
  hub::RepoPtr mine = MakeRepo(hub::RepoType::kDataset, "bob", "d");
  EXPECT_EQ(Duplicate("ada/m", "ada/d", token, file_.hash.Text()).status, 403);
  EXPECT_EQ(Duplicate("ada/m", "bob/d", "", file_.hash.Text()).status, 401);
  hub::RepoPtr hidden = MakeRepo(hub::RepoType::kModel, "ada", "hidden", true);
  EXPECT_EQ(Duplicate("ada/hidden", "bob/d", token, file_.hash.Text()).status, 404);
  EXPECT_FALSE(Holds(foreign));
  EXPECT_FALSE(Holds(mine));
}

}  // namespace
}  // namespace hearth::server
