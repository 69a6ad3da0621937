// The Jinja template language: the site's pages and chat templates both use it.
//
// A Template is a parsed, immutable syntax tree; Render walks it over Json values with its own
// value type (undefined, "safe" strings, macros, namespaces). It is a sandbox: no access to
// anything but the context and the listed filters, methods and functions; steps, output, memory and
// recursion are limited. Undefined is lenient as in jinja2: it prints as nothing, is false,
// iterates as empty; an attribute of it is an error. Language:
// https://jinja.palletsprojects.com/en/stable/templates/
//
// Thread rule: Template and TemplateSet are safe for concurrent const use. Errors: kInvalidArgument
// with "template NAME, line L: reason"; kTooLarge when a render limit is passed; kNotFound for an
// unknown template.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.h"

namespace hearth {

struct TemplateOptions {
  std::string name = "template";       // for messages
  bool trim_blocks = false;            // drop the newline after a block tag
  bool lstrip_blocks = false;          // drop blanks before a block tag on its own line
  bool keep_trailing_newline = false;  // jinja2 drops one newline at the end of the source
  size_t max_source_bytes = 4u << 20;
  size_t max_depth = 100;  // nesting of blocks and of expressions
};

// What transformers uses for chat templates.
inline TemplateOptions ChatTemplateOptions(std::string name) {
  return TemplateOptions{.name = std::move(name), .trim_blocks = true, .lstrip_blocks = true};
}

// A filter or function given by the caller. Filters get the piped value as args[0].
struct TemplateFunction {
  using Call = std::function<Json(const std::vector<Json>& args, const Json::Object& keywords)>;
  Call call;
  bool returns_html = false;  // the result, a string, is already safe HTML: not escaped again
};

struct TemplateExtensions {
  std::map<std::string, TemplateFunction, std::less<>> filters;
  std::map<std::string, TemplateFunction, std::less<>> functions;
};

class TemplateSet;

// A part of the rendered text, in bytes.
struct TextSpan {
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const TextSpan&) const = default;
};

struct RenderOptions {
  bool autoescape = false;                            // true for pages
  const TemplateExtensions* extensions = nullptr;     // borrowed for the call
  const TemplateSet* templates = nullptr;             // borrowed; for include, extends, import
  std::vector<TextSpan>* generation_spans = nullptr;  // gets what {% generation %} blocks printed
  std::optional<int64_t> now_unix_seconds;  // for strftime_now (UTC); nullopt = the system clock
  uint64_t max_steps = 10'000'000;          // nodes evaluated
  size_t max_output_bytes = 64u << 20;      // also bounds any one string, list or dict built
  size_t max_recursion = 100;               // macros, includes, recursive loops, nested values
};

class Template {
 public:
  static Template Parse(std::string_view source, TemplateOptions options = {});
  ~Template();
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;

  // `context` is an object; its members are the variables.
  std::string Render(const Json& context, const RenderOptions& options = {}) const;

 private:
  friend class TemplateSet;
  struct Impl;
  explicit Template(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

// Templates by name. The loader is called once per name (nullopt = no such template); parsed
// templates are kept for the life of the set, and replaced only by Clear().
class TemplateSet {
 public:
  using Loader = std::function<std::optional<std::string>(std::string_view name)>;

  explicit TemplateSet(Loader loader, TemplateOptions options = {},
                       TemplateExtensions extensions = {});
  ~TemplateSet();
  TemplateSet(const TemplateSet&) = delete;
  TemplateSet& operator=(const TemplateSet&) = delete;

  // Renders with the set's extensions (unless options.extensions is given) and with this set for
  // include, extends and import. Without options autoescape is on.
  std::string Render(std::string_view name, const Json& context) const;
  std::string Render(std::string_view name, const Json& context, RenderOptions options) const;

  // Throws kNotFound when the loader does not know the name.
  std::shared_ptr<const Template> Get(std::string_view name) const;
  // Forgets what was parsed, for templates edited while the program runs.
  void Clear();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearth
