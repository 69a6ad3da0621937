// Changing files in the browser: edit, make, delete, each as one commit on a branch.
//
// A form remembers the blob that it was opened with. When the file is still that blob, the commit
// goes on top of whatever else has happened on the branch; when it is not, somebody else has
// changed the same file, and the person sees both texts before anything is written.
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/markdown.h"
#include "codec/yaml.h"
#include "hub/licenses.h"
#include "hub/tasks.h"
#include "server/pages/form_page.h"
#include "server/pages/repo_frame.h"
#include "text/utf8.h"

namespace hearth::server {
namespace {

// A longer text is no pleasure in a text field, and nothing that a person writes by hand.
constexpr uint64_t kMaxEditBytes = 1 << 20;
// The text may take nine times its size in a form ("%0D%0A" for a line end).
constexpr uint64_t kMaxFormBytes = 12 << 20;
constexpr int kMaxTries = 5;

// The file as the branch has it now.
struct Now {
  std::string oid;  // "" = there is none
  std::string text;
  std::string fault;  // why it cannot be edited; "" = it can
};

Now ReadNow(const BranchView& view, std::string_view path) {
  Now now;
  if (path.empty()) return now;
  std::optional<storage::TreeEntry> entry = view.git.FindEntry(view.head, path);
  if (!entry) return now;
  now.oid = entry->oid.Hex();
  bool file =
      entry->kind == storage::EntryKind::kFile || entry->kind == storage::EntryKind::kExecutable;
  if (!file) {
    now.fault = "This is no file that could be edited.";
  } else if (entry->size_bytes > kMaxEditBytes) {
    now.fault = "This file is too large to be edited here: change a copy and upload that.";
  } else {
    now.text = view.git.ReadBlob(entry->oid, kMaxEditBytes);
    if (storage::ParseLfsPointer(now.text)) {
      now.fault = "This file lies in the large file storage: change a copy and upload that.";
    } else if (hub::LooksBinary(now.text.substr(0, hub::kSampleBytes)) || !IsValidUtf8(now.text)) {
      now.fault = "This file is not text: change a copy and upload that.";
    }
  }
  return now;
}

// Browsers send every line end as CR LF; the file keeps what it had.
std::string WithLineEndsOf(std::string_view original, std::string text) {
  bool crlf = original.find("\r\n") != std::string_view::npos;
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (text[i] == '\n' && crlf) out += '\r';
    out += text[i];
  }
  bool ended = original.empty() || original.back() == '\n';
  if (ended && !out.empty() && out.back() != '\n') out += crlf ? "\r\n" : "\n";
  return out;
}

std::string PreviewHtml(const Context& context, std::string_view branch, std::string_view path,
                        std::string_view text) {
  MarkdownOptions options;
  options.base_url = RepoPath(context.repo().record());
  options.revision = net::PercentEncode(branch);
  size_t slash = path.rfind('/');
  options.folder = slash == std::string_view::npos ? "" : std::string(path.substr(0, slash));
  return RenderMarkdown(SplitFrontMatter(text).body, options);
}

Json CardWords() {
  Json licenses = Json::Arr();
  for (std::string_view id : hub::KnownLicenses()) licenses.Push(id);
  Json tasks = Json::Arr();
  for (const hub::TaskEntry& task : hub::KnownTasks())
    tasks.Push(Json::Obj({{"id", task.id}, {"label", task.label}}));
  return Json::Obj({{"licenses", std::move(licenses)}, {"tasks", std::move(tasks)}});
}

// `path` is the file's; for a new one the folder that it was begun in.
Json EditorData(Context& context, const BranchView& view, std::string_view mode, Json values) {
  Json data = RepoFrame(context, "files", view.branch);
  std::string path = values.StringField("path").value_or("");
  data.Set("mode", mode);
  data.Set("file", view.path);
  data.Set("markdown", path.ends_with(".md"));
  data.Set("card", path == "README.md");
  if (path == "README.md" || mode == "new") data.Set("words", CardWords());
  data.Set("values", std::move(values));
  return data;
}

net::Response EditPage(Context& context) {
  BranchView view = OpenBranch(context, context.request.RawCapture("rev_path"));
  Now now = ReadNow(view, view.path);
  if (now.oid.empty()) {
    throw Error(Code::kNotFound, "There is no file " + view.path + " on " + view.branch)
        .WithWireCode("EntryNotFound");
  }
  Json data =
      EditorData(context, view, "edit",
                 Json::Obj({{"path", view.path}, {"content", now.text}, {"base", now.oid}}));
  if (!now.fault.empty()) data.Set("unfit", now.fault);
  return RenderPage(context, "repo_edit.html", std::move(data));
}

net::Response NewFilePage(Context& context) {
  BranchView view = OpenBranch(context, context.request.RawCapture("rev_path"));
  std::string path = view.path.empty() ? "" : view.path + "/";
  path += context.request.QueryParam("name").value_or("");
  Json values = Json::Obj({{"path", path}, {"content", ""}, {"base", ""}});
  return RenderPage(context, "repo_edit.html", EditorData(context, view, "new", std::move(values)));
}

net::Response DeleteFilePage(Context& context) {
  BranchView view = OpenBranch(context, context.request.RawCapture("rev_path"));
  std::optional<storage::TreeEntry> entry = view.git.FindEntry(view.head, view.path);
  if (!entry || view.path.empty()) {
    throw Error(Code::kNotFound, "There is no file " + view.path + " on " + view.branch)
        .WithWireCode("EntryNotFound");
  }
  Json data = RepoFrame(context, "files", view.branch);
  data.Set("file", view.path);
  data.Set("folder", entry->kind == storage::EntryKind::kFolder);
  data.Set("base", entry->oid.Hex());
  data.Set("values", Json::Obj());
  return RenderPage(context, "repo_delete_file.html", std::move(data));
}

[[noreturn]] void ChangedMeanwhile(const std::string& path) {
  throw Error(
      Code::kPreconditionFailed,
      path + " was changed on this branch while you were at it. Nothing has been saved yet.");
}

// Runs `make` on the newest state of the branch until the commit went through.
GitOid CommitOnTop(
    Context& context, std::string_view raw, const Form& form, const std::string& default_summary,
    const std::function<std::vector<hub::CommitOperation>(const BranchView&)>& make) {
  for (int attempt = 1;; ++attempt) {
    BranchView view = OpenBranch(context, raw);
    hub::CommitRequest request;
    request.revision = view.branch;
    request.summary = form.Text("summary");
    if (request.summary.empty()) request.summary = default_summary;
    request.description = form.Text("description");
    request.parent_commit = view.head.Hex();
    request.operations = make(view);
    try {
      return context.hub.commits().Apply(context.actor, context.repo(), request).oid;
    } catch (const Error& fault) {
      if (fault.code() != Code::kPreconditionFailed || attempt == kMaxTries) throw;
    }
  }
}

std::string BlobPath(const Context& context, const std::string& branch, const std::string& path) {
  return RepoLocation(context.repo().record()) + "/blob/" + net::PercentEncode(branch) + "/" +
         net::PercentEncode(path, "/");
}

std::vector<hub::CommitOperation> EditOperations(const BranchView& view, const Form& form) {
  std::string path = form.Require("path", "File name");
  std::string base = form.Text("base");
  std::string old_path = base.empty() ? "" : view.path;
  Now now = ReadNow(view, old_path.empty() ? path : old_path);
  if (old_path.empty() && !now.oid.empty()) {
    throw Error(Code::kConflict, "There is a file of this name already: " + path);
  }
  if (now.oid != base) ChangedMeanwhile(old_path);
  if (!now.fault.empty()) throw Error(Code::kConflict, now.fault);
  std::vector<hub::CommitOperation> operations;
  if (!old_path.empty() && path != old_path) {
    if (view.git.FindEntry(view.head, path))
      throw Error(Code::kConflict, "There is a file of this name already: " + path);
    operations.push_back(hub::CommitDelete{old_path, hub::CommitDelete::Kind::kFile});
  }
  hub::CommitFile file;
  file.path = path;
  file.content = WithLineEndsOf(now.text, form.Raw("content").value_or(""));
  file.size_bytes = file.content.size();
  file.sample = file.content.substr(0, storage::kMaxPointerBytes);
  if (file.content.size() > kMaxEditBytes) {
    throw Error(Code::kTooLarge, "The text is longer than 1 MiB: upload it as a file");
  }
  operations.push_back(std::move(file));
  return operations;
}

// The page again after a fault, with the text of the other one when both changed the file.
Json AgainData(Context& context, std::string_view mode, const Form& form, const Error* fault) {
  BranchView view = OpenBranch(context, context.request.RawCapture("rev_path"));
  Json values = form.Values();
  Json theirs;
  if (fault != nullptr && fault->code() == Code::kPreconditionFailed && mode == "edit") {
    Now now = ReadNow(view, view.path);
    values.Set("base", now.oid);
    theirs = Json::Obj({{"gone", now.oid.empty()}, {"text", now.text}});
  }
  Json data = EditorData(context, view, mode, std::move(values));
  data.Set("theirs", std::move(theirs));
  return data;
}

net::Response Save(Context& context, std::string_view mode) {
  Form form(context.request);
  std::string_view raw = context.request.RawCapture("rev_path");
  if (form.Text("action") == "preview") {
    Json data = AgainData(context, mode, form, nullptr);
    data.Set("preview", PreviewHtml(context, data.StringField("revision").value_or("main"),
                                    form.Text("path"), form.Raw("content").value_or("")));
    return RenderPage(context, "repo_edit.html", std::move(data));
  }
  return OrAgain(
      [&] {
        std::string path = form.Require("path", "File name");
        if (!form.Has("content")) throw Error(Code::kInvalidArgument, "The form has no text");
        std::string verb = form.Text("base").empty() ? "Create " : "Update ";
        CommitOnTop(context, raw, form, verb + path,
                    [&](const BranchView& view) { return EditOperations(view, form); });
        return GoTo(BlobPath(context, OpenBranch(context, raw).branch, path));
      },
      [&](const Error& fault) { return AgainData(context, mode, form, &fault); }, context,
      "repo_edit.html");
}

net::Response DeleteFile(Context& context) {
  Form form(context.request);
  std::string_view raw = context.request.RawCapture("rev_path");
  std::string base = form.Require("base", "What to delete");
  BranchView first = OpenBranch(context, raw);
  auto operations = [&](const BranchView& view) -> std::vector<hub::CommitOperation> {
    std::optional<storage::TreeEntry> entry = view.git.FindEntry(view.head, view.path);
    if (!entry || entry->oid.Hex() != base) ChangedMeanwhile(view.path);
    bool folder = entry->kind == storage::EntryKind::kFolder;
    return {hub::CommitDelete{
        view.path, folder ? hub::CommitDelete::Kind::kFolder : hub::CommitDelete::Kind::kFile}};
  };
  CommitOnTop(context, raw, form, "Delete " + first.path, operations);
  // To the root: a folder goes when its last file does.
  return GoTo(RepoLocation(context.repo().record()) + "/tree/" + net::PercentEncode(first.branch));
}

// For the editor's preview beside the text.
net::Response Preview(Context& context) {
  Json body = context.JsonBody();
  return JsonResponse(Json::Obj(
      {{"html", PreviewHtml(context, body.StringField("revision").value_or("main"),
                            body.StringField("path").value_or(""), body.RequireString("text"))}}));
}

}  // namespace

