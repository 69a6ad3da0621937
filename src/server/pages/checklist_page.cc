// The first-model checklist of a repository: read by anybody who may read it, answered by who is
// signed in.
#include "base/bytes.h"
#include "base/error.h"
#include "server/inspector_api/checklist.h"
#include "server/inspector_api/inspected.h"
#include "server/pages/compare_places.h"
#include "server/pages/form_page.h"
#include "server/pages/repo_frame.h"

namespace hearth::server {
namespace {

// Fourteen answers, escaped as forms escape.
constexpr uint64_t kMaxBody = 256 << 10;

std::string Revision(const Context& context) {
  std::string revision = context.request.QueryParam("revision").value_or("");
  return revision.empty() ? "main" : revision;
}

std::string Location(const Context& context) {
  std::string path = RepoLocation(context.repo().record()) + "/checklist";
  std::string revision = Revision(context);
  return revision == "main" ? path : path + "?revision=" + net::PercentEncode(revision, "/");
}

// What a field shows in the form: as it was sent, or as it is kept, or as it was at the earlier
// commit when that was asked for.
void SetShown(const Form* form, const Json* earlier, Json* field) {
  std::string name = field->RequireString("field");
  std::string text;
  bool checked = false;
  auto take = [&](const Json& answer) {
    if (!answer.is_object()) return;
    text = answer.StringField("text").value_or("");
    checked = answer.BoolField("checked").value_or(false);
  };
  if (form != nullptr) {
    text = form->Raw("text-" + name).value_or("");
    checked = form->Has("checked-" + name);
  } else {
    take(*field->Find("answer"));
    const Json* old = earlier == nullptr ? nullptr : earlier->Find(name);
    if (old != nullptr) take(*old);
  }
  field->Set("text", text);
  field->Set("checked", checked);
}

Json PageData(Context& context, const Form* form) {
  Json checklist = ChecklistJson(context);
  const Json* before = checklist.Find("earlier");
  bool take = context.request.QueryFlag("take", false) && before->is_object();
  const Json* earlier = take ? before->Find("answers") : nullptr;
  std::string commit = checklist.RequireString("commit");
  for (Json& field : *checklist.Find("fields")->AsArray()) {
    SetShown(form, earlier, &field);
    AddPlaceLinks(context.repo().record(), commit, field.Find("found"));
  }
  Json data = RepoFrame(context, "checklist", Revision(context));
  data.Set("note",
           "/compare/note?repos=" + net::PercentEncode(checklist.RequireString("spec"), "/@"));
  data.Set("here", Location(context));
  data.Set("taken", take);
  data.Set("checklist", std::move(checklist));
  return data;
}

net::Response ChecklistPage(Context& context) {
  return RenderPage(context, "repo_checklist.html", PageData(context, nullptr));
}

// The fields of the form as the API takes them.
Json Given(const Form& form) {
  Json given = Json::Obj(), values = form.Values();
  for (const auto& [key, value] : *values.AsObject()) {
    for (std::string_view prefix : {"text-", "checked-"}) {
      if (!key.starts_with(prefix)) continue;
      std::string field = key.substr(prefix.size());
      given.Set(field, Json::Obj({{"text", form.Raw("text-" + field).value_or("")},
                                  {"checked", form.Has("checked-" + field)}}));
    }
  }
  return given;
}

net::Response SaveChecklistPage(Context& context) {
  Form form(context.request);
  return OrAgain(
      [&] {
        inspector::Answers answers = inspector::ParseAnswers(Given(form));
        std::optional<int64_t> version;
        if (form.Has("version")) version = ParseInt(form.Text("version"));
        SaveAnswers(context, answers, version);
        std::string location = Location(context);
        location += location.find('?') == std::string::npos ? "?said=saved" : "&said=saved";
        return GoTo(location);
      },
      [&](const Error&) { return PageData(context, &form); }, context, "repo_checklist.html");
}

}  // namespace

void RegisterChecklistPage(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{P}{ns}/{name}/checklist",
             .access = Access::kRepoContent,
             .handle = ChecklistPage,
             .surface = Surface::kPage,
             .summary = "Fourteen questions to ask before a repository is used."});
  table.Add({.methods = "POST",
             .pattern = "/{P}{ns}/{name}/checklist",
             .access = Access::kRepoContent,
             .handle = SaveChecklistPage,
             .surface = Surface::kPage,
             .body = {.max_bytes = kMaxBody},
             .summary = "Keeps the answers of who is signed in."});
}

}  // namespace hearth::server
