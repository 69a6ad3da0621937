#include "text/template.h"

#include <map>
#include <mutex>
#include <shared_mutex>

#include "base/error.h"
#include "text/internal/template_interp.h"

namespace hearth {

struct Template::Impl {
  tmpl::TreePtr tree;
};

Template::Template(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

Template Template::Parse(std::string_view source, TemplateOptions options) {
  auto impl = std::make_shared<Impl>();
  impl->tree = tmpl::ParseTree(source, std::move(options));
  return Template(std::move(impl));
}

std::string Template::Render(const Json& context, const RenderOptions& options) const {
  tmpl::TreeLoader loader;
  if (const TemplateSet* set = options.templates) {
    loader = [set](std::string_view name) -> tmpl::TreePtr {
      try {
        return set->Get(name)->impl_->tree;
      } catch (const Error& error) {
        if (error.code() == Code::kNotFound) return nullptr;
        throw;
      }
    };
  }
  return tmpl::Interp(context, options, std::move(loader)).Render(impl_->tree);
}

struct TemplateSet::State {
  Loader loader;
  TemplateOptions options;
  TemplateExtensions extensions;
  mutable std::shared_mutex mutex;
  std::map<std::string, std::shared_ptr<const Template>, std::less<>> parsed;
};

TemplateSet::TemplateSet(Loader loader, TemplateOptions options, TemplateExtensions extensions)
    : state_(std::make_unique<State>()) {
  state_->loader = std::move(loader);
  state_->options = std::move(options);
  state_->extensions = std::move(extensions);
}

TemplateSet::~TemplateSet() = default;

std::shared_ptr<const Template> TemplateSet::Get(std::string_view name) const {
  {
    std::shared_lock lock(state_->mutex);
    auto found = state_->parsed.find(name);
    if (found != state_->parsed.end()) return found->second;
  }
  // Parsing happens outside of the lock; of two threads that parse the same name the first one
  // stays.
  std::optional<std::string> source = state_->loader(name);
  if (!source) throw Error(Code::kNotFound, "no template " + std::string(name));
  TemplateOptions options = state_->options;
  options.name = name;
  auto parsed = std::make_shared<const Template>(Template::Parse(*source, std::move(options)));
  std::unique_lock lock(state_->mutex);
  return state_->parsed.emplace(std::string(name), std::move(parsed)).first->second;
}

void TemplateSet::Clear() {
  std::unique_lock lock(state_->mutex);
  state_->parsed.clear();
}

std::string TemplateSet::Render(std::string_view name, const Json& context) const {
  RenderOptions options;
  options.autoescape = true;
  return Render(name, context, options);
}

std::string TemplateSet::Render(std::string_view name, const Json& context,
                                RenderOptions options) const {
  options.templates = this;
  if (options.extensions == nullptr) options.extensions = &state_->extensions;
  return Get(name)->Render(context, options);
}

}  // namespace hearth
