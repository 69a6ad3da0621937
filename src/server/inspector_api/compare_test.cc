// Comparison, checklist and decision note over HTTP: who sees what, and what is kept.
#include <gmock/gmock.h>

#include "server/app_fixture.h"

namespace hearth::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kConfig =
    R"({"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4,
        "max_position_embeddings": 256})";

class CompareApiTest : public AppFixture {
 protected:
  CompareApiTest() {
    ada_ = MakeUser("ada", "correct horse");
    token_ = MakeToken(ada_);
    eve_token_ = MakeToken(MakeUser("eve"));
    read_token_ = MakeToken(ada_, hub::TokenRole::kRead);
    open_ = Fill(MakeRepo(hub::RepoType::kModel, "ada", "open"), "mit");
    other_ = Fill(MakeRepo(hub::RepoType::kModel, "ada", "other"), "apache-2.0");
    hidden_ = Fill(MakeRepo(hub::RepoType::kModel, "ada", "hidden", true), "gpl-3.0");
  }

  hub::RepoPtr Fill(const hub::RepoPtr& repo, const std::string& licence) {
    Commit(repo, {{"README.md", "---\nlicense: " + licence + "\n---\n# m\n\nIt is a test.\n"},
                  {"config.json", kConfig}});
    return hub_->repos().FindById(repo->id);
  }
  static const Json* Row(const Json& comparison, std::string_view name) {
    for (const Json& group : comparison.RequireArray("groups"))
      for (const Json& row : group.RequireArray("rows"))
        if (TextAt(row, "row") == name) return &row;
    return nullptr;
  }
  static const Json* Field(const Json& checklist, std::string_view name) {
    for (const Json& field : checklist.RequireArray("fields"))
      if (TextAt(field, "field") == name) return &field;
    return nullptr;
  }
  Json Note(const std::string& format = "json") {
    return Json::Obj({{"repos", Json::Arr({"models/ada/open", "models/ada/other"})},
                      {"chosen", "models/ada/open"},
                      {"decision", "Take it."},
                      {"why", "<script>hit()</script>"},
                      {"format", format}});
  }
  std::vector<std::string> NotesOf(const std::string& owner) {
    hub::RepoPtr repo = hub_->repos().Find(hub::RepoType::kDataset, owner, "decisions");
    std::vector<std::string> names;
    if (repo == nullptr) return names;
    hub::FactsPtr facts = hub_->catalog().FactsOf(hub_->repos().OpenAsSystem(repo), *repo->head);
    for (const hub::Sibling& file : facts->siblings) names.push_back(file.path);
    return names;
  }

  int64_t ada_ = 0;
  std::string token_, eve_token_, read_token_;
  hub::RepoPtr open_, other_, hidden_;
};

TEST_F(CompareApiTest, RowsStandSideBySideAtPinnedCommits) {
  Json json = BodyJson(Get("/api/hearth/compare?repos=models/ada/open,models/ada/other"));
  EXPECT_EQ(json.RequireArray("repositories").size(), 2u);
  EXPECT_EQ(TextAt(json.RequireArray("repositories")[0], "commit"), open_->head->Hex());
  const Json* licence = Row(json, "licence");
  EXPECT_EQ(licence->BoolField("differs"), true);
  const Json& cell = licence->RequireArray("cells")[1];
  EXPECT_EQ(TextAt(cell, "value"), "apache-2.0");
  EXPECT_EQ(TextAt(cell, "level"), "declared");
  EXPECT_EQ(Row(json, "layers")->BoolField("differs"), false);
  EXPECT_EQ(TextAt(Row(json, "tokenizer")->RequireArray("cells")[0], "level"), "missing");
  EXPECT_THAT(BodyText(Get("/api/hearth/compare?repos=models/ada/open,models/ada/other")),
              Not(HasSubstr("downloads")));
}

