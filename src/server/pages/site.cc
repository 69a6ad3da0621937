#include "server/pages/site.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "codec/compression.h"
#include "hub/inspector/quantity_text.h"
#include "hub/tasks.h"
#include "server/pages/site_files.h"
#include "text/template.h"

namespace hearth::server {
namespace {

// Everything a page needs comes from this host; forms go nowhere else; nobody frames it. A script
// runs only with the nonce of this very answer, or because such a script has loaded it: what lies
// in a repository can never be one, though this host serves it too.
std::string ContentPolicy(std::string_view nonce, bool blobs) {
  const std::string own = blobs ? " blob:" : "";
  return "default-src 'none'; script-src 'nonce-" + std::string(nonce) +
         "' 'strict-dynamic'; worker-src 'self'; style-src 'self'; connect-src 'self'; img-src "
         "'self' data:" +
         own + "; media-src 'self'" + own +
         "; font-src 'self'; form-action 'self'; base-uri 'none'; "
         "frame-ancestors 'none'";
}

// Of what a browser can lend a page, nothing but what the page asks for.
std::string PermissionsPolicy(bool microphone) {
  return std::string("camera=(), display-capture=(), geolocation=(), microphone=(") +
         (microphone ? "self" : "") + "), payment=(), usb=()";
}

bool HasPermission(const Json& data, std::string_view name) {
  const Json* list = data.Find("permissions");
  if (list == nullptr || list->AsArray() == nullptr) return false;
  return std::any_of(list->AsArray()->begin(), list->AsArray()->end(), [name](const Json& item) {
    return item.AsString() != nullptr && *item.AsString() == name;
  });
}

TemplateExtensions Extensions() {
  auto number = [](const std::vector<Json>& args) {
    return args.empty() ? 0 : args[0].AsDouble().value_or(0);
  };
  auto path = [](const std::vector<Json>& args, std::string_view keep) {
    return args.empty() || args[0].AsString() == nullptr
               ? std::string()
               : net::PercentEncode(*args[0].AsString(), keep);
  };
  TemplateExtensions extensions;
  extensions.filters["compact"].call = [number](const auto& args, const auto&) {
    return Json(inspector::ShortText(number(args)));
  };
  extensions.filters["bytes"].call = [number](const auto& args, const auto&) {
    return Json(inspector::SizeText(static_cast<uint64_t>(std::max(0.0, number(args)))));
  };
  extensions.filters["counted"].call = [number](const auto& args, const auto&) {
    const std::string* noun = args.size() < 2 ? nullptr : args[1].AsString();
    if (noun == nullptr) throw Error(Code::kInvalidArgument, "counted needs a noun");
    return Json(inspector::CountOf(static_cast<uint64_t>(std::max(0.0, number(args))), *noun));
  };
  extensions.filters["gibibytes"].call = [number](const auto& args, const auto&) {
    return Json(inspector::ShortText(number(args) / (1024.0 * 1024 * 1024)) + " GiB");
  };
  extensions.filters["pathencode"].call = [path](const auto& args, const auto&) {
    return Json(path(args, "/"));
  };
  extensions.filters["segment"].call = [path](const auto& args, const auto&) {
    return Json(path(args, ""));
  };
  return extensions;
}

TemplateSet& Templates() {
  static TemplateSet set(TemplateText, TemplateOptions{.trim_blocks = true, .lstrip_blocks = true},
                         Extensions());
  if (SiteIsEdited()) set.Clear();
  return set;
}

// The reader's choice, from a cookie of the page's script; "" follows their system.
std::string ThemeOf(const net::Request& request) {
  const std::string* cookies = request.headers.Find("Cookie");
  if (cookies == nullptr) return "";
  std::string_view theme = CookieValue(*cookies, "theme");
  return theme == "dark" || theme == "light" ? std::string(theme) : "";
}

// Names of web/static/icons.svg.
std::string_view TaskIcon(std::string_view group) {
  static constexpr std::pair<std::string_view, std::string_view> kIcons[] = {
      {"nlp", "text"}, {"cv", "image"},     {"audio", "audio"}, {"multimodal", "multimodal"},
      {"rl", "agent"}, {"tabular", "table"}};
  for (auto [name, icon] : kIcons) {
    if (name == group) return icon;
  }
  return "other";
}

net::Response Page(std::string_view template_name, Json data, int status) {
  std::string nonce = RandomAlphanumeric(24);
  SiteEntry entry = EntryOfSite();
  data.Set("nonce", nonce);
  data.Set(
      "assets",
      Json::Obj({{"script", entry.script}, {"style", entry.style}, {"formulas", entry.formulas}}));
  data.Set("version", HEARTH_VERSION);
  net::Response response = net::Response::Bytes(status, "text/html; charset=utf-8",
                                                Templates().Render(template_name, data));
  response.headers.Set("Content-Security-Policy",
                       ContentPolicy(nonce, HasPermission(data, "blobs")));
  response.headers.Set("Permissions-Policy", PermissionsPolicy(HasPermission(data, "microphone")));
  response.headers.Set("X-Content-Type-Options", "nosniff");
  response.headers.Set("Referrer-Policy", "same-origin");
  response.headers.Set("Cross-Origin-Opener-Policy", "same-origin");
  response.headers.Set("Cache-Control", "private, no-cache");
  return response;
}

std::string_view StaticType(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".woff2", "font/woff2"},
      {".png", "image/png"},
      {".json", "application/json"}};
  for (auto [ending, type] : kTypes) {
    if (name.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

// "main-BNScH1id.js": the builder puts eight characters of the content's hash before the ending.
bool NamedByContent(std::string_view name) {
  size_t dot = name.rfind('.');
  return dot != std::string_view::npos && dot > 9 && name[dot - 9] == '-';
}

net::Response ServeStatic(Context& context) {
  std::string name = context.request.Capture("file");
  std::optional<SiteFile> file = FindSiteFile(name, context.request.headers.Get("Accept-Encoding"));
  if (!file) throw Error(Code::kNotFound, "Sorry, we can't find the page you are looking for.");
  std::string tag = Sha256Of(file->bytes).Hex().substr(0, 32);
  net::Response response =
      net::Response::Bytes(200, std::string(StaticType(name)), std::move(file->bytes));
  response.allow_ranges = file->encoding.empty();
  if (!file->encoding.empty())
    response.headers.Set("Content-Encoding", std::string(file->encoding));
  response.headers.Set("Vary", "Accept-Encoding");
  response.headers.Set("ETag", "\"" + tag + "\"");
  response.headers.Set("Cache-Control", NamedByContent(name) && !SiteIsEdited()
                                            ? "public, max-age=31536000, immutable"
                                            : "public, max-age=300");
  response.headers.Set("X-Content-Type-Options", "nosniff");
  return response;
}

// Answers to visitors only: what a signed-in person gets holds their CSRF token, and compressing a
// secret beside text that others can choose tells it bit by bit (BREACH).
void Compress(const net::Request& request, net::Response* response) {
  auto* body = std::get_if<std::string>(&response->body);
  if (body == nullptr || body->size() < 1024) return;
  if (request.headers.Get("Accept-Encoding").find("gzip") == std::string::npos) return;
  *body = GzipCompress(*body, 1);
  response->headers.Set("Content-Encoding", "gzip");
  response->headers.Set("Vary", "Accept-Encoding, Cookie");
}

}  // namespace

net::Response RenderPage(const Context& context, std::string_view template_name, Json data,
                         int status) {
  Json viewer;
  if (context.actor.signed_in()) {
    viewer = Json::Obj({{"name", context.actor.user_name},
                        {"csrf", context.actor.csrf_token},
                        {"admin", context.actor.site_admin}});
  }
  data.Set("viewer", viewer);
  data.Set("base_url", context.base_url);
  data.Set("path", context.request.raw_target);
  data.Set("theme", ThemeOf(context.request));
  net::Response response = Page(template_name, std::move(data), status);
  if (!context.actor.signed_in()) Compress(context.request, &response);
  return response;
}

net::Response RenderBarePage(std::string_view template_name, Json data, int status) {
  data.Set("viewer", Json());
  return Page(template_name, std::move(data), status);
}

std::string RepoPath(const hub::RepoRecord& repo) {
  return "/" + std::string(hub::PathPrefix(repo.type)) + repo.FullName();
}

std::string Ago(TimePoint then, TimePoint now) {
  int64_t seconds = std::max<int64_t>(0, (ToUnixMillis(now) - ToUnixMillis(then)) / 1000);
  struct Unit {
    int64_t seconds;
    const char* name;
  };
  static constexpr Unit kUnits[] = {
      {365 * 86400, "year"}, {30 * 86400, "month"}, {86400, "day"}, {3600, "hour"}, {60, "minute"}};
  for (const Unit& unit : kUnits) {
    int64_t count = seconds / unit.seconds;
    if (count >= 1)
      return std::to_string(count) + " " + unit.name + (count > 1 ? "s" : "") + " ago";
  }
  return "just now";
}

namespace {

Json SummaryOfRecord(const hub::RepoRecord& repo, TimePoint now) {
  return Json::Obj({{"type", hub::SingularName(repo.type)},
                    {"plural", hub::PluralName(repo.type)},
                    {"owner", repo.owner},
                    {"name", repo.name},
                    {"id", repo.FullName()},
                    {"path", RepoPath(repo)},
                    {"private", repo.is_private},
                    {"gated", repo.gated != hub::Gated::kOff},
                    {"downloads", repo.downloads},
                    {"likes", repo.likes},
                    {"modified", FormatIso8601(repo.modified_at)},
                    {"modified_ago", Ago(repo.modified_at, now)}});
}

void AddColumns(const hub::RepoSummary& columns, Json* summary) {
  summary->Set("pipeline_tag", columns.pipeline_tag);
  if (const hub::TaskEntry* task = hub::FindTask(columns.pipeline_tag)) {
    summary->Set("task_label", task->label);
    summary->Set("task_icon", TaskIcon(task->group));
  }
  summary->Set("runs", !columns.run_tasks.empty());
  summary->Set("library", columns.library_name);
  summary->Set("tags", Json(columns.tags));
  summary->Set("parameters", columns.parameters);
  summary->Set("bytes", columns.main_bytes);
}

}  // namespace

Json RepoSummary(const hub::RepoRecord& repo, const hub::RepoFacts* facts, TimePoint now) {
  Json summary = SummaryOfRecord(repo, now);
  if (facts != nullptr) {
    hub::RepoSummary columns;
    columns.tags = facts->tags;
    columns.pipeline_tag = facts->pipeline_tag;
    columns.library_name = facts->library_name;
    columns.parameters = facts->parameter_count;
    columns.main_bytes = facts->main_bytes;
    columns.run_tasks = facts->run.tasks;
    AddColumns(columns, &summary);
    summary.Set("space", facts->space);
  }
  return summary;
}

Json RepoSummaries(Context& context, const std::vector<hub::RepoPtr>& repos) {
  Json rows = Json::Arr();
  TimePoint now = context.hub.clock().Now();
  for (const hub::RepoPtr& repo : repos) {
    // The columns of the catalog are in memory; a Space's colours and words are only in its facts,
    // and so is what the catalog does not know yet.
    hub::RepoSummary columns = context.hub.catalog().SummaryOf(*repo);
    if (repo->head && (repo->type == hub::RepoType::kSpace || columns.tags.empty())) {
      hub::FactsPtr facts =
          context.hub.catalog().FactsOf(context.hub.repos().OpenAsSystem(repo), *repo->head);
      rows.Push(RepoSummary(*repo, facts.get(), now));
      continue;
    }
    Json summary = SummaryOfRecord(*repo, now);
    if (repo->head) AddColumns(columns, &summary);
    rows.Push(std::move(summary));
  }
  return rows;
}

Json RepoColumns(Context& context, hub::CatalogQuery query) {
  Json columns = Json::Arr();
  for (hub::RepoType type :
       {hub::RepoType::kModel, hub::RepoType::kDataset, hub::RepoType::kSpace}) {
    query.type = type;
    hub::CatalogPage page = context.hub.catalog().List(context.actor, query);
    columns.Push(
        Json::Obj({{"type", hub::SingularName(type)},
                   {"plural", hub::PluralName(type)},
                   {"label", type == hub::RepoType::kSpace ? "Spaces" : hub::PluralName(type)},
                   {"total", page.total},
                   {"repos", RepoSummaries(context, page.repos)}}));
  }
  return columns;
}

void RegisterStaticFiles(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/static/{file}",
             .access = Access::kPublic,
             .handle = ServeStatic,
             .surface = Surface::kPage,
             .summary = "Style sheet, scripts and pictures of the site."});
}

}  // namespace hearth::server
