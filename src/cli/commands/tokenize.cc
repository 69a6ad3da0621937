#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/line_reader.h"
#include "cli/model_options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/terminal_text.h"
#include "cli/token_pieces.h"
#include "codec/json.h"
#include "tokenizers/loaders/loader.h"
#include "tokenizers/stream_encoder.h"
#include "tokenizers/tokenizer.h"

namespace hearth::cli {
namespace {

using tokenizers::EncodeInput;
using tokenizers::Encoding;
using tokenizers::Tokenizer;

constexpr size_t kReadBytes = 1 << 20;

struct TokenizeCommand {
  std::string tokenizer;
  std::vector<std::string> texts;
  std::vector<std::string> files;
  std::string pair;
  std::string json_lines_key;
  std::string color = "auto";
  bool lines = false;
  bool count = false;
  bool ids = false;
  bool offsets = false;
  bool json = false;
  bool decode = false;
  bool no_special = false;
  bool no_cache = false;
};

// Six backgrounds that black letters stand on, of the 256-colour palette.
constexpr int kBackgrounds[] = {153, 157, 223, 218, 189, 195};

// Line feeds are shown and kept, so that text looks as it did.
std::string Visible(std::string_view text) {
  std::string out;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    out += TerminalLine(text.substr(0, end)) + "⏎\033[0m\n";
    text.remove_prefix(end + 1);
  }
  return out + TerminalLine(text);
}

Json ToJson(const Encoding& encoding) {
  Json offsets = Json::Arr(), words = Json::Arr(), tokens = Json::Arr(), ids = Json::Arr();
  Json types = Json::Arr(), specials = Json::Arr(), attention = Json::Arr();
  for (size_t i = 0; i < encoding.size(); ++i) {
    ids.Push(encoding.ids[i]);
    tokens.Push(encoding.tokens[i]);
    offsets.Push(Json::Arr({encoding.offsets[i].begin, encoding.offsets[i].end}));
    words.Push(encoding.word_ids[i] ? Json(*encoding.word_ids[i]) : Json());
    types.Push(encoding.type_ids[i]);
    specials.Push(static_cast<int>(encoding.special_tokens_mask[i]));
    attention.Push(static_cast<int>(encoding.attention_mask[i]));
  }
  return Json::Obj({{"ids", ids},
                    {"tokens", tokens},
                    {"offsets", offsets},
                    {"word_ids", words},
                    {"type_ids", types},
                    {"special_tokens_mask", specials},
                    {"attention_mask", attention}});
}

// Prints each text in the form that was asked for, and counts.
class Printer {
 public:
  Printer(const Tokenizer& tokenizer, const TokenizeCommand& command)
      : tokenizer_(tokenizer), command_(command) {
    bool terminal = ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
    color_ = command.color == "always" || (command.color == "auto" && terminal);
    plain_ids_ = command.ids || (!color_ && !command.offsets && !command.json);
  }

  bool wants_stream() const { return command_.count || (plain_ids_ && command_.pair.empty()); }

  void Text(std::string_view text) {
    if (command_.count) return Count(tokenizer_.CountTokens(text, !command_.no_special));
    if (plain_ids_ && command_.pair.empty()) {
      ids_.clear();
      tokenizer_.EncodeIds(text, !command_.no_special, &ids_);
      Ids(ids_);
      return Flush();
    }
    EncodeInput input(text);
    if (!command_.pair.empty()) input.second = command_.pair;
    tokenizers::EncodeOptions options{.add_special_tokens = !command_.no_special};
    // Python users count characters; the terminal forms need bytes to show what was cut.
    if (command_.json) options.offsets = tokenizers::OffsetUnit::kCharacters;
    Encoding encoding = tokenizer_.Encode(input, options);
    if (command_.json) {
      fmt::print("{}\n", ToJson(encoding).Dump());
    } else if (command_.offsets) {
      Table(encoding, text);
    } else if (plain_ids_) {
      Ids(encoding.ids);
      Flush();
    } else {
      Colors(encoding, text);
    }
  }

  void Count(size_t tokens) { fmt::print("{}\n", tokens); }

  // Ids on the line that is open; Flush ends it.
  void Ids(const std::vector<uint32_t>& ids) {
    for (uint32_t id : ids) {
      if (line_open_) line_.push_back(' ');
      fmt::format_to(std::back_inserter(line_), "{}", id);
      line_open_ = true;
      if (line_.size() >= kReadBytes) Write();
    }
  }
  void Flush() {
    line_.push_back('\n');
    Write();
    line_open_ = false;
  }

 private:
  void Write() {
    std::fwrite(line_.data(), 1, line_.size(), stdout);
    line_.clear();
    CheckOutput();
  }

