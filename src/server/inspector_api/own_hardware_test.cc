// The caller's own devices: their list, and the answers that are given for them.
#include <gtest/gtest.h>

#include "hub/hardware.h"
#include "hub/inspector/provenance/weight_fixture.h"
#include "server/app_fixture.h"

namespace hearth::server {
namespace {

constexpr const char* kList = "/api/hearth/settings/hardware";

class OwnHardwareTest : public AppFixture {
 protected:
  OwnHardwareTest() {
    ada_id_ = MakeUser("ada");
    ada_ = MakeToken(ada_id_);
    reader_ = MakeToken(ada_id_, hub::TokenRole::kRead);
    eve_ = MakeToken(MakeUser("eve"));
    hub::RepoPtr repo = MakeRepo(hub::RepoType::kModel, "ada", "m");
    std::string bytes = inspector::SafetensorsBytes(inspector::TinyLlama(1));
    Sha256 id = Sha256Of(bytes);
    TempFile file(hub_->blobs().temp_folder());
    file.Append(bytes);
    hub_->objects().Store(repo->id, ada_id_, id, bytes.size(), std::move(file), id);
    hub::CommitRequest request;
    request.revision = "main";
    request.summary = "weights";
    request.operations = {hub::CommitFile{"config.json", inspector::TinyConfig()},
                          hub::CommitLfsFile{"model.safetensors", id, bytes.size()}};
    hub::RepoHandle handle = hub_->repos().OpenAsSystem(hub_->repos().FindById(repo->id));
    hub_->commits().Apply(hub::Actor::System(), handle, request);
    hub_->inspections().InspectNow(hub_->repos().FindById(repo->id));
  }
  // What is sent as the list of devices, and the status of the answer.
  int Put(const std::string& devices, const std::string& token) {
    HeaderList headers = Bearer(token);
    headers.emplace_back("Content-Type", "application/json");
    return Send({.method = "PUT",
                 .target = kList,
                 .headers = headers,
                 .body = "{\"devices\": " + devices + "}"})
        .status;
  }
  std::vector<std::string> Names(const std::string& target, const std::string& token) {
    std::vector<std::string> names;
    Json answer = BodyJson(Get(target, token));
    for (const Json& device : *answer.Find("devices")->AsArray())
      names.push_back(TextAt(device, "name"));
    return names;
  }
  std::string Page(const std::string& target, const std::string& token) {
    net::Response response = Get(target, token);
    EXPECT_EQ(response.status, 200) << target;
    return BodyText(response);
  }

  int64_t ada_id_ = 0;
  std::string ada_, reader_, eve_;
};

using Strings = std::vector<std::string>;

TEST_F(OwnHardwareTest, TheListIsReplacedAndReadByItsUserAlone) {
  EXPECT_EQ(Put(R"(["RTX 4090", {"name": "my box", "kind": "unified", "memory_bytes": 25769803776,
                   "bandwidth_gbs": 400}])",
                ada_),
            200);
  EXPECT_EQ(Names(kList, ada_), (Strings{"RTX 4090", "my box"}));
  EXPECT_EQ(Names(kList, reader_), (Strings{"RTX 4090", "my box"}));
  EXPECT_EQ(Names(kList, eve_), Strings{});
  net::Response answer = Get(kList, ada_);
  EXPECT_EQ(answer.headers.Get("Cache-Control"), "private, no-store");
  Json box = BodyJson(answer).Find("devices")->AsArray()->at(1);
  EXPECT_EQ(TextAt(box, "spec"), "my box:24576MiB:400:unified");
  EXPECT_EQ(*box.Find("usable_bytes"), Json(int64_t{18} << 30));
  EXPECT_EQ(Put("[]", ada_), 200);
  EXPECT_EQ(Names(kList, ada_), Strings{});
}

TEST_F(OwnHardwareTest, OnlyWhoMayChangeTheAccountMayChangeIt) {
  EXPECT_EQ(Get(kList).status, 401);
  EXPECT_EQ(Put("[\"T4\"]", ""), 401);
  EXPECT_EQ(Put("[\"T4\"]", reader_), 403);
  hub::NewToken wanted{.name = "one repository", .role = hub::TokenRole::kFineGrained};
  wanted.scopes.push_back({"model", "ada/m", {"repo.content.read", "repo.write"}});
  std::string narrow = hub_->accounts().CreateToken(ada_id_, wanted).second;
  EXPECT_EQ(Put("[\"T4\"]", narrow), 403);
  EXPECT_EQ(Names(kList, ada_), Strings{});
}

TEST_F(OwnHardwareTest, WhatIsNoListOfDevicesIsRefusedAndChangesNothing) {
  EXPECT_EQ(Put("[\"T4\"]", ada_), 200);
  for (const char* devices : {"5", "{}", "[5]", "[\"a lot\"]", "[{\"name\": \"x\"}]",
                              R"([{"name": "a:b", "memory_bytes": 1073741824}])",
                              R"([{"name": "x", "memory_bytes": -1}])"})
    EXPECT_EQ(Put(devices, ada_), 400) << devices;
  std::string many = "[";
  for (int i = 0; i < 17; ++i) many += (i ? "," : "") + ("\"box" + std::to_string(i) + ":1GiB\"");
  EXPECT_EQ(Put(many + "]", ada_), 400);
  net::Request large = MakeRequest({.method = "PUT", .target = kList, .headers = Bearer(ada_)});
  EXPECT_EQ(app_->PlanFor(large).body.max_bytes, 32u << 10);
  EXPECT_EQ(Names(kList, ada_), Strings{"T4"});
}

