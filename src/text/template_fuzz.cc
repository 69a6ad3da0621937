#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "text/template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hearth::Json context = hearth::Json::Parse(
      R"({"s":"Hello","n":5,"f":2.5,"l":[3,1,2],"d":{"b":1,"k":{"x":[1]}},"t":true,"none":null,)"
      R"("m":[{"role":"user","content":"Hi"},{"role":"assistant","content":"<b>"}]})");
  if (size == 0) return 0;
  std::string source(reinterpret_cast<const char*>(data + 1), size - 1);
  hearth::TemplateOptions options;
  options.trim_blocks = (data[0] & 1) != 0;
  options.lstrip_blocks = (data[0] & 2) != 0;
  // "a" is the input itself, so that include, import and extends reach it.
  hearth::TemplateSet set(
      [&](std::string_view name) -> std::optional<std::string> {
        if (name == "a") return source;
        if (name == "b") return "{% block x %}base{% endblock %}{{ n }}";
        return std::nullopt;
      },
      options);
  hearth::RenderOptions render;
  render.autoescape = (data[0] & 4) != 0;
  render.max_steps = 50'000;
  render.max_output_bytes = 1u << 20;
  render.now_unix_seconds = 0;
  try {
    set.Render("a", context, render);
  } catch (const hearth::Error&) {
  }
  return 0;
}
