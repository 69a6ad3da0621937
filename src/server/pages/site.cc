#include "server/pages/site.h"

#include <cmath>
#include <cstdio>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "server/pages/embedded_file.h"
#include "text/template.h"

namespace hearth {
extern const EmbeddedFile kTemplateFiles[];
extern const EmbeddedFile kStaticFiles[];
}  // namespace hearth

namespace hearth::server {
namespace {

// Everything a page needs comes from this host; forms go nowhere else; nobody frames it.
// Scripts come with the program alone, so that no file of a repository is ever one.
constexpr std::string_view kContentPolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' "
    "data:; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

std::optional<std::string_view> FindFile(const EmbeddedFile* table, std::string_view name) {
  for (const EmbeddedFile* file = table; file->name != nullptr; ++file) {
    if (name == file->name)
      return std::string_view(file->begin, static_cast<size_t>(file->end - file->begin));
  }
  return std::nullopt;
}

std::string Compact(double value) {
  static constexpr const char* kSuffix[] = {"", "k", "M", "B", "T"};
  int step = 0;
  while (std::fabs(value) >= 1000 && step < 4) {
    value /= 1000;
    ++step;
  }
  char text[32];
  std::snprintf(text, sizeof text, step == 0 || value >= 100 ? "%.0f%s" : "%.1f%s", value,
                kSuffix[step]);
  return text;
}

std::string Bytes(double value) {
  static constexpr const char* kUnit[] = {"bytes", "kB", "MB", "GB", "TB"};
  int step = 0;
  while (value >= 1000 && step < 4) {
    value /= 1000;
    ++step;
  }
  char text[32];
  std::snprintf(text, sizeof text, step == 0 || value >= 100 ? "%.0f %s" : "%.1f %s", value,
                kUnit[step]);
  return text;
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
    return Json(Compact(number(args)));
  };
  extensions.filters["bytes"].call = [number](const auto& args, const auto&) {
    return Json(Bytes(number(args)));
  };
  extensions.filters["pathencode"].call = [path](const auto& args, const auto&) {
    return Json(path(args, "/"));
  };
  extensions.filters["segment"].call = [path](const auto& args, const auto&) {
    return Json(path(args, ""));
  };
  return extensions;
}

const TemplateSet& Templates() {
  static const TemplateSet set(
      [](std::string_view name) -> std::optional<std::string> {
        std::optional<std::string_view> text = FindFile(kTemplateFiles, name);
        if (!text) return std::nullopt;
        return std::string(*text);
      },
      TemplateOptions{.trim_blocks = true, .lstrip_blocks = true}, Extensions());
  return set;
}

// Changes with the file, so that browsers may keep it for long.
std::string VersionOf(std::string_view file) {
  return Sha256Of(FindFile(kStaticFiles, file).value_or("")).Hex().substr(0, 12);
}

void AddVersions(Json* data) {
  static const std::string style = VersionOf("hearth.css"), widget = VersionOf("widget.js");
  data->Set("style_version", style);
  data->Set("widget_version", widget);
}

net::Response Page(std::string_view template_name, const Json& data, int status) {
  net::Response response = net::Response::Bytes(status, "text/html; charset=utf-8",
                                                Templates().Render(template_name, data));
  response.headers.Set("Content-Security-Policy", std::string(kContentPolicy));
  response.headers.Set("X-Content-Type-Options", "nosniff");
  response.headers.Set("Referrer-Policy", "same-origin");
  response.headers.Set("Cache-Control", "private, no-cache");
  return response;
}

net::Response ServeStatic(Context& context) {
  std::string name = context.request.Capture("file");
  std::optional<std::string_view> bytes = FindFile(kStaticFiles, name);
  if (!bytes) throw Error(Code::kNotFound, "Sorry, we can't find the page you are looking for.");
  std::string type = name.ends_with(".css")   ? "text/css; charset=utf-8"
                     : name.ends_with(".js")  ? "text/javascript; charset=utf-8"
                     : name.ends_with(".svg") ? "image/svg+xml"
                                              : "application/octet-stream";
  net::Response response = net::Response::Bytes(200, type, std::string(*bytes));
  response.allow_ranges = true;
  response.headers.Set("ETag", "\"" + Sha256Of(*bytes).Hex().substr(0, 32) + "\"");
  response.headers.Set("Cache-Control", "public, max-age=31536000, immutable");
  response.headers.Set("X-Content-Type-Options", "nosniff");
  return response;
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
  AddVersions(&data);
  return Page(template_name, data, status);
}

net::Response RenderBarePage(std::string_view template_name, Json data, int status) {
  data.Set("viewer", Json());
  AddVersions(&data);
  return Page(template_name, data, status);
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

Json RepoSummary(const hub::RepoRecord& repo, const hub::RepoFacts* facts, TimePoint now) {
  Json summary = Json::Obj({{"type", hub::SingularName(repo.type)},
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
  if (facts != nullptr) {
    summary.Set("pipeline_tag", facts->pipeline_tag);
    summary.Set("library", facts->library_name);
    summary.Set("tags", Json(facts->tags));
    summary.Set("parameters", facts->parameter_count);
    summary.Set("bytes", facts->main_bytes);
    summary.Set("space", facts->space);
  }
  return summary;
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