TEST_F(OwnHardwareTest, FitIsAnsweredForThemFirst) {
  std::string fit = "/api/hearth/models/ada/m/fit";
  size_t table = Names(fit, eve_).size();
  ASSERT_EQ(Put(R"(["my box:64GiB:100", "RTX 4090", "tiny:1MiB"])", ada_), 200);
  Strings names = Names(fit, ada_);
  EXPECT_EQ(names.size(), table + 2);  // the card of the table is there once
  EXPECT_EQ(Strings(names.begin(), names.begin() + 4),
            (Strings{"this node", "my box", "RTX 4090", "tiny"}));
  Json devices = *BodyJson(Get(fit + "?device=mine", ada_)).Find("devices");
  ASSERT_EQ(devices.size(), 4u);
  EXPECT_EQ(devices.AsArray()->at(0).Find("mine"), nullptr);
  EXPECT_EQ(*devices.AsArray()->at(1).Find("mine"), Json(true));
  EXPECT_EQ(TextAt(devices.AsArray()->at(1), "verdict"), "fits");
  EXPECT_EQ(TextAt(devices.AsArray()->at(3), "verdict"), "no");
  EXPECT_EQ(Names(fit + "?device=mine", ""), Strings{"this node"});
  EXPECT_EQ(Names(fit + "?device=node", ada_), Strings{"this node"});
}

TEST_F(OwnHardwareTest, ComparisonsChecklistsAndNotesAreMadeForThem) {
  hub::RepoPtr other = MakeRepo(hub::RepoType::kModel, "ada", "other");
  Commit(other, {{"README.md", "# Other\n"}});
  std::string compare = "/api/hearth/compare?repos=models/ada/m,models/ada/other";
  EXPECT_NE(Page(compare, ada_).find("On RTX 4090"), std::string::npos);
  ASSERT_EQ(Put("[\"my box:64GiB\", \"M1 8GB\"]", ada_), 200);
  std::string answer = Page(compare, ada_);
  EXPECT_NE(answer.find("On my box"), std::string::npos);
  EXPECT_NE(answer.find("On M1 8GB"), std::string::npos);
  EXPECT_EQ(answer.find("On RTX 4090"), std::string::npos);
  EXPECT_EQ(Page(compare, eve_).find("my box"), std::string::npos);
  // Who names a device is told of that one.
  EXPECT_EQ(Page(compare + "&device=T4", ada_).find("On my box"), std::string::npos);
  EXPECT_NE(Page("/api/hearth/decision-note?repos=models/ada/m", ada_).find("my box"),
            std::string::npos);
  Json note = Json::Obj({{"repos", Json::Arr({"models/ada/m"})}, {"devices", Json::Arr({"T4"})}});
  std::string written = BodyText(SendJson("POST", "/api/hearth/decision-note", note, ada_));
  EXPECT_NE(written.find("On T4"), std::string::npos);
  EXPECT_EQ(written.find("my box"), std::string::npos);
  std::string checklist = "/api/hearth/models/ada/m/checklist";
  EXPECT_NE(Page(checklist, ada_).find("On my box: fits"), std::string::npos);
  EXPECT_EQ(Page(checklist, eve_).find("On RTX 4090"), std::string::npos);
}

TEST_F(OwnHardwareTest, TwoDevicesOfOneNameAreJudgedByWhatEachIs) {
  std::string compare = "/api/hearth/compare?repos=models/ada/m,models/ada/m@refs%2Fheads%2Fmain";
  ASSERT_EQ(Put("[\"box:1GiB:gpu\"]", ada_), 200);
  ASSERT_EQ(Put("[\"box:1GiB:cpu\"]", eve_), 200);
  EXPECT_EQ(Get(compare, ada_).status, 200);
  EXPECT_NE(Page(compare, ada_), Page(compare, eve_));
}

TEST_F(OwnHardwareTest, PagesShowThem) {
  ASSERT_EQ(Put("[\"my box:64GiB\", \"tiny:1MiB\"]", ada_), 200);
  std::string list = Page("/models", ada_);
  EXPECT_NE(list.find("Your hardware"), std::string::npos);
  EXPECT_LT(list.find(">my box <small>1</small>"), list.find("Other memories"));
  EXPECT_NE(list.find(">tiny <small>0</small>"), std::string::npos);
  EXPECT_EQ(Page("/models", eve_).find("Your hardware"), std::string::npos);
  std::string card = Page("/ada/m", ada_);
  EXPECT_NE(card.find("my box: fits"), std::string::npos);
  EXPECT_NE(card.find("tiny: too small"), std::string::npos);
  EXPECT_EQ(Page("/ada/m", "").find("On your hardware"), std::string::npos);
  EXPECT_NE(Page("/ada/m/inspect", ada_).find("On my box"), std::string::npos);
  std::string compare = Page("/compare?repos=models/ada/m", ada_);
  EXPECT_NE(compare.find("Your hardware"), std::string::npos);
  // An address to pass on says which devices it was judged by.
  EXPECT_NE(compare.find("device=my%20box"), std::string::npos);
}

}  // namespace
}  // namespace hearth::server
