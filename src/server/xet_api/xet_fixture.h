// For tests: a hub with repositories, and content as a Xet client sends it. Test code only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "server/app_fixture.h"
#include "server/xet_api/xet_token.h"
#include "storage/xet/shard.h"
#include "storage/xet/xorb.h"

namespace hearth::server {

// One file in one xorb.
struct XetUpload {
  std::string content;
  storage::XetHash file;
  storage::XetHash xorb;
  std::string body;  // of the xorb
  storage::Shard shard;

  std::string ShardBytes() const { return storage::WriteShard(shard); }
};

class XetFixture : public AppFixture {
 protected:
  XetFixture() {
    ada_id_ = MakeUser("ada");
    ada_ = MakeToken(ada_id_);
    bob_ = MakeToken(MakeUser("bob"));
    open_ = MakeRepo(hub::RepoType::kModel, "ada", "open");
    hidden_ = MakeRepo(hub::RepoType::kModel, "ada", "hidden", /*is_private=*/true);
  }

  static XetUpload MakeUpload(const std::vector<std::string>& chunks) {
    XetUpload upload;
    storage::XorbBuilder builder;
    storage::MerkleAggregator merkle;
    std::vector<storage::XetHash> hashes;
    for (const std::string& chunk : chunks) {
      hashes.push_back(storage::HashChunk(chunk));
      builder.Add(hashes.back(), chunk);
      merkle.Add(hashes.back(), chunk.size());
      upload.content += chunk;
    }
    storage::XorbBuilder::Built built = builder.Finish();
    upload.body = built.body;
    upload.xorb = built.index.hash;
    upload.file = merkle.FinishFile();
    storage::ShardFile file;
    file.hash = upload.file;
    file.has_verification = true;
    file.sha256 = Sha256Of(upload.content);
    file.terms = {{.xorb = upload.xorb,
                   .unpacked_bytes = static_cast<uint32_t>(upload.content.size()),
                   .chunk_start = 0,
                   .chunk_end = static_cast<uint32_t>(chunks.size()),
                   .verification = storage::HashVerification(hashes)}};
    upload.shard.files.push_back(file);
    upload.shard.xorbs.push_back(storage::DescribeXorb(built.index));
    return upload;
  }
  // Chunks that do not compress, different for each seed.
  static XetUpload MakeUpload(char seed, size_t chunks = 3) {
    std::vector<std::string> pieces;
    for (size_t i = 0; i < chunks; ++i) {
      std::string piece;
      while (piece.size() < 9000 + i) {
        std::string text = seed + std::to_string(i) + ":" + std::to_string(piece.size());
        piece += HmacSha256("chunk", text);
      }
      pieces.push_back(piece);
    }
    return MakeUpload(pieces);
  }

  static std::string Base() { return "http://hub.test"; }
  std::string Cas(std::string_view path) const {
    return "/xet/" + hub_->xet().store_id() + std::string(path);
  }
  // The store's token as the hub's route gives it.
  std::string TokenFor(const std::string& repo, const std::string& right,
                       const std::string& hub_token) {
    net::Response response =
        Get("/api/models/" + repo + "/xet-" + right + "-token/main", hub_token);
    EXPECT_EQ(response.status, 200) << BodyText(response);
    return TextAt(BodyJson(response), "accessToken");
  }
  net::Response Ask(const std::string& method, std::string_view path, const std::string& token,
                    std::string body = {}) {
    return Send({method, Cas(path), Bearer(token), std::move(body)});
  }
  net::Response PutXorb(const XetUpload& upload, const std::string& token) {
    return Ask("POST", "/v1/xorbs/default/" + upload.xorb.Text(), token, upload.body);
  }
  void Store(const XetUpload& upload, const std::string& token) {
    ASSERT_EQ(PutXorb(upload, token).status, 200);
    ASSERT_EQ(Ask("POST", "/v1/shards", token, upload.ShardBytes()).status, 200);
  }
  net::Response Rebuild(const XetUpload& upload, const std::string& token,
                        const std::string& range = "", const std::string& version = "v2") {
    HeaderList headers = Bearer(token);
    if (!range.empty()) headers.emplace_back("Range", range);
    return Send(
        {"GET", Cas("/" + version + "/reconstructions/" + upload.file.Text()), headers, ""});
  }
  // The only link of a version 2 answer, without the address of the hub.
  static std::string LinkOf(const Json& answer, const XetUpload& upload) {
    const Json* entries = answer.Find("xorbs")->Find(upload.xorb.Text());
    return TextAt(entries->AsArray()->at(0), "url").substr(Base().size());
  }

  int64_t ada_id_ = 0;
  std::string ada_, bob_;
  hub::RepoPtr open_, hidden_;
};

}  // namespace hearth::server
