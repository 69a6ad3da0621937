#include <benchmark/benchmark.h>

#include "codec/markdown.h"

namespace hearth {
namespace {

void BM_RenderCard(benchmark::State& state) {
  std::string card;
  for (int i = 0; i < 40; ++i) {
    card +=
        "## Section " + std::to_string(i) +
        "\n\nSome *text* with [a link](docs/x.md), `code` and **more** text that goes on.\n\n"
        "| Metric | Value |\n|---|---|\n| accuracy | 0.91 |\n| f1 | 0.88 |\n\n"
        "```python\nmodel = load(\"x\")\n```\n\n<p align=\"center\"><img src=\"a.png\"></p>\n\n";
  }
  MarkdownOptions options;
  options.base_url = "/org/model";
  for (auto _ : state) benchmark::DoNotOptimize(RenderMarkdown(card, options));
  state.SetBytesProcessed(static_cast<int64_t>(card.size()) * state.iterations());
}
BENCHMARK(BM_RenderCard);

}  // namespace
}  // namespace hearth