  // Calls with each token and what it shows of its text, first or second.
  void EachPiece(const Encoding& encoding, std::string_view text,
                 const std::function<void(size_t, const TokenPieces::Piece&)>& visit) const {
    TokenPieces first(text), second(command_.pair);
    for (size_t i = 0; i < encoding.size(); ++i) {
      auto [begin, end] = encoding.offsets[i];
      if (encoding.special_tokens_mask[i] != 0 && begin == end) {
        visit(i, {{}, encoding.tokens[i], {}});
        continue;
      }
      bool is_second = encoding.sequence_count() > 1 && encoding.TokenToSequence(i) == 1u;
      visit(i, (is_second ? second : first).Next(encoding.tokens[i], encoding.offsets[i]));
    }
  }

  void Colors(const Encoding& encoding, std::string_view text) {
    size_t shade = 0;
    EachPiece(encoding, text, [&](size_t i, const TokenPieces::Piece& shown) {
      // Offsets may leave blanks out (trim_offsets): they belong to the token that follows.
      std::string piece = Visible(shown.before) + Visible(shown.marker) + Visible(shown.text);
      if (encoding.special_tokens_mask[i] != 0) {
        fmt::print("\033[7m{}\033[0m", piece);
      } else {
        fmt::print("\033[48;5;{}m\033[38;5;16m{}\033[0m", kBackgrounds[shade++ % 6], piece);
      }
    });
    fmt::print("\n{} tokens, {} bytes\n", encoding.size(), text.size());
  }

  void Table(const Encoding& encoding, std::string_view text) {
    fmt::print("{:>7}  {:>13}  {:<20}  {}\n", "id", "bytes", "token", "text");
    EachPiece(encoding, text, [&](size_t i, const TokenPieces::Piece& shown) {
      auto [begin, end] = encoding.offsets[i];
      std::string range = fmt::format("{}-{}", begin, end);
      fmt::print("{:>7}  {:>13}  {:<20}  {}\n", encoding.ids[i], range,
                 TerminalLine(encoding.tokens[i]),
                 TerminalText(Json(shown.marker + std::string(shown.text)).Dump()));
    });
  }

  const Tokenizer& tokenizer_;
  const TokenizeCommand& command_;
  bool color_ = false;
  bool plain_ids_ = false;
  std::vector<uint32_t> ids_;
  fmt::memory_buffer line_;
  bool line_open_ = false;
};

// One text as a stream: constant memory for --count and ids.
void StreamText(std::istream& in, const Tokenizer& tokenizer, const TokenizeCommand& command,
                Printer* printer, Progress* progress) {
  tokenizers::StreamEncoder encoder(tokenizer, !command.no_special);
  std::vector<uint32_t> ids;
  std::string block(kReadBytes, '\0');
  size_t tokens = 0;
  uint64_t done = 0;
  auto take = [&] {
    tokens += ids.size();
    if (!command.count) printer->Ids(ids);
    ids.clear();
  };
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    encoder.Feed(std::string_view(block).substr(0, static_cast<size_t>(in.gcount())), &ids);
    take();
    progress->Update(done += static_cast<uint64_t>(in.gcount()));
  }
  encoder.Finish(&ids);
  take();
  command.count ? printer->Count(tokens) : printer->Flush();
}

// A file of the command line, or standard input.
struct Input {
  std::string name;  // empty: standard input
  uint64_t size = 0;
};

std::string LineName(const Input& input, uint64_t number) {
  std::string file = input.name.empty() ? "" : input.name + ", ";
  return file + "line " + std::to_string(number);
}

// The text of a line; nothing for a blank line of JSON lines.
std::optional<std::string> TextOfLine(std::string_view line, const std::string& key) {
  if (line.empty()) return std::nullopt;
  std::optional<std::string> text = Json::Parse(line).StringField(key);
  if (!text) throw Error(Code::kInvalidArgument, "no \"" + key + "\"");
  return text;
}

// What the lines before have made is sent when the next one is not there yet.
void EachLine(int fd, const Input& input, const TokenizeCommand& command,
              const std::function<void(std::string_view)>& visit) {
  Progress progress("tokenizing", input.size, ProgressUnit::kBytes);
  LineReader reader(fd, FlushOutput);
  uint64_t done = 0, number = 0;
  for (std::string_view line; reader.Next(&line);) {
    ++number;
    progress.Update(done += line.size() + 1);
    try {
      if (command.json_lines_key.empty()) {
        visit(line);
      } else if (auto text = TextOfLine(line, command.json_lines_key)) {
        visit(*text);
      }
    } catch (const OutputError&) {
      throw;
    } catch (const Error& error) {
      throw Error(error.code(), LineName(input, number) + ": " + error.message());
    }
  }
}

void ReadLines(const Input& input, const TokenizeCommand& command, Printer* printer) {
  auto print = [&](std::string_view text) { printer->Text(text); };
  if (input.name.empty()) return EachLine(STDIN_FILENO, input, command, print);
  int fd = ::open(input.name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) ThrowErrno("open " + input.name);
  std::unique_ptr<int, void (*)(int*)> closed(&fd, [](int* open) { ::close(*open); });
  EachLine(fd, input, command, print);
}

