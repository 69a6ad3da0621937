// Writing a decision down: the form, its exports, and the commit that keeps it.
#include "base/error.h"
#include "hub/decisions.h"
#include "server/inspector_api/decision_note.h"
#include "server/inspector_api/portraits.h"
#include "server/pages/form_page.h"
#include "server/pages/site.h"

namespace hearth::server {
namespace {

// Three texts of inspector::kMaxNoteTextBytes, escaped as forms escape.
constexpr uint64_t kMaxBody = 256 << 10;

// What the note is about: `repos` and `devices` of the address or the form.
struct About {
  std::vector<std::string> repos, devices;
};

Json PageData(const Context& context, const About& about, Json values) {
  NoteRequest request;
  request.repos = about.repos;
  request.devices = about.devices;
  request.chosen = values.StringField("chosen").value_or("");
  request.draft_why = true;
  Json note = MakeNoteFor(context, std::move(request));
  if (values.Find("why") == nullptr) values.Set("why", *note.Find("why"));
  std::string compare;
  Json rows = Json::Arr();
  for (const Json& repo : note.RequireArray("repositories")) {
    std::string spec = repo.RequireString("spec");
    compare += (compare.empty() ? "" : ",") + net::PercentEncode(spec, "/@");
    std::string type = repo.RequireString("type");
    std::string path = (type == "model" ? "/" : "/" + type + "s/") + repo.RequireString("id");
    rows.Push(Json::Obj({{"spec", spec},
                         {"type", type},
                         {"id", repo.RequireString("id")},
                         {"path", path},
                         {"commit", repo.RequireString("commit")},
                         {"progress", *repo.Find("progress")}}));
  }
  for (const std::string& device : about.devices)
    compare += "&device=" + net::PercentEncode(device);
  return Json::Obj({{"repos", std::move(rows)},
                    {"devices", Json(about.devices)},
                    {"values", std::move(values)},
                    {"compare", "/compare?repos=" + compare},
                    {"title", note.RequireString("title")},
                    {"success", *note.Find("success_criteria")}});
}

net::Response NotePage(Context& context) {
  About about{context.request.QueryParams("repos"), context.request.QueryParams("device")};
  std::string chosen = context.request.QueryParam("chosen").value_or("");
  if (ParseSpecs(about.repos).empty()) return GoTo("/compare");
  Json values = Json::Obj();
  if (!chosen.empty()) values.Set("chosen", chosen);
  return RenderPage(context, "decision_note.html", PageData(context, about, std::move(values)));
}

NoteRequest RequestOf(const Form& form) {
  NoteRequest request;
  request.repos = form.All("repos");
  request.devices = form.All("device");
  request.chosen = form.Text("chosen");
  request.texts.title = form.Text("title");
  request.texts.decision = form.Text("decision");
  request.texts.why = form.Text("why");
  request.texts.alternatives = form.Text("alternatives");
  return request;
}

net::Response WriteNote(Context& context) {
  Form form(context.request);
  return OrAgain(
      [&] {
        std::string what = form.Text("what");
        Json note = MakeNoteFor(context, RequestOf(form));
        if (what != "save") return NoteFile(note, what);
        Json saved = SaveNoteFor(context, note, form.Text("into"));
        return GoTo(net::PercentEncode("/datasets/" + saved.RequireString("repo") + "/blob/main/" +
                                           saved.RequireString("path"),
                                       "/"));
      },
      [&](const Error&) {
        return PageData(context, {form.All("repos"), form.All("device")}, form.Values());
      },
      context, "decision_note.html");
}

}  // namespace

void RegisterDecisionPage(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/compare/note",
             .access = Access::kPublic,
             .handle = NotePage,
             .surface = Surface::kPage,
             .summary = "The form of a decision note."});
  table.Add({.methods = "POST",
             .pattern = "/compare/note",
             .access = Access::kPublic,
             .handle = WriteNote,
             .surface = Surface::kPage,
             .body = {.max_bytes = kMaxBody},
             .summary = "Gives a decision note as a file, or commits it."});
}

}  // namespace hearth::server
