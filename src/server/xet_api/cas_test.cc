// The content store over HTTP: what a client may do with its token, and what it is told.
#include <gmock/gmock.h>

#include "server/xet_api/data_link.h"
#include "server/xet_api/xet_fixture.h"

namespace hearth::server {
namespace {

using ::testing::HasSubstr;

class CasTest : public XetFixture {
 protected:
  CasTest()
      : write_(TokenFor("ada/open", "write", ada_)),
        read_(TokenFor("ada/open", "read", "")),
        hidden_write_(TokenFor("ada/hidden", "write", ada_)) {}

  net::Response Follow(const std::string& link, const std::string& range = "") {
    HeaderList headers;
    if (!range.empty()) headers.emplace_back("Range", range);
    return Send({"GET", link, headers, ""});
  }
  static std::string RangeOf(const Json& answer, const XetUpload& upload) {
    const Json& entry = answer.Find("xorbs")->Find(upload.xorb.Text())->AsArray()->at(0);
    const Json& bytes = *entry.Find("ranges")->AsArray()->at(0).Find("bytes");
    return "bytes=" + std::to_string(*bytes.IntField("start")) + "-" +
           std::to_string(*bytes.IntField("end"));
  }
  int ShardStatus(const storage::Shard& shard, const std::string& version = "v2") {
    net::Response answer =
        Ask("POST", "/" + version + "/shards", write_, storage::WriteShard(shard));
    // On a busy machine the check outlasts the wait for a plain answer: its verdict is then a line.
    bool refused_late =
        answer.status == 200 && BodyText(answer).find(R"("type":"error")") != std::string::npos;
    return refused_late ? 400 : answer.status;
  }