void RegisterEditPages(RouteTable& table) {
  auto page = [&](const char* methods, const char* pattern, Handler handle, const char* summary) {
    table.Add({.methods = methods,
               .pattern = std::string("/{P}{ns}/{name}/") + pattern + "/{rev_path...}",
               .access = Access::kRepoWrite,
               .handle = std::move(handle),
               .surface = Surface::kPage,
               .body = {.max_bytes = kMaxFormBytes},
               .summary = summary});
  };
  page("GET,HEAD", "edit", EditPage, "The editor of a file.");
  page(
      "POST", "edit", [](Context& context) { return Save(context, "edit"); },
      "Commits the edited file.");
  page("GET,HEAD", "new", NewFilePage, "The editor of a new file.");
  page(
      "POST", "new", [](Context& context) { return Save(context, "new"); },
      "Commits the new file.");
  page("GET,HEAD", "delete", DeleteFilePage, "Asks whether to delete a file or a folder.");
  page("POST", "delete", DeleteFile, "Deletes it.");
  table.Add({.methods = "POST",
             .pattern = "/api/hearth/{T}/{ns}/{name}/preview",
             .access = Access::kRepoWrite,
             .handle = Preview,
             .body = {.max_bytes = 2 << 20},
             .summary = "Markdown as the site would show it in this repository."});
}

}  // namespace hearth::server