void ReadInput(std::istream& in, const Input& input, const Tokenizer& tokenizer,
               const TokenizeCommand& command, Printer* printer) {
  if (command.decode) {
    std::vector<uint32_t> ids;
    for (uint32_t id; in >> id;) ids.push_back(id);
    if (!in.eof()) throw Error(Code::kInvalidArgument, "--decode reads ids separated by blanks");
    fmt::print("{}\n", tokenizer.Decode(ids, command.no_special));
  } else if (command.lines || !command.json_lines_key.empty()) {
    ReadLines(input, command, printer);
  } else if (printer->wants_stream()) {
    Progress progress("tokenizing", input.size, ProgressUnit::kBytes);
    StreamText(in, tokenizer, command, printer, &progress);
  } else {
    printer->Text(std::string(std::istreambuf_iterator<char>(in), {}));
  }
}

// Throws Error where there is nothing to read.
Input FindInput(const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code fault;
  fs::file_status status = fs::status(name, fault);
  if (status.type() == fs::file_type::not_found) {
    throw Error(Code::kNotFound, name + " does not exist");
  }
  if (fs::is_directory(status)) {
    throw Error(Code::kInvalidArgument, name + " is a folder; --file takes a file");
  }
  uint64_t size = fs::is_regular_file(status) ? fs::file_size(name, fault) : 0;
  return {name, fault ? 0 : size};
}

void DecodeTexts(const Tokenizer& tokenizer, const TokenizeCommand& command) {
  std::vector<uint32_t> ids;
  for (const std::string& text : command.texts) {
    std::istringstream in(text);
    for (uint32_t id; in >> id;) ids.push_back(id);
    if (!in.eof()) throw Error(Code::kInvalidArgument, "\"" + text + "\" is not a token id");
  }
  fmt::print("{}\n", tokenizer.Decode(ids, command.no_special));
}

int Run(const TokenizeCommand& command) {
  tokenizers::LoadOptions load;
  if (!command.no_cache) load.cache_folder = tokenizers::DefaultTokenizerCache();
  Tokenizer tokenizer = tokenizers::LoadTokenizer(
      LocateModel(command.tokenizer, client::ModelParts::kTokenizer), load);
  Printer printer(tokenizer, command);
  if (command.decode && !command.texts.empty()) {
    DecodeTexts(tokenizer, command);
    return 0;
  }
  for (const std::string& text : command.texts) printer.Text(text);
  for (const std::string& name : command.files) {
    Input input = FindInput(name);
    std::ifstream in(name, std::ios::binary);
    if (!in) throw Error(Code::kNotFound, name + " cannot be read");
    ReadInput(in, input, tokenizer, command, &printer);
  }
  if (command.texts.empty() && command.files.empty()) {
    std::ios::sync_with_stdio(false);
    ReadInput(std::cin, {}, tokenizer, command, &printer);
  }
  return 0;
}

}  // namespace

void AddTokenizeCommand(CLI::App& app, Outcome* outcome) {
  auto options = std::make_shared<TokenizeCommand>();
  CLI::App* command = app.add_subcommand(
      "tokenize", "Show how a tokenizer cuts text: coloured pieces, ids, offsets, counts");
  command
      ->add_option("-t,--tokenizer", options->tokenizer,
                   "A model folder or a file: tokenizer.json, *.model, *.gguf, vocab.txt, "
                   "tekken.json, *.tiktoken; or owner/name[@revision] on the hub of HF_ENDPOINT")
      ->required()
      ->envname("HEARTH_TOKENIZER");
  command->add_option("text", options->texts, "Texts; without any, standard input is one text");
  command->add_option("-f,--file", options->files, "Read a file as one text (repeatable)");
  command->add_flag("--lines", options->lines, "Each line of the input is a text of its own");
  command->add_option("--jsonl", options->json_lines_key,
                      "Each line is JSON; the text is under this key");
  command->add_option("--pair", options->pair, "A second text to encode together with each");
  CLI::Option_group* form = command->add_option_group("output");
  form->add_flag("--count", options->count, "Only the number of tokens");
  form->add_flag("--ids", options->ids, "Ids, one line a text (the default into a pipe)");
  form->add_flag("--offsets", options->offsets, "A table: id, byte range, token, text");
  form->add_flag(
      "--json", options->json,
      "One JSON object a text, as the Python library's Encoding (offsets in characters)");
  form->add_flag("--decode", options->decode, "The other way: ids in, text out");
  form->require_option(0, 1);
  command->add_flag("--no-special", options->no_special,
                    "Add no special tokens; with --decode: leave them out");
  command->add_option("--color", options->color, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  command->add_flag("--no-cache", options->no_cache,
                    "Read the tokenizer anew, and keep nothing for the next time in "
                    "$XDG_CACHE_HOME/hearth/tokenizers");
  command->callback([options, outcome] { outcome->exit_code = Run(*options); });
}

}  // namespace hearth::cli