TEST_F(CompareApiTest, ARevisionAndRepeatedParametersAreUnderstood) {
  GitOid old = *open_->head;
  Commit(open_, {{"README.md", "---\nlicense: bsd-3-clause\n---\n"}});
  Json json =
      BodyJson(Get("/api/hearth/compare?repos=models/ada/open%40" + old.Hex() + "&repos=ada/open"));
  const Json::Array& cells = Row(json, "licence")->RequireArray("cells");
  EXPECT_EQ(TextAt(cells[0], "value"), "mit");
  EXPECT_EQ(TextAt(cells[1], "value"), "bsd-3-clause");
}

TEST_F(CompareApiTest, OneThatTheCallerMayNotReadIsLikeOneThatIsNotThere) {
  auto answer = [this](const std::string& name, const std::string& token) {
    net::Response response =
        Get("/api/hearth/compare?repos=models/ada/open,models/ada/" + name, token);
    std::string text = BodyText(response);
    while (text.find(name) != std::string::npos) text.replace(text.find(name), name.size(), "NAME");
    return std::to_string(response.status) + text + response.headers.Get("X-Error-Code");
  };
  for (const std::string& token : {std::string(), eve_token_}) {
    EXPECT_EQ(answer("hidden", token), answer("absent", token));
    EXPECT_THAT(answer("hidden", token), HasSubstr("404"));
  }
  EXPECT_THAT(answer("hidden", token_), HasSubstr("200"));
}

TEST_F(CompareApiTest, GatedContentIsForThoseWhoWereLetIn) {
  hub_->repos().UpdateSettings(hub_->repos().OpenAsSystem(open_), {.gated = hub::Gated::kManual});
  EXPECT_EQ(Get("/api/hearth/compare?repos=ada/open,ada/other", eve_token_).status, 404);
  EXPECT_EQ(Get("/api/hearth/compare?repos=ada/open,ada/other", token_).status, 200);
}

TEST_F(CompareApiTest, CountsAndNamesHaveLimits) {
  EXPECT_EQ(Get("/api/hearth/compare").status, 400);
  EXPECT_EQ(Get("/api/hearth/compare?repos=ada/open").status, 400);
  EXPECT_EQ(Get("/api/hearth/compare?repos=ada/open,..%2F..").status, 400);
  EXPECT_EQ(Get("/api/hearth/compare?repos=ada/open,ada/other@nowhere").status, 404);
  std::string many;
  for (int i = 0; i < 9; ++i) many += "models/ada/m" + std::to_string(i) + ",";
  EXPECT_EQ(Get("/api/hearth/compare?repos=" + many).status, 400);
  EXPECT_EQ(Get("/api/hearth/compare?repos=ada/open,ada/other&device=x").status, 400);
}

TEST_F(CompareApiTest, TheChecklistHoldsFindingsAndTheCallersOwnAnswers) {
  const std::string target = "/api/hearth/models/ada/open/checklist";
  Json before = BodyJson(Get(target, eve_token_));
  EXPECT_EQ(before.RequireArray("fields").size(), 14u);
  EXPECT_THAT(TextAt(*Field(before, "licence")->Find("found"), "text"), HasSubstr("mit"));
  Json answers = Json::Obj({{"success_criteria", Json::Obj({{"text", "<b>90 %</b>"}})},
                            {"licence", Json::Obj({{"checked", true}})}});
  net::Response saved =
      SendJson("PUT", target, Json::Obj({{"answers", answers}, {"version", 0}}), eve_token_);
  ASSERT_EQ(saved.status, 200) << BodyText(saved);
  Json after = BodyJson(Get(target, eve_token_));
  EXPECT_EQ(TextAt(*Field(after, "success_criteria")->Find("answer"), "text"), "<b>90 %</b>");
  EXPECT_EQ(after.Find("progress")->IntField("checked"), 2);
  EXPECT_EQ(after.Find("progress")->IntField("filled"),
            *before.Find("progress")->IntField("filled") + 1);
  // Not even the owner of the repository is shown them.
  EXPECT_TRUE(Field(BodyJson(Get(target, token_)), "success_criteria")->Find("answer")->is_null());
  EXPECT_EQ(
      SendJson("PUT", target, Json::Obj({{"answers", answers}, {"version", 0}}), eve_token_).status,
      412);
  // They belong to the commit; the next one says that they are there.
  Commit(open_, {{"README.md", "# new\n"}});
  Json next = BodyJson(Get(target, eve_token_));
  EXPECT_TRUE(Field(next, "success_criteria")->Find("answer")->is_null());
  EXPECT_EQ(TextAt(*next.Find("earlier"), "commit"), open_->head->Hex());
  Json old = BodyJson(Get(target + "?revision=" + open_->head->Hex(), eve_token_));
  EXPECT_FALSE(Field(old, "success_criteria")->Find("answer")->is_null());
}

