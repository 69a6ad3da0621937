// Uploading files in the browser. The page's script sends large files in parts by LFS and ends with
// one commit through the API; without scripts the same form brings everything in one request.
#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "server/pages/form_page.h"
#include "server/pages/repo_frame.h"

namespace hearth::server {
namespace {

// Of a form without scripts, which is held in memory while it is taken apart.
constexpr uint64_t kMaxFormBytes = 64ull << 20;

Json PageData(Context& context, const BranchView& view) {
  const hub::RepoRecord& repo = context.repo().record();
  Json data = RepoFrame(context, "files", view.branch);
  data.Set("folder", view.path);
  data.Set("api", "/api/" + std::string(hub::PluralName(repo.type)) + "/" + repo.FullName());
  data.Set("max_form_bytes", kMaxFormBytes);
  data.Set("values", Json::Obj());
  return data;
}

net::Response UploadPage(Context& context) {
  BranchView view = OpenBranch(context, context.request.RawCapture("rev_path"));
  return RenderPage(context, "repo_upload.html", PageData(context, view));
}

hub::CommitLfsFile StoreLarge(Context& context, const std::string& path, std::string_view content) {
  TempFile file(context.hub.temp_folder());
  file.Append(content);
  Sha256 oid = Sha256Of(content);
  context.hub.objects().Store(context.repo().record().id, context.actor.user_id, oid,
                              content.size(), std::move(file), oid);
  return {path, oid, content.size()};
}

std::vector<hub::CommitOperation> Operations(Context& context, const BranchView& view,
                                             const Form& form) {
  std::vector<hub::PreuploadFile> asked;
  for (const Form::File& file : form.files()) {
    std::string path = view.path.empty() ? file.name : view.path + "/" + file.name;
    if (std::optional<std::string> fault = storage::PathFault(path)) {
      throw Error(Code::kInvalidArgument, "'" + path + "' cannot be a file name here: " + *fault);
    }
    asked.push_back(
        {path, file.content.size(), std::string(file.content.substr(0, hub::kSampleBytes))});
  }
  if (asked.empty()) throw Error(Code::kInvalidArgument, "Choose at least one file");
  std::vector<hub::PreuploadAnswer> answers = context.hub.commits().Preupload(
      context.repo(), view.branch, asked, std::nullopt, std::nullopt);
  std::vector<hub::CommitOperation> operations;
  for (size_t i = 0; i < asked.size(); ++i) {
    std::string_view content = form.files()[i].content;
    if (answers[i].lfs) {
      operations.push_back(StoreLarge(context, asked[i].path, content));
      continue;
    }
    hub::CommitFile file;
    file.path = asked[i].path;
    file.content = content;
    file.size_bytes = content.size();
    file.sample = content.substr(0, storage::kMaxPointerBytes);
    operations.push_back(std::move(file));
  }
  return operations;
}

net::Response Upload(Context& context) {
  BranchView view = OpenBranch(context, context.request.RawCapture("rev_path"));
  Form form(context.request);
  return OrAgain(
      [&] {
        hub::CommitRequest request;
        request.operations = Operations(context, view, form);
        request.revision = view.branch;
        request.summary = form.Text("summary");
        if (request.summary.empty()) {
          request.summary = form.files().size() == 1
                                ? "Upload " + form.files().front().name
                                : "Upload " + std::to_string(form.files().size()) + " files";
        }
        request.description = form.Text("description");
        context.hub.commits().Apply(context.actor, context.repo(), request);
        return GoTo(RepoLocation(context.repo().record()) + "/tree/" +
                    net::PercentEncode(view.branch) +
                    (view.path.empty() ? "" : "/" + net::PercentEncode(view.path, "/")));
      },
      [&](const Error&) { return PageData(context, view).Set("values", form.Values()); }, context,
      "repo_upload.html");
}

}  // namespace

void RegisterUploadPage(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{P}{ns}/{name}/upload/{rev_path...}",
             .access = Access::kRepoWrite,
             .handle = UploadPage,
             .surface = Surface::kPage,
             .summary = "Where files are dropped to be uploaded."});
  table.Add({.methods = "POST",
             .pattern = "/{P}{ns}/{name}/upload/{rev_path...}",
             .access = Access::kRepoWrite,
             .handle = Upload,
             .surface = Surface::kPage,
             .body = {.max_bytes = kMaxFormBytes},
             .summary = "Commits the files of a form, for browsers without scripts."});
}

}  // namespace hearth::server
