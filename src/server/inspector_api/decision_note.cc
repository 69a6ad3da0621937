// /api/hearth/decision-note: what was decided, on what grounds, as a file or as a commit.
#include "server/inspector_api/decision_note.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "codec/base64.h"
#include "hub/checklists.h"
#include "hub/decisions.h"
#include "server/inspector_api/portraits.h"
#include "server/resolve/content_type.h"

namespace hearth::server {
namespace {

constexpr uint64_t kMaxBody = 256 << 10;

std::optional<size_t> ChosenOf(const std::string& chosen,
                               const std::vector<inspector::RepoSpec>& specs) {
  if (chosen.empty()) return std::nullopt;
  if (std::optional<uint64_t> number = ParseUint(chosen)) return *number;
  inspector::RepoSpec wanted = inspector::ParseRepoSpec(chosen);
  std::optional<size_t> by_name;
  for (size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].type != wanted.type || !AsciiEqualsIgnoreCase(specs[i].id, wanted.id)) continue;
    if (specs[i].revision == wanted.revision) return i;
    if (!by_name) by_name = i;
  }
  if (!by_name)
    throw Error(Code::kInvalidArgument, "what was chosen must be one of the repositories");
  return by_name;
}

std::string NameOf(const Json& note) {
  const Json::Array& repos = note.RequireArray("repositories");
  size_t chosen = static_cast<size_t>(note.IntField("chosen").value_or(0));
  return hub::DecisionName(note.RequireString("date"),
                           repos.at(chosen < repos.size() ? chosen : 0).RequireString("id"));
}

std::vector<std::string> Texts(const Json& body, std::string_view key) {
  std::vector<std::string> texts;
  for (const Json& item : body.RequireArray(key)) {
    if (item.AsString() == nullptr)
      throw Error(Code::kInvalidArgument, std::string(key) + " must be names");
    texts.push_back(*item.AsString());
  }
  return texts;
}

NoteRequest RequestOf(const Context& context, const Json& body) {
  NoteRequest request;
  request.repos = Texts(body, "repos");
  request.devices = body.Find("devices") != nullptr ? Texts(body, "devices")
                                                    : context.request.QueryParams("device");
  const Json* chosen = body.Find("chosen");
  if (chosen != nullptr && chosen->AsUint()) {
    request.chosen = std::to_string(*chosen->AsUint());
  } else {
    request.chosen = body.StringField("chosen").value_or("");
  }
  request.texts.title = body.StringField("title").value_or("");
  request.texts.decision = body.StringField("decision").value_or("");
  request.texts.why = body.StringField("why").value_or("");
  request.texts.alternatives = body.StringField("alternatives").value_or("");
  return request;
}

net::Response Draft(Context& context) {
  NoteRequest request;
  request.repos = context.request.QueryParams("repos");
  request.devices = context.request.QueryParams("device");
  request.chosen = context.request.QueryParam("chosen").value_or("");
  request.draft_why = true;
  return NoteFile(MakeNoteFor(context, std::move(request)),
                  context.request.QueryParam("format").value_or("json"));
}

net::Response Write(Context& context) {
  Json body = context.JsonBody();
  return NoteFile(MakeNoteFor(context, RequestOf(context, body)),
                  body.StringField("format").value_or("json"));
}

net::Response Save(Context& context) {
  Json body = context.JsonBody();
  Json note = MakeNoteFor(context, RequestOf(context, body));
  return JsonResponse(SaveNoteFor(context, note, body.StringField("into").value_or("")));
}

}  // namespace

