// hearth convert: weights from one format to another.
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "base/bytes.h"
#include "base/error.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "formats/convert/to_gguf.h"
#include "formats/convert/to_safetensors.h"

namespace hearth::cli {
namespace {

constexpr const char* kDefaultType = "F16";

struct ConvertCommand {
  std::string source;
  std::string target;
  std::string type;  // empty: kDefaultType for GGUF
  std::string dtype;
  std::string shard_size;
  unsigned threads = 0;
  bool force = false;
  bool quiet = false;
};

std::atomic<bool> interrupted = false;

void HandleSignal(int) { interrupted = true; }

// While it lives, an interrupt asks the conversion to clean up instead of ending the process.
class InterruptGuard {
 public:
  InterruptGuard() {
    struct sigaction action {};
    action.sa_handler = HandleSignal;
    ::sigaction(SIGINT, &action, &before_int_);
    ::sigaction(SIGTERM, &action, &before_term_);
  }
  ~InterruptGuard() {
    ::sigaction(SIGINT, &before_int_, nullptr);
    ::sigaction(SIGTERM, &before_term_, nullptr);
  }

 private:
  struct sigaction before_int_ {};
  struct sigaction before_term_ {};
};

// "5GB", "500MB", "1000": decimal units, as Hugging Face's max_shard_size has them.
uint64_t ParseSize(const std::string& text) {
  if (text.empty()) return 0;
  std::string lower = AsciiLower(text);
  uint64_t unit = 1;
  for (auto [end, value] :
       {std::pair<const char*, uint64_t>{"kb", 1'000}, {"mb", 1'000'000}, {"gb", 1'000'000'000}}) {
    if (!lower.ends_with(end)) continue;
    unit = value;
    lower.resize(lower.size() - 2);
  }
  std::optional<uint64_t> number = ParseUint(TrimAscii(lower));
  uint64_t bytes = 0;
  if (!number || *number == 0 || __builtin_mul_overflow(*number, unit, &bytes)) {
    throw Error(Code::kInvalidArgument, "\"" + text + "\" is no size such as 5GB or 500MB");
  }
  return bytes;
}

std::string Names(const auto& rows) {
  std::string names;
  for (const auto& row : rows) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

std::filesystem::path FolderOf(const std::filesystem::path& source) {
  if (std::filesystem::is_directory(source)) return source;
  std::filesystem::path folder = source.parent_path();
  return folder.empty() ? "." : folder;
}

// Names that promise a kind of file which is not written here. A folder may have a dot in its name.
constexpr std::string_view kOtherFiles[] = {
    ".bin", ".pt",  ".pth", ".ckpt", ".pkl",     ".onnx", ".npy", ".npz",  ".h5",    ".hdf5",
    ".pb",  ".zip", ".tar", ".gz",   ".msgpack", ".json", ".txt", ".ggml", ".tflite"};

// The target, when what is asked for can be written there. Throws Error{kInvalidArgument}.
std::filesystem::path CheckedTarget(const std::string& name) {
  namespace fs = std::filesystem;
  if (name.empty()) throw Error(Code::kInvalidArgument, "the target has no name");
  fs::path target = name;
  std::error_code fault;
  fs::file_status status = fs::status(target, fault);
  std::string kind = AsciiLower(target.extension().string());
  if (kind == ".gguf" || kind == ".safetensors" || fs::is_directory(status)) return target;
  bool other = std::count(std::begin(kOtherFiles), std::end(kOtherFiles), kind) > 0;
  if (other || fs::exists(status)) {
    throw Error(Code::kInvalidArgument,
                name +
                    (other ? " names a kind of file that is not written here"
                           : " exists and is no folder") +
                    "; a target is a .gguf file, a .safetensors file or a folder");
  }
  return target;
}

// Throws Error{kInvalidArgument}.
tensor::Dtype FloatDtype(const std::string& name) {
  std::optional<tensor::Dtype> dtype = tensor::FindDtype(name);
  if (dtype && tensor::IsFloat(*dtype)) return *dtype;
  std::string names;
  for (int i = 0; i < tensor::kDtypes; ++i) {
    auto known = static_cast<tensor::Dtype>(i);
    if (!tensor::IsFloat(known)) continue;
    names += (names.empty() ? "" : ", ") + std::string(tensor::DtypeName(known));
  }
  throw Error(Code::kInvalidArgument,
              "\"" + name + "\" is no floating-point dtype; there are " + names);
}

// Throws Error{kInvalidArgument}.
const convert::Recipe& RecipeOf(const std::string& name) {
  const convert::Recipe* recipe = convert::FindRecipe(name);
  if (recipe != nullptr) return *recipe;
  throw Error(Code::kInvalidArgument,
              "unknown type \"" + name + "\"; there are " + Names(convert::Recipes()));
}

void Run(const ConvertCommand& command) {
  convert::Job job;
  job.if_exists = command.force ? IfExists::kReplace : IfExists::kRefuse;
  job.max_shard_bytes = ParseSize(command.shard_size);
  job.threads = command.threads > 0 ? command.threads : std::thread::hardware_concurrency();
  job.cancelled = &interrupted;
  std::optional<Progress> bar;
  if (!command.quiet) {
    job.progress = [&](std::string_view, uint64_t done, uint64_t total) {
      if (!bar) bar.emplace("converting", total, ProgressUnit::kBytes);
      bar->Update(done);
    };
  }
  std::filesystem::path target = CheckedTarget(command.target);
  bool to_gguf = AsciiLower(target.extension().string()) == ".gguf";
  if (to_gguf && !command.dtype.empty()) {
    throw Error(Code::kInvalidArgument, "a GGUF file takes --type, not --dtype");
  }
  if (!to_gguf && !command.type.empty()) {
    throw Error(Code::kInvalidArgument, "--type is for a .gguf file; safetensors take --dtype");
  }
  InterruptGuard guard;
  std::filesystem::path folder = FolderOf(command.source);
  if (to_gguf) {
    const convert::Recipe& recipe = RecipeOf(command.type.empty() ? kDefaultType : command.type);
    auto source = convert::OpenTensorSource(command.source);
    return convert::ConvertToGguf(*source, folder, recipe, target, job);
  }
  convert::SafetensorsTarget where{target, std::nullopt};
  if (!command.dtype.empty()) where.dtype = FloatDtype(command.dtype);
  auto source = convert::OpenTensorSource(command.source);
  convert::ConvertToSafetensors(*source, folder, where, job);
}

}  // namespace

void AddConvertCommand(CLI::App& app, Outcome*) {
  auto options = std::make_shared<ConvertCommand>();
  CLI::App* command = app.add_subcommand(
      "convert",
      "Convert weights: safetensors to GGUF and back, .bin to safetensors, shards, types");
  command
      ->add_option("source", options->source,
                   "A checkpoint's folder, a .safetensors or .bin file or index, or a .gguf file")
      ->required();
  command
      ->add_option("target", options->target,
                   "A .gguf file, a .safetensors file, or a folder for a checkpoint")
      ->required();
  command->add_option("--type", options->type, "For GGUF: " + Names(convert::Recipes()))
      ->default_str(kDefaultType);
  command->add_option("--dtype", options->dtype,
                      "For safetensors: what floats become (F32, F16, BF16, F8_E4M3, ...)");
  command->add_option("--shard-size", options->shard_size,
                      "Split the output into files of at most this size (5GB, 500MB)");
  command->add_option("--threads", options->threads, "Threads that quantise; 0 = one per core")
      ->capture_default_str();
  command->add_flag("--force", options->force, "Replace files that exist");
  command->add_flag("--quiet", options->quiet, "No progress bar");
  command->callback([options] { Run(*options); });
}

}  // namespace hearth::cli
