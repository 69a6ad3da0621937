#include "server/pages/kept_markdown.h"

#include <memory>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "server/hub_api/answer_cache.h"

namespace hearth::server {
namespace {

// The largest text that is rendered makes about a megabyte; a shard takes eight of those.
constexpr size_t kCacheBytes = 64u << 20;

// Texts that cannot be rendered are kept as what was said of them.
struct Outcome {
  std::string html;
  std::optional<Error> fault;
};

std::string KeyOf(std::string_view markdown, const MarkdownOptions& options) {
  std::string key;
  for (const std::string* part : {&options.base_url, &options.revision, &options.folder}) {
    key += *part;
    key += '\0';
  }
  key += options.math ? 'm' : '-';
  key += Sha256Of(markdown).raw();
  return key;
}

}  // namespace

std::string KeptMarkdown(std::string_view markdown, const MarkdownOptions& options) {
  static ValueCache<Outcome> cache(kCacheBytes);
  std::string key = KeyOf(markdown, options);
  std::shared_ptr<const Outcome> known = cache.Find(key);
  if (known == nullptr) {
    auto made = std::make_shared<Outcome>();
    try {
      made->html = RenderMarkdown(markdown, options);
    } catch (const Error& fault) {
      made->fault = fault;
    }
    known = made;
    cache.Put(std::move(key), known, known->html.size());
  }
  if (known->fault) throw *known->fault;
  return known->html;
}

}  // namespace hearth::server
