#include "hub/inspector/card/card_example.h"

#include <algorithm>

#include "base/bytes.h"

namespace hearth::inspector {
namespace {

constexpr size_t kMaxCodeBytes = 64u << 10;  // of one block

// Calls and commands that load something from a hub.
constexpr std::string_view kLoaders[] = {"from_pretrained",
                                         "pipeline(",
                                         "SentenceTransformer(",
                                         "CrossEncoder(",
                                         "SparseEncoder(",
                                         "load_dataset(",
                                         "hf_hub_download",
                                         "snapshot_download",
                                         "InferenceClient",
                                         "llama-cli",
                                         "llama-server",
                                         "ollama run",
                                         "ollama pull",
                                         "vllm serve",
                                         "huggingface-cli",
                                         "hf download",
                                         "git clone",
                                         "PeftModel",
                                         "LLM(",
                                         "sglang",
                                         "mlx_lm",
                                         "load_model(",
                                         "load_from_hub",
                                         "from_hub",
                                         "create_model(",
                                         "text-generation-inference",
                                         "curl ",
                                         "fetch(",
                                         "InferenceSession",
                                         "read_parquet(",
                                         "timm.",
                                         "docker run",
                                         "AutoModel",
                                         "Llama("};

// A library and the words of which one must stand in code that uses it.
struct LibraryWords {
  std::string_view library;
  std::string_view words;  // separated by '|'
};
constexpr LibraryWords kLibraryWords[] = {
    {"transformers", "transformers|pipeline(|vllm|sglang|sentence_transformers|text-generation"},
    {"transformers.js", "transformers"},
    {"sentence-transformers", "sentence_transformers|sentence-transformers|transformers"},
    {"peft", "peft|Peft|load_adapter|vllm|load_lora"},
    {"diffusers", "diffusers|Diffusion"},
    {"gguf", "llama|ollama|lmstudio|gguf|koboldcpp"},
    {"llama.cpp", "llama|ollama"},
    {"mlx", "mlx"},
    {"timm", "timm"},
    {"spacy", "spacy"},
    {"setfit", "setfit|SetFit"},
    {"datasets", "datasets|load_dataset|pandas|polars|duckdb"},
    {"onnx", "onnx|Session"},
    {"sklearn", "sklearn|joblib|skops"},
    {"keras", "keras"},
    {"speechbrain", "speechbrain"},
    {"nemo", "nemo"},
    {"espnet", "espnet"},
    {"flair", "flair"},
    {"fasttext", "fasttext"},
    {"open_clip", "open_clip"},
};

bool IsIdCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// "ns/name" as a word: not the start of a longer name.
bool NamesId(std::string_view code, std::string_view id) {
  for (size_t at = code.find(id); at != std::string_view::npos; at = code.find(id, at + 1)) {
    bool begins = at == 0 || !IsIdCharacter(code[at - 1]);
    size_t end = at + id.size();
    bool ends = end >= code.size() || !IsIdCharacter(code[end]) ||
                (code[end] == '.' && code.substr(end, 4) == ".git");
    if (begins && ends) return true;
  }
  return false;
}

// Something of the form "ns/name" in quotes, or behind an address of a hub.
bool NamesAnyId(std::string_view code) {
  for (size_t slash = code.find('/'); slash != std::string_view::npos;
       slash = code.find('/', slash + 1)) {
    size_t begin = slash, end = slash + 1;
    while (begin > 0 && IsIdCharacter(code[begin - 1])) --begin;
    while (end < code.size() && IsIdCharacter(code[end])) ++end;
    if (begin == slash || end == slash + 1 || begin == 0) continue;
    char before = code[begin - 1];
    char after = end < code.size() ? code[end] : ' ';
    if ((before == '"' || before == '\'') && before == after) return true;
    if (before == '/' && (code.substr(0, begin).ends_with("hf.co/") ||
                          code.substr(0, begin).ends_with("huggingface.co/")))
      return true;
    if (before == ' ' && (after == ' ' || after == '\n' || after == ':')) return true;
  }
  return false;
}

bool Loads(std::string_view code) {
  return std::any_of(std::begin(kLoaders), std::end(kLoaders), [&](std::string_view loader) {
    return code.find(loader) != std::string_view::npos;
  });
}

bool UsesLibrary(std::string_view code, std::string_view library) {
  for (const LibraryWords& entry : kLibraryWords) {
    if (entry.library != library) continue;
    for (std::string_view word : Split(entry.words, '|')) {
      if (code.find(word) != std::string_view::npos) return true;
    }
    return false;
  }
  return true;  // nobody knows how it is called
}

std::string NotebookOf(const RepoView* repo) {
  if (repo == nullptr) return {};
  for (const RepoFile& file : repo->files()) {
    if (file.path.ends_with(".ipynb")) return file.path;
  }
  for (const RepoFile& file : repo->files()) {
    bool script = file.path.ends_with(".py") || file.path.ends_with(".sh");
    if (script && (file.path.starts_with("examples/") || file.path.starts_with("example")))
      return file.path;
  }
  return {};
}

struct Judged {
  int worth = 0;  // 1 loads something, 2 this repository, 3 with its library
  const CardCode* block = nullptr;
};

int WorthOf(const CardCode& block, const CardContext& context, std::string_view library) {
  std::string_view code = std::string_view(block.text).substr(0, kMaxCodeBytes);
  if (!Loads(code)) return 0;
  bool named = context.has_id() ? NamesId(code, context.id) : NamesAnyId(code);
  if (!named) return 1;
  return UsesLibrary(code, library) ? 3 : 2;
}

}  // namespace

ExampleCheck CheckExample(const CardDocument& card, const CardContext& context) {
  ExampleCheck check;
  check.notebook = NotebookOf(context.repo);
  std::string library = context.type == "dataset" ? "" : CardText(card.data, "library_name");
  Judged best;
  for (const CardCode& block : card.code) {
    int worth = WorthOf(block, context, library);
    if (worth > best.worth) best = {worth, &block};
  }
  if (best.block == nullptr) {
    if (!check.notebook.empty()) {
      check.presence = Presence::kThin;
      check.rule = "the card has no code, a file of the repository does";
    }
    check.hint = context.has_id()
                     ? "add a code block that loads \"" + context.id + "\" and prints a result"
                     : "add a code block that loads this repository and prints a result";
    return check;
  }
  check.line = best.block->line;
  check.anchor = card.sections[best.block->section].id;
  check.presence = best.worth == 3 ? Presence::kFound : Presence::kThin;
  switch (best.worth) {
    case 3:
      check.rule = context.has_id() ? "code that loads this repository by its id"
                                    : "code that loads a repository by its id";
      break;
    case 2:
      check.rule = "code that names this repository, but not its library";
      check.hint = "the example should use " + library + ", which the card names as library_name";
      break;
    default:
      check.rule = "code that loads something else than this repository";
      check.hint = context.has_id() ? "let the example load \"" + context.id + "\""
                                    : "let the example load this repository by its id";
  }
  return check;
}

}  // namespace hearth::inspector