  std::string write_, read_, hidden_write_;
  XetUpload upload_ = MakeUpload('a');
};

TEST_F(CasTest, TakesAnUploadAndRebuildsIt) {
  EXPECT_EQ(Ask("POST", "/v1/xorb-grants/default/" + upload_.xorb.Text(), write_,
                R"({"length":1,"checksum":{"algo":"crc64nvme","value":"1"}})")
                .status,
            404);
  net::Response put = PutXorb(upload_, write_);
  ASSERT_EQ(put.status, 200) << BodyText(put);
  EXPECT_EQ(BodyText(put), R"({"was_inserted":true})");
  EXPECT_EQ(BodyText(PutXorb(upload_, write_)), R"({"was_inserted":false})");
  net::Response grant = Ask("POST", "/v1/xorb-grants/default/" + upload_.xorb.Text(), write_, "{}");
  EXPECT_EQ(grant.status, 200);
  EXPECT_EQ(BodyText(grant), R"({"was_inserted":false})");

  net::Response shard = Ask("POST", "/v2/shards", write_, upload_.ShardBytes());
  ASSERT_EQ(shard.status, 200) << BodyText(shard);
  EXPECT_EQ(shard.headers.Get("Content-Type"), "application/x-ndjson");
  EXPECT_EQ(BodyText(shard), "{\"type\":\"result\",\"result\":1}\n");
  EXPECT_EQ(BodyText(Ask("POST", "/v2/shards", write_, upload_.ShardBytes())),
            "{\"type\":\"result\",\"result\":0}\n");

  net::Response plan = Rebuild(upload_, read_);
  ASSERT_EQ(plan.status, 200) << BodyText(plan);
  Json answer = BodyJson(plan);
  EXPECT_EQ(answer.Find("terms")->size(), 1u);
  net::Response data = Follow(LinkOf(answer, upload_), RangeOf(answer, upload_));
  ASSERT_EQ(data.status, 200) << BodyText(data);  // net cuts the range
  const auto* file = std::get_if<net::FileBody>(&data.body);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->size_bytes, upload_.body.size());
}

TEST_F(CasTest, OlderShardAnswerIsANumber) {
  ASSERT_EQ(PutXorb(upload_, write_).status, 200);
  EXPECT_EQ(BodyText(Ask("POST", "/v1/shards", write_, upload_.ShardBytes())), R"({"result":1})");
  EXPECT_EQ(BodyText(Ask("POST", "/shards", write_, upload_.ShardBytes())), R"({"result":0})");
  EXPECT_EQ(
      BodyText(Ask("POST", "/shard/default/" + upload_.file.Text(), write_, upload_.ShardBytes())),
      R"({"result":0})");
}

TEST_F(CasTest, OldAddressesLeadToTheSamePlaces) {
  std::string xorb = upload_.xorb.Text(), file = upload_.file.Text();
  EXPECT_EQ(Ask("POST", "/xorb/default/" + xorb, write_, upload_.body).status, 200);
  EXPECT_EQ(Ask("POST", "/xorbs/default-merkledb/" + xorb, write_, upload_.body).status, 200);
  ASSERT_EQ(Ask("POST", "/shards", write_, upload_.ShardBytes()).status, 200);
  std::string current = BodyText(Ask("GET", "/v1/reconstructions/" + file, read_));
  EXPECT_THAT(current, HasSubstr("\"fetch_info\""));
  EXPECT_EQ(BodyText(Ask("GET", "/reconstructions/" + file, read_)), current);
  EXPECT_EQ(BodyText(Ask("GET", "/reconstruction/" + file, read_)), current);
  std::string chunk = storage::HashChunk("nobody has this").Text();
  for (const char* form : {"/v1/chunks/default/", "/v1/chunks/default-merkledb/",
                           "/chunks/default/", "/chunk/default/"}) {
    EXPECT_EQ(Ask("GET", form + chunk, write_).status, 404) << form;
    EXPECT_EQ(Ask("GET", form + chunk, "").status, 401) << form;
  }
  EXPECT_EQ(Ask("GET", "/v1/chunks/other/" + chunk, write_).status, 404);
  EXPECT_EQ(Ask("POST", "/v1/xorbs/other/" + xorb, write_, upload_.body).status, 404);
}

TEST_F(CasTest, SizesAreHeaders) {
  Store(upload_, write_);
  net::Response file = Ask("HEAD", "/v1/files/" + upload_.file.Text(), read_);
  EXPECT_EQ(file.status, 200);
  EXPECT_EQ(file.headers.Get("Content-Length"), std::to_string(upload_.content.size()));
  net::Response xorb = Ask("HEAD", "/v1/xorbs/default/" + upload_.xorb.Text(), write_);
  EXPECT_EQ(xorb.status, 200);
  EXPECT_EQ(xorb.headers.Get("Content-Length"), std::to_string(upload_.body.size()));
  XetUpload other = MakeUpload('o');
  EXPECT_EQ(Ask("HEAD", "/v1/files/" + other.file.Text(), read_).status, 404);
  EXPECT_EQ(Ask("HEAD", "/v1/xorbs/default/" + other.xorb.Text(), write_).status, 404);
}

TEST_F(CasTest, RangesOfAFile) {
  Store(upload_, write_);
  std::string size = std::to_string(upload_.content.size());
  for (const char* version : {"v1", "v2"}) {
    EXPECT_EQ(Rebuild(upload_, read_, "bytes=" + size + "-" + size, version).status, 416);
    EXPECT_EQ(Rebuild(upload_, read_, "bytes=5-4", version).status, 400);
    Json middle = BodyJson(Rebuild(upload_, read_, "bytes=9100-9100", version));
    EXPECT_EQ(middle.IntField("offset_into_first_range"), 9100 - 9024) << version;
    EXPECT_EQ(BodyText(Rebuild(upload_, read_, "bytes=0-999999999", version)),
              BodyText(Rebuild(upload_, read_, "", version)));
  }
}

TEST_F(CasTest, SeveralFilesAtOnce) {
  XetUpload second = MakeUpload('b'), unknown = MakeUpload('c');
  Store(upload_, write_);
  Store(second, write_);
  std::string query = "?file_id=" + upload_.file.Text() + "&file_id=" + second.file.Text() +
                      "&file_id=" + unknown.file.Text();
  Json answer = BodyJson(Ask("GET", "/v1/reconstructions" + query, read_));
  EXPECT_EQ(answer.Find("files")->size(), 2u);
  EXPECT_EQ(answer.Find("fetch_info")->size(), 2u);
  std::string list = "[\"" + second.file.Text() + "\"]";
  EXPECT_EQ(BodyJson(Ask("POST", "/v1/reconstructions", read_, list)).Find("files")->size(), 1u);
  EXPECT_EQ(Ask("POST", "/v1/reconstructions", read_, "{}").status, 400);
  EXPECT_EQ(Ask("POST", "/v1/reconstructions", read_, "[1]").status, 400);
  EXPECT_EQ(Ask("GET", "/v1/reconstructions?file_id=xyz", read_).status, 400);
  std::string many = "?file_id=" + upload_.file.Text();
  for (int i = 0; i < 256; ++i) many += "&file_id=" + upload_.file.Text();
  EXPECT_EQ(Ask("GET", "/v1/reconstructions" + many, read_).status, 413);
}

TEST_F(CasTest, AChunkQueryAnswersWithAShardThatHidesItsHashes) {
  Store(upload_, write_);
  storage::XetHash first = upload_.shard.xorbs[0].chunks[0].hash;
  net::Response found = Ask("GET", "/v1/chunks/default/" + first.Text(), write_);
  ASSERT_EQ(found.status, 200);
  storage::Shard shard = storage::ParseShard(BodyText(found));
  ASSERT_EQ(shard.xorbs.size(), 1u);
  EXPECT_EQ(shard.xorbs[0].hash, upload_.xorb);
  EXPECT_NE(shard.xorbs[0].chunks[0].hash, first);
}

TEST_F(CasTest, SmallAddresses) {
  Store(upload_, write_);
  EXPECT_EQ(Ask("GET", "/v2/file-chunk-hashes/" + upload_.file.Text(), write_).status, 404);
  net::Response report = Send({"POST", "/v1/telemetry", Bearer(write_), "{\"speed\":1}"});
  EXPECT_EQ(report.status, 200);
  EXPECT_EQ(BodyText(report), "{}");
  EXPECT_EQ(Send({"POST", "/v1/telemetry", {}, ""}).status, 200);
}

// --- who

// Every address, with what it needs.
struct Address {
  std::string method, path;
  bool writes = false;
};

std::vector<Address> Addresses(const XetUpload& upload) {
  std::string file = upload.file.Text(), xorb = upload.xorb.Text();
  return {{"GET", "/v2/reconstructions/" + file},
          {"GET", "/v1/reconstructions/" + file},
          {"GET", "/v1/reconstructions?file_id=" + file},
          {"POST", "/v1/reconstructions"},
          {"HEAD", "/v1/files/" + file},
          {"GET", "/v1/chunks/default/" + xorb},
          {"GET", "/v2/file-chunk-hashes/" + file},
          {"POST", "/v1/xorb-grants/default/" + xorb, true},
          {"HEAD", "/v1/xorbs/default/" + xorb, true},
          {"POST", "/v1/xorbs/default/" + xorb, true},
          {"POST", "/v1/shards", true},
          {"POST", "/v2/shards", true}};
}

TEST_F(CasTest, EveryAddressNeedsATokenOfThisStore) {
  std::string altered = write_;
  altered.back() = altered.back() == '0' ? '1' : '0';
  for (const Address& address : Addresses(upload_)) {
    std::string what = address.method + " " + address.path;
    for (const std::string& token : {std::string(), ada_, altered, std::string("hxt_")}) {
      EXPECT_EQ(Ask(address.method, address.path, token).status, 401) << what << " " << token;
    }
    Call basic{address.method, Cas(address.path), {{"Authorization", "Basic " + write_}}, ""};
    EXPECT_EQ(Send(basic).status, 401) << what;
    Call two{address.method, Cas(address.path), Bearer(write_), ""};
    two.headers.push_back(Bearer(read_)[0]);
    EXPECT_EQ(Send(two).status, 401) << what;
    Call elsewhere{address.method, "/xet/0123" + address.path, Bearer(write_), ""};
    EXPECT_EQ(Send(elsewhere).status, 404) << what;
  }
}

TEST_F(CasTest, ATokenThatReadsDoesNotWrite) {
  std::string owners_read = TokenFor("ada/open", "read", ada_);
  for (const Address& address : Addresses(upload_)) {
    if (!address.writes) continue;
    for (const std::string& token : {read_, owners_read}) {
      EXPECT_EQ(Ask(address.method, address.path, token, upload_.body).status, 403)
          << address.method << " " << address.path;
    }
  }
}

TEST_F(CasTest, TokensEnd) {
  clock_.Advance(kXetTokenLifetime + kXetTokenGrace - std::chrono::seconds(1));
  EXPECT_EQ(PutXorb(upload_, write_).status, 200);
  clock_.Advance(std::chrono::seconds(2));
  for (const Address& address : Addresses(upload_)) {
    EXPECT_EQ(Ask(address.method, address.path, write_).status, 401) << address.path;
  }
}

TEST_F(CasTest, WhatEndsTheRightEndsTheToken) {
  std::string token = TokenFor("ada/open", "read", bob_);
  Store(upload_, write_);
  ASSERT_EQ(Rebuild(upload_, token).status, 200);
  hub::RepoHandle repo = hub_->repos().OpenAsSystem(open_);
  hub_->repos().UpdateSettings(repo, {.is_private = true});
  EXPECT_EQ(Rebuild(upload_, token).status, 403);
  EXPECT_EQ(Rebuild(upload_, read_).status, 403);
  EXPECT_EQ(Rebuild(upload_, TokenFor("ada/open", "read", ada_)).status, 200);
}

TEST_F(CasTest, ATokenWithoutRightsDoesNotTellWhichChunksAreStored) {
  Store(upload_, hidden_write_);
  storage::XetHash stored = upload_.shard.xorbs[0].chunks[0].hash;
  std::string bobs = TokenFor("ada/open", "read", bob_);
  hub_->repos().UpdateSettings(hub_->repos().OpenAsSystem(open_), {.is_private = true});
  ASSERT_EQ(Rebuild(upload_, bobs).status, 403) << "the token gives nothing any more";
  net::Response hit = Ask("GET", "/v1/chunks/default/" + stored.Text(), bobs);
  net::Response miss = Ask("GET", "/v1/chunks/default/" + std::string(64, '1'), bobs);
  EXPECT_EQ(hit.status, 404);
  EXPECT_EQ(miss.status, 404);
  EXPECT_EQ(BodyText(hit), BodyText(miss));
}

// Knowing hashes is never enough.
TEST_F(CasTest, AnotherRepositorysFilesAreNotThere) {
  Store(upload_, hidden_write_);
  std::string bobs = TokenFor("ada/open", "read", bob_);
  for (const std::string& token : {read_, bobs}) {
    EXPECT_EQ(Rebuild(upload_, token).status, 404);
    EXPECT_EQ(Rebuild(upload_, token, "", "v1").status, 404);
    EXPECT_EQ(Ask("HEAD", "/v1/files/" + upload_.file.Text(), token).status, 404);
    Json batch = BodyJson(Ask("GET", "/v1/reconstructions?file_id=" + upload_.file.Text(), token));
    EXPECT_EQ(batch.Find("files")->size(), 0u);
    storage::XetHash first = upload_.shard.xorbs[0].chunks[0].hash;
    EXPECT_EQ(Ask("GET", "/v1/chunks/default/" + first.Text(), token).status, 404);
  }
  EXPECT_EQ(Rebuild(upload_, TokenFor("ada/hidden", "read", ada_)).status, 200);
}

// Somebody who learned a xorb's hash may neither ask for it nor build a file of it.
TEST_F(CasTest, AHiddenXorbIsNotThereForOthers) {
  Store(upload_, hidden_write_);
  MakeRepo(hub::RepoType::kModel, "bob", "own");
  std::string bobs = TokenFor("bob/own", "write", bob_);
  std::string xorb = upload_.xorb.Text();
  EXPECT_EQ(Ask("POST", "/v1/xorb-grants/default/" + xorb, bobs, "{}").status, 404);
  EXPECT_EQ(Ask("HEAD", "/v1/xorbs/default/" + xorb, bobs).status, 404);
  EXPECT_EQ(Ask("POST", "/v1/shards", bobs, upload_.ShardBytes()).status, 400);
  EXPECT_EQ(Rebuild(upload_, bobs).status, 404);
  // With the bytes in hand it is an upload like any other, and told as one.
  EXPECT_EQ(BodyText(PutXorb(upload_, bobs)), R"({"was_inserted":true})");
  EXPECT_EQ(Ask("POST", "/v1/shards", bobs, upload_.ShardBytes()).status, 200);
  EXPECT_EQ(Rebuild(upload_, bobs).status, 200);
}

// --- data links

TEST_F(CasTest, ALinkAllowsPartsOfItsRangesOnly) {
  Store(upload_, write_);
  Json answer = BodyJson(Rebuild(upload_, read_, "bytes=0-0"));  // the first of three chunks
  std::string link = LinkOf(answer, upload_), range = RangeOf(answer, upload_);
  ASSERT_NE(range, "bytes=0-" + std::to_string(upload_.body.size() - 1));
  EXPECT_EQ(Follow(link, range).status, 200);
  EXPECT_EQ(Follow(link, "bytes=0-0").status, 200);
  EXPECT_EQ(Follow(link, "bytes=0-0,5-9").status, 200);
  std::string last = std::to_string(upload_.body.size() - 1);
  for (const std::string& wider :
       {std::string(), "bytes=0-" + last, std::string("bytes=0-"), std::string("bytes=-5"),
        "bytes=0-0," + last + "-" + last, std::string("items=0-1"), std::string("nonsense")}) {
    EXPECT_EQ(Follow(link, wider).status, 403) << wider;
  }
  // A condition that fails would send the whole xorb.
  net::Response whole = Send({"GET", link, {{"Range", "bytes=0-0"}, {"If-Range", "\"x\""}}, ""});
  EXPECT_EQ(whole.status, 200);
}

TEST_F(CasTest, AWholeXorbNeedsNoRange) {
  Store(upload_, write_);
  EXPECT_EQ(Follow(LinkOf(BodyJson(Rebuild(upload_, read_)), upload_)).status, 200);
}

TEST_F(CasTest, AnAlteredOrOldLinkIsForbidden) {
  Store(upload_, write_);
  Json answer = BodyJson(Rebuild(upload_, read_));
  std::string link = LinkOf(answer, upload_), range = RangeOf(answer, upload_);
  std::string altered = link;
  altered.back() = altered.back() == '0' ? '1' : '0';
  EXPECT_EQ(Follow(altered, range).status, 403);
  EXPECT_EQ(Follow(link.substr(0, link.find('?')), range).status, 403);
  XetUpload other = MakeUpload('o');
  Store(other, hidden_write_);
  std::string moved = link;
  moved.replace(moved.find(upload_.xorb.Text()), 64, other.xorb.Text());
  EXPECT_EQ(Follow(moved, "bytes=0-0").status, 403);
  clock_.Advance(kDataLinkLifetime + kDataLinkRounding + std::chrono::seconds(1));
  EXPECT_EQ(Follow(link, range).status, 403);
}

TEST_F(CasTest, ALinkToAXorbThatIsGoneIsMissing) {
  std::string link = MakeDataLink(*hub_, Base() + Cas(""), upload_.xorb, {{0, 10}});
  EXPECT_EQ(Follow(link.substr(Base().size()), "bytes=0-9").status, 404);
}

// --- lies

TEST_F(CasTest, AXorbThatIsNotWhatItSaysIsRefused) {
  auto put = [&](std::string body) {
    return Ask("POST", "/v1/xorbs/default/" + upload_.xorb.Text(), write_, std::move(body)).status;
  };
  std::string flipped = upload_.body, future = upload_.body, scheme = upload_.body;
  flipped[100] = static_cast<char>(flipped[100] ^ 1);
  future[0] = 1;
  scheme[4] = 7;
  EXPECT_EQ(put(flipped), 400);
  EXPECT_EQ(put(future), 400);
  EXPECT_EQ(put(scheme), 400);
  EXPECT_EQ(put(upload_.body.substr(0, upload_.body.size() - 1)), 400);
  EXPECT_EQ(put(""), 400);
  EXPECT_EQ(put(MakeUpload('z').body), 400);
  EXPECT_EQ(Ask("POST", "/v1/xorb-grants/default/" + upload_.xorb.Text(), write_, "{}").status,
            404);
  EXPECT_EQ(Ask("POST", "/v1/xorbs/default/abc", write_, upload_.body).status, 400);
  EXPECT_EQ(put(upload_.body), 200);
}

TEST_F(CasTest, AShardThatIsNotTrueIsRefused) {
  using storage::Shard;
  ASSERT_EQ(PutXorb(upload_, write_).status, 200);
  struct Lie {
    const char* what;
    std::function<void(Shard*)> tell;
  };
  const Lie lies[] = {
      {"another file hash", [](Shard* s) { s->files[0].hash = storage::HashChunk("x"); }},
      {"another sha256", [](Shard* s) { s->files[0].sha256 = Sha256Of("famous"); }},
      {"another verification",
       [](Shard* s) { s->files[0].terms[0].verification = storage::HashChunk("x"); }},
      {"no verification", [](Shard* s) { s->files[0].has_verification = false; }},
      {"another length", [](Shard* s) { ++s->files[0].terms[0].unpacked_bytes; }},
      {"chunks beyond the xorb", [](Shard* s) { ++s->files[0].terms[0].chunk_end; }},
      {"no chunks", [](Shard* s) { s->files[0].terms[0].chunk_end = 0; }},
      {"a xorb that is not stored",
       [](Shard* s) { s->files[0].terms[0].xorb = storage::HashChunk("x"); }},
      {"another chunk list", [](Shard* s) { s->xorbs[0].chunks[0].hash = {}; }},
      {"a shorter chunk list", [](Shard* s) { s->xorbs[0].chunks.pop_back(); }},
      {"terms left out", [](Shard* s) { s->files[0].terms.clear(); }},
  };
  for (const Lie& lie : lies) {
    Shard shard = upload_.shard;
    lie.tell(&shard);
    EXPECT_EQ(ShardStatus(shard), 400) << lie.what;
    EXPECT_EQ(ShardStatus(shard, "v1"), 400) << lie.what;
    EXPECT_EQ(Rebuild(upload_, read_).status, 404) << lie.what;
  }
  for (std::string bytes : {std::string(), std::string("x"), std::string(200, '\0'),
                            upload_.ShardBytes().substr(0, 100)}) {
    EXPECT_EQ(Ask("POST", "/v2/shards", write_, bytes).status, 400) << bytes.size();
  }
  EXPECT_EQ(ShardStatus(upload_.shard), 200);
}

TEST_F(CasTest, AnEmptyFileIsAFile) {
  storage::Shard shard;
  storage::ShardFile file;
  file.has_verification = true;
  file.sha256 = Sha256Of("");
  shard.files.push_back(file);
  ASSERT_EQ(ShardStatus(shard), 200);
  shard.files[0].sha256 = Sha256();  // as hf_xet sends it
  ASSERT_EQ(ShardStatus(shard), 200);
  net::Response plan = Ask("GET", "/v2/reconstructions/" + storage::XetHash().Text(), read_);
  EXPECT_EQ(plan.status, 200);
  EXPECT_EQ(BodyText(plan), R"({"offset_into_first_range":0,"terms":[],"xorbs":{}})");
}

TEST_F(CasTest, BadHashesAreBadRequests) {
  std::string upper = "A" + std::string(63, '0');
  for (const std::string& bad : {std::string("abc"), upper, std::string(65, '0')}) {
    EXPECT_EQ(Ask("GET", "/v2/reconstructions/" + bad, read_).status, 400);
    EXPECT_EQ(Ask("GET", "/v1/chunks/default/" + bad, write_).status, 400);
    EXPECT_EQ(Ask("POST", "/v1/xorb-grants/default/" + bad, write_, "{}").status, 400);
  }
}

}  // namespace
}  // namespace hearth::server
