#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>

#include "base/error.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "runtime/tasks/embeddings.h"

namespace hearth::cli {
namespace {

// Texts that are embedded together: enough for all threads, little enough to stop quickly.
constexpr size_t kChunk = 256;

struct EmbedCommand {
  ModelOptions model;
  std::vector<std::string> texts;
  std::string file;
  std::string prompt_name;
  uint64_t dimensions = 0;  // 0: all
  bool normalize = false;
  bool similarity = false;
};

std::vector<std::string> ReadLines(std::istream& in) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

// A table of how near the texts are to each other, shaded in a terminal.
void PrintSimilarities(const runtime::Model& model, const std::vector<std::vector<float>>& vectors,
                       bool colour) {
  for (const auto& a : vectors) {
    for (const auto& b : vectors) {
      double value = runtime::Similarity(model, a, b);
      // 24 greys of the 256-colour palette.
      int grey = 232 + static_cast<int>(std::clamp(value, 0.0, 1.0) * 23);
      if (colour) {
        fmt::print("\033[48;5;{}m\033[38;5;{}m {:6.3f} \033[0m", grey, grey > 243 ? 16 : 231,
                   value);
      } else {
        fmt::print("{:7.4f} ", value);
      }
    }
    fmt::print("\n");
  }
}

void Run(const EmbedCommand& command) {
  std::vector<std::string> texts = command.texts;
  if (!command.file.empty()) {
    std::ifstream in(command.file);
    if (!in) throw Error(Code::kNotFound, "cannot read " + command.file);
    texts = ReadLines(in);
  } else if (texts.empty()) {
    texts = ReadLines(std::cin);
  }
  if (texts.empty()) throw Error(Code::kInvalidArgument, "no text to embed");
  std::unique_ptr<runtime::Runner> runner = command.model.Load();
  if (auto refusal = runtime::EmbeddingRefusal(runner->model())) {
    throw Error(Code::kUnprocessable, *refusal);
  }
  runtime::EmbeddingOptions options;
  options.normalize = command.normalize;
  options.dimensions = command.dimensions;
  options.prompt_name = command.prompt_name;
  Progress progress("embedding", texts.size());
  std::vector<std::vector<float>> kept;
  for (size_t at = 0; at < texts.size(); at += kChunk) {
    std::span<const std::string> chunk(texts.data() + at, std::min(kChunk, texts.size() - at));
    runtime::EmbeddedTexts embedded = runtime::EmbedTexts(*runner, chunk, options);
    for (size_t i = 0; i < chunk.size(); ++i) {
      if (command.similarity) {
        kept.push_back(std::move(embedded.vectors[i]));
      } else {
        std::string vector;
        runtime::AppendJsonArray(&vector, embedded.vectors[i]);
        fmt::print("{{\"text\":{},\"embedding\":{}}}\n", Json(chunk[i]).Dump(), vector);
      }
    }
    progress.Update(at + chunk.size());
  }
  bool colour = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  if (command.similarity) PrintSimilarities(runner->model(), kept, colour);
}

}  // namespace

void AddEmbedCommand(CLI::App& app, Outcome*) {
  auto options = std::make_shared<EmbedCommand>();
  CLI::App* command = app.add_subcommand("embed", "Texts as vectors, one JSON line each");
  options->model.AddTo(command);
  command->add_option("texts", options->texts, "Texts; none: the lines of standard input");
  command->add_option("--file", options->file, "File with a text a line");
  command->add_option("--prompt-name", options->prompt_name, "One of the model's prompts");
  command
      ->add_option("--dimensions", options->dimensions,
                   "Only the first ones; of length 1 if the model's vectors are")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 20));
  command->add_flag("--normalize", options->normalize, "To length 1");
  command->add_flag("--similarity", options->similarity,
                    "A table of how near the texts are to each other");
  command->callback([options] { Run(*options); });
}

}  // namespace hearth::cli
