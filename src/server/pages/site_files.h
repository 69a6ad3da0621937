// The files of the site: templates, and what web/build.mjs made of web/src and web/static. They are
// in the program; while somebody works on the site, HEARTH_WEB_FOLDER=<checkout>/web reads them
// from the disk at each request instead (templates/ and dist/). Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "text/template.h"

namespace hearth::server {

// A template's text; nullopt when there is none of this name.
std::optional<std::string> TemplateText(std::string_view name);
// True when templates may change while the program runs.
bool SiteIsEdited();

struct SiteFile {
  std::string bytes;
  std::string_view encoding;  // "", "br" or "gzip": as stored in `bytes`
};
// In the smallest form that the client takes. `accept_encoding` is its header.
std::optional<SiteFile> FindSiteFile(std::string_view name, std::string_view accept_encoding);

// Addresses like "/static/main-1a2b.js": of the script and the style sheet that every page has, and
// of what draws formulas.
struct SiteEntry {
  std::string script;
  std::string style;
  std::string formulas;
};
SiteEntry EntryOfSite();

}  // namespace hearth::server
