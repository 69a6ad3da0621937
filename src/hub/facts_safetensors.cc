// The headers of safetensors files as clients ask for them.
#include "base/error.h"
#include "formats/safetensors/safetensors.h"
#include "hub/facts.h"
#include "hub/internal/facts_reader.h"

namespace hearth::hub {
namespace {

constexpr uint64_t kMaxHeadersBytes = 64u << 20;
constexpr uint64_t kMaxIndexBytes = 64u << 20;

[[noreturn]] void Missing(const GitOid& commit) {
  throw Error(Code::kNotFound, "Entry not found")
      .WithWireCode("EntryNotFound")
      .WithHeader("X-Repo-Commit", commit.Hex());
}

// The JSON part of one file, checked by the strict reader first.
Json HeaderOf(FactsReader* reader, const Sibling& file, uint64_t* left) {
  std::unique_ptr<ByteSource> source = reader->Open(file);
  if (source == nullptr) Missing(reader->facts().commit);
  uint64_t size = source->size_bytes();
  if (size < 8) throw Error(Code::kUnprocessable, file.path + " is not a safetensors file");
  uint64_t head = SafetensorsHeaderBytes(source->Read(0, 8), size);
  if (head > *left) throw Error(Code::kTooLarge, "the headers are too large for one answer");
  *left -= head;
  std::string bytes = source->Read(0, head);
  ParseSafetensorsHeader(bytes, size);
  return Json::Parse(std::string_view(bytes).substr(8));
}

}  // namespace

Json ReadSafetensorsMetadata(const RepoHandle& repo, const Objects& objects, const GitOid& commit,
                             std::string_view path) {
  RepoFacts facts;
  facts.commit = commit;
  storage::GitRepository git = storage::GitRepository::Open(repo.git_folder());
  FactsReader reader(repo, objects, git, &facts);
  const Sibling* named = reader.Find(path);
  if (named == nullptr) Missing(commit);
  std::vector<std::string> files = {std::string(path)};
  Json index = Json::Obj();
  if (path.ends_with(".index.json")) {
    std::optional<std::string> text = reader.Read(path, kMaxIndexBytes);
    if (!text) throw Error(Code::kTooLarge, "the index is too large");
    SafetensorsIndex parsed = ParseSafetensorsIndex(*text);
    files = parsed.files;
    if (!parsed.metadata.is_null()) index.Set("metadata", parsed.metadata);
  } else if (!path.ends_with(".safetensors")) {
    throw Error(Code::kInvalidArgument,
                "expected a .safetensors file or a .safetensors.index.json");
  }
  // Shards lie beside their index.
  size_t slash = path.rfind('/');
  std::string folder(slash == std::string_view::npos ? "" : path.substr(0, slash + 1));
  bool sharded = path.ends_with(".json");
  uint64_t left = kMaxHeadersBytes;
  Json headers = Json::Obj();
  for (const std::string& name : files) {
    const Sibling* file = reader.Find(sharded ? folder + name : name);
    if (file == nullptr) Missing(commit);
    headers.Set(name, HeaderOf(&reader, *file, &left));
  }
  return Json::Obj({{"headers", std::move(headers)}, {"index", std::move(index)}});
}

}  // namespace hearth::hub