TEST_F(CompareApiTest, OnlyWritersOfTheirOwnKeepAnswers) {
  const std::string target = "/api/hearth/models/ada/open/checklist";
  Json body = Json::Obj({{"answers", Json::Obj({{"task", Json::Obj({{"text", "x"}})}})}});
  EXPECT_EQ(SendJson("PUT", target, body).status, 401);
  EXPECT_EQ(SendJson("PUT", target, body, read_token_).status, 403);
  EXPECT_EQ(SendJson("PUT", "/api/hearth/models/ada/hidden/checklist", body, eve_token_).status,
            404);
  EXPECT_EQ(SendJson("PUT", target, Json::Obj(), token_).status, 400);
  EXPECT_EQ(
      SendJson("PUT", target, Json::Obj({{"answers", Json::Obj({{"no", 1}})}}), token_).status,
      400);
  EXPECT_EQ(SendJson("PUT", target, body, token_).status, 200);
  EXPECT_EQ(SendJson("DELETE", target, Json::Obj(), token_).status, 200);
  EXPECT_TRUE(Field(BodyJson(Get(target, token_)), "task")->Find("answer")->is_null());
}

TEST_F(CompareApiTest, ANoteIsGivenInThreeForms) {
  Json note = BodyJson(SendJson("POST", "/api/hearth/decision-note", Note(), token_));
  EXPECT_EQ(TextAt(note, "schema"), "hearth.decision-note/1");
  EXPECT_EQ(TextAt(note, "author"), "ada");
  EXPECT_EQ(note.IntField("chosen"), 0);
  net::Response markdown = SendJson("POST", "/api/hearth/decision-note", Note("markdown"));
  EXPECT_THAT(BodyText(markdown), Not(HasSubstr("<script")));
  EXPECT_THAT(markdown.headers.Get("Content-Disposition"), HasSubstr("ada-open.md"));
  net::Response html = SendJson("POST", "/api/hearth/decision-note", Note("html"));
  EXPECT_THAT(BodyText(html), Not(HasSubstr("<script")));
  EXPECT_THAT(BodyText(html), HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(html.headers.Get("Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(html.headers.Get("Content-Security-Policy"), HasSubstr("sandbox"));
  EXPECT_EQ(SendJson("POST", "/api/hearth/decision-note", Note("pdf")).status, 400);
  Json draft = BodyJson(Get("/api/hearth/decision-note?repos=ada/open,ada/other&chosen=0"));
  EXPECT_THAT(TextAt(draft, "why"), HasSubstr("Risk of ada/other"));
}

TEST_F(CompareApiTest, ANoteIsCommittedToAPrivateDataSetOfItsAuthor) {
  net::Response saved = SendJson("POST", "/api/hearth/decision-note/save", Note(), token_);
  ASSERT_EQ(saved.status, 200) << BodyText(saved);
  Json json = BodyJson(saved);
  EXPECT_EQ(TextAt(json, "repo"), "ada/decisions");
  EXPECT_THAT(TextAt(json, "path"), HasSubstr("notes/2027-01-15-ada-open.md"));
  EXPECT_THAT(NotesOf("ada"),
              ::testing::IsSupersetOf({std::string("notes/2027-01-15-ada-open.md"),
                                       std::string("notes/2027-01-15-ada-open.json")}));
  EXPECT_EQ(Get("/api/datasets/ada/decisions", eve_token_).status, 404);
  EXPECT_EQ(Get("/api/datasets/ada/decisions").status, 401);
  EXPECT_EQ(SendJson("POST", "/api/hearth/decision-note/save", Note()).status, 401);
  EXPECT_EQ(SendJson("POST", "/api/hearth/decision-note/save", Note(), read_token_).status, 403);
  // Somebody else's data set.
  Json into = Note();
  into.Set("into", "ada/decisions");
  EXPECT_EQ(SendJson("POST", "/api/hearth/decision-note/save", into, eve_token_).status, 404);
}

TEST_F(CompareApiTest, ANoteDoesNotTellOfWhatItsAuthorMayNotRead) {
  Json body = Note();
  body.Set("repos", Json::Arr({"models/ada/open", "models/ada/hidden"}));
  EXPECT_EQ(SendJson("POST", "/api/hearth/decision-note", body, eve_token_).status, 404);
  EXPECT_EQ(SendJson("POST", "/api/hearth/decision-note/save", body, eve_token_).status, 404);
  EXPECT_THAT(NotesOf("eve"), ::testing::IsEmpty());
  hub_->repos().UpdateSettings(
      hub_->repos().OpenAsSystem(MakeRepo(hub::RepoType::kDataset, "ada", "decisions")), {});
  EXPECT_EQ(SendJson("POST", "/api/hearth/decision-note/save", body, token_).status, 409);
}

TEST_F(CompareApiTest, PagesShowTheTableTheFormAndTheNote) {
  std::string page = BodyText(Get("/compare?repos=models/ada/open,models/ada/other"));
  EXPECT_THAT(page, HasSubstr("apache-2.0"));
  EXPECT_THAT(page, HasSubstr("Remove ada/open"));
  EXPECT_THAT(BodyText(Get("/compare")), HasSubstr("Add two or more"));
  net::Response absent = Get("/compare?repos=models/ada/open,models/ada/hidden");
  EXPECT_EQ(absent.status, 404);
  EXPECT_THAT(BodyText(absent), HasSubstr("is not here, or not for you"));
  EXPECT_THAT(BodyText(absent), Not(HasSubstr("gpl")));
  EXPECT_EQ(Get("/compare?repos=%00").status, 400);
  EXPECT_THAT(BodyText(Get("/ada/open/checklist")), HasSubstr("First-model checklist"));
  EXPECT_THAT(BodyText(Get("/compare/note?repos=models/ada/open")), HasSubstr("Decision note"));
  EXPECT_EQ(Get("/compare/note?repos=models/ada/hidden").status, 404);
}

TEST_F(CompareApiTest, TheFormOfTheChecklistNeedsItsToken) {
  std::string cookie = hub_->accounts().Login("ada", "correct horse", "::1", "test");
  HeaderList headers = {{"Cookie", "hearth_session=" + cookie},
                        {"Content-Type", "application/x-www-form-urlencoded"}};
  Call call{"POST", "/ada/open/checklist", headers, "text-task=mine&checked-licence=on"};
  EXPECT_EQ(Send(call).status, 403);
  std::string csrf = hub_->accounts().AuthenticateSession(cookie)->csrf_token;
  call.body = "csrf_token=" + csrf + "&version=0&" + call.body;
  net::Response saved = Send(call);
  EXPECT_EQ(saved.status, 303) << BodyText(saved);
  Json json = BodyJson(Get("/api/hearth/models/ada/open/checklist", token_));
  EXPECT_EQ(TextAt(*Field(json, "task")->Find("answer"), "text"), "mine");
  EXPECT_EQ(Field(json, "licence")->Find("answer")->BoolField("checked"), true);
  // An old window: the texts are shown again, and nothing is lost.
  net::Response stale = Send(call);
  EXPECT_EQ(stale.status, 412);
  EXPECT_THAT(BodyText(stale), HasSubstr("mine"));
}

}  // namespace
}  // namespace hearth::server
