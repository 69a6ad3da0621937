#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "tokenizers/loaders/loader.h"
#include "tokenizers/trainers/tokenizer_training.h"

namespace hearth::cli {
namespace {

using tokenizers::TrainerOptions;
using tokenizers::TrainingProgress;

struct TrainTokenizerCommand {
  tokenizers::TokenizerTrainingOptions training;
  std::string template_file;
  std::string pre_tokenizer;
  std::string normalizer;
  std::string json_field;
  std::vector<std::string> files;
  std::string output;
  std::optional<size_t> vocab_size;
  std::string unk_token;
};

// Lines of all files, one at a time; "-" is standard input.
class Corpus {
 public:
  Corpus(const TrainTokenizerCommand& command, Progress* progress)
      : command_(command), progress_(progress) {}

  void Read(const std::function<void(std::string_view)>& visit) {
    for (const std::string& file : command_.files) {
      bool json = !command_.json_field.empty() || file.ends_with(".jsonl");
      if (file == "-") {
        ReadStream(std::cin, file, json, visit);
        continue;
      }
      std::ifstream stream(file, std::ios::binary);
      if (!stream) ThrowErrno("open " + file);
      ReadStream(stream, file, json, visit);
    }
  }

  uint64_t bytes() const { return bytes_; }

 private:
  void ReadStream(std::istream& stream, const std::string& file, bool json,
                  const std::function<void(std::string_view)>& visit) {
    std::string line;
    size_t number = 0;
    while (std::getline(stream, line)) {
      ++number;
      bytes_ += line.size() + 1;
      progress_->Update(bytes_);
      // The end of the line is text too, as the reference reads files.
      if (!json && !stream.eof()) line += '\n';
      try {
        visit(json ? TextOf(line) : line);
      } catch (const Error& error) {
        throw Error(error.code(),
                    file + ", line " + std::to_string(number) + ": " + error.message());
      }
    }
    if (stream.bad()) ThrowErrno("read " + file);
  }

  std::string TextOf(const std::string& line) const {
    if (line.empty()) return "";
    Json row = Json::Parse(line);
    if (const std::string* text = row.AsString()) return *text;
    return row.RequireString(command_.json_field.empty() ? "text" : command_.json_field);
  }

  const TrainTokenizerCommand& command_;
  Progress* progress_;
  uint64_t bytes_ = 0;
};

uint64_t TotalBytes(const std::vector<std::string>& files) {
  uint64_t total = 0;
  for (const std::string& file : files) {
    std::error_code error;
    uint64_t size = file == "-" ? 0 : std::filesystem::file_size(file, error);
    if (file == "-" || error) return 0;  // not known
    total += size;
  }
  return total;
}

void Run(TrainTokenizerCommand command) {
  auto& training = command.training;
  training.trainer.vocab_size = command.vocab_size;
  if (!command.unk_token.empty()) training.trainer.unk_token = command.unk_token;
  if (!command.template_file.empty()) {
    training.pipeline = tokenizers::LoadTokenizerJson(command.template_file);
  } else {
    training.pipeline = tokenizers::PresetPipeline(training.model, command.pre_tokenizer);
  }
  tokenizers::TokenizerTraining trainer(training);
  Progress progress("Reading", TotalBytes(command.files), ProgressUnit::kBytes);
  Corpus corpus(command, &progress);
  corpus.Read([&](std::string_view text) { trainer.Feed(text); });
  std::string stage;
  tokenizers::TrainingObserver observer;
  observer.progress = [&](const TrainingProgress& now) {
    if (now.stage != stage) {
      stage = now.stage;
      progress.Begin(stage, now.total);
    }
    progress.Update(now.done);
  };
  std::string text = trainer.Train(observer);
  if (command.output == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return;
  }
  WriteFileDurably(command.output, text);
  std::fprintf(stderr, "%s: learned from %zu different words in %llu bytes\n",
               command.output.c_str(), trainer.distinct_words(),
               static_cast<unsigned long long>(corpus.bytes()));
}

void AddTrainerOptions(CLI::App* command, const std::shared_ptr<TrainTokenizerCommand>& options) {
  TrainerOptions& trainer = options->training.trainer;
  command->add_option("--vocab-size", options->vocab_size,
                      "Tokens, special ones included (default 30000; unigram 8000)");
  command
      ->add_option("--special-token", trainer.special_tokens,
                   "A special token; may be given several times, ids in that order")
      ->allow_extra_args(false);
  command->add_option("--unk-token", options->unk_token, "What stands for unknown text");
  command->add_option("--min-frequency", trainer.min_frequency,
                      "Least occurrences of a merged pair, or of a word for wordlevel");
  command->add_option("--limit-alphabet", trainer.limit_alphabet,
                      "Characters kept at most, the most frequent ones");
  command->add_option("--max-token-length", trainer.max_token_length,
                      "Characters of a merged token at most");
  command->add_option("--continuing-subword-prefix", trainer.continuing_subword_prefix,
                      "Prefix of tokens inside a word (wordpiece: ##)");
  command->add_option("--end-of-word-suffix", trainer.end_of_word_suffix,
                      "Suffix of tokens that end a word");
  command
      ->add_option("--shrinking-factor", trainer.shrinking_factor,
                   "unigram: share of the pieces that survives a round")
      ->capture_default_str();
  command
      ->add_option("--max-piece-length", trainer.max_piece_length,
                   "unigram: characters of a piece at most")
      ->capture_default_str();
  command->add_option("--sub-iterations", trainer.n_sub_iterations, "unigram: EM steps in a round")
      ->capture_default_str();
}

}  // namespace

void AddTrainTokenizerCommand(CLI::App& app, Outcome*) {
  auto options = std::make_shared<TrainTokenizerCommand>();
  CLI::App* command =
      app.add_subcommand("train-tokenizer", "Learn a tokenizer from text and write tokenizer.json");
  command
      ->add_option("files", options->files,
                   "Text, one piece a line, or JSON lines (*.jsonl); - for standard input")
      ->required();
  command->add_option("--model", options->training.model, "Kind of model")
      ->check(CLI::IsMember({"bpe", "wordpiece", "unigram", "wordlevel"}))
      ->required();
  command->add_option("-o,--output", options->output, "File to write; - for standard output")
      ->required();
  CLI::Option* from_template = command->add_option(
      "--template", options->template_file,
      "A tokenizer (file or folder) whose normalizer, splitting and decoding are taken over");
  command
      ->add_option("--pre-tokenizer", options->pre_tokenizer,
                   "Splitting without a template (default: what suits the model)")
      ->check(CLI::IsMember({"byte-level", "bert", "metaspace", "whitespace", "none"}))
      ->excludes(from_template);
  command->add_option("--json-field", options->json_field,
                      "Read all files as JSON lines and take this member (default text)");
  AddTrainerOptions(command, options);
  command->callback([options] { Run(*options); });
}

}  // namespace hearth::cli