Json MakeNoteFor(const Context& context, NoteRequest request) {
  std::vector<inspector::RepoSpec> specs = ParseSpecs(request.repos);
  inspector::NoteInput input;
  input.texts = std::move(request.texts);
  input.texts.chosen = ChosenOf(request.chosen, specs);
  input.author = context.actor.user_name;
  input.date = FormatIso8601(context.hub.clock().Now()).substr(0, 10);
  input.hub = context.base_url;
  std::vector<AskedRepo> asked;
  for (const inspector::RepoSpec& spec : specs) asked.push_back(OpenAsked(context, spec));
  std::vector<inspector::Device> devices = DevicesNamed(context, request.devices);
  std::vector<inspector::Portrait> portraits;
  for (const AskedRepo& repo : asked) {
    inspector::NoteSubject subject;
    subject.portrait = PortraitOf(context, repo, devices);
    if (context.actor.signed_in()) {
      auto saved = hub::FindChecklist(context.hub.db(),
                                      {context.actor.user_id, repo.repo.record().id, repo.commit});
      if (saved) subject.answers = std::move(saved->answers);
    }
    portraits.push_back(subject.portrait);
    input.subjects.push_back(std::move(subject));
  }
  if (request.draft_why && input.texts.why.empty())
    input.texts.why = inspector::DraftWhy(portraits, input.texts.chosen);
  return inspector::MakeNote(input);
}

net::Response NoteFile(const Json& note, std::string_view format) {
  std::string name = NameOf(note);
  net::Response response;
  if (format == "json") {
    response = net::Response::Bytes(200, "application/json", note.Dump(2) + "\n");
    name += ".json";
  } else if (format == "markdown") {
    response =
        net::Response::Bytes(200, "text/markdown; charset=utf-8", inspector::NoteMarkdown(note));
    name += ".md";
  } else if (format == "html") {
    response = net::Response::Bytes(200, "text/html; charset=utf-8", inspector::NoteHtml(note));
    name += ".html";
    // It has one style sheet and nothing else; were a text ever more than text, it could do
    // nothing.
    std::string hash = Base64Encode(Sha256Of(inspector::NoteStyle()).raw());
    response.headers.Set("Content-Security-Policy",
                         "default-src 'none'; style-src 'sha256-" + hash +
                             "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
                             "sandbox allow-modals allow-popups");
  } else {
    throw Error(Code::kInvalidArgument, "format must be json, markdown or html");
  }
  response.headers.Set("Content-Disposition",
                       ContentDisposition(format == "html" ? "inline" : "attachment", name));
  response.headers.Set("X-Content-Type-Options", "nosniff");
  response.headers.Set("Cache-Control", "private, no-store");
  return response;
}

Json SaveNoteFor(const Context& context, const Json& note, const std::string& into) {
  hub::DecisionFiles files;
  files.name = NameOf(note);
  files.title = note.RequireString("title");
  files.markdown = inspector::NoteMarkdown(note);
  files.json = note.Dump(2) + "\n";
  hub::SavedDecision saved =
      hub::SaveDecision(context.hub.repos(), context.hub.commits(), context.actor, files, into);
  return Json::Obj({{"repo", saved.repo->FullName()},
                    {"commit", saved.commit.Hex()},
                    {"path", saved.path},
                    {"url", RepoUrl(context, *saved.repo) + "/blob/main/" + saved.path}});
}

void RegisterDecisionNote(RouteTable& table) {
  auto add = [&table](const char* methods, const char* pattern, Access access, Handler handle,
                      const char* summary) {
    table.Add({.methods = methods,
               .pattern = pattern,
               .access = access,
               .handle = std::move(handle),
               .body = {.max_bytes = kMaxBody, .memory_bytes = kMaxBody},
               .summary = summary});
  };
  add("GET,HEAD", "/api/hearth/decision-note", Access::kPublic, Draft,
      "A decision note on repositories, drafted from what was found; ?format=markdown, html.");
  add("POST", "/api/hearth/decision-note", Access::kPublic, Write,
      "A decision note with the given texts, as JSON, Markdown or HTML; keeps nothing.");
  add("POST", "/api/hearth/decision-note/save", Access::kUserWrite, Save,
      "Commits a decision note to a private data set of the caller.");
}

}  // namespace hearth::server
