#include "hub/internal/content_rules.h"
#include "base/error.h"
#include "hub/facts.h"

namespace hearth::hub {
namespace {

// A refusal names at most this many files: the message travels through terminals and logs.
constexpr size_t kMaxNamed = 100;

std::string ListOf(std::string_view heading, const std::vector<std::string>& items) {
  std::string text = "\n" + std::string(heading);
  for (size_t i = 0; i < items.size() && i < kMaxNamed; ++i) text += "\n - " + items[i];
  if (items.size() > kMaxNamed) {
    text += "\n - ... and " + std::to_string(items.size() - kMaxNamed) + " more";
  }
  return text;
}

}  // namespace

void ContentRules::CheckPath(std::string_view path) {
  if (std::optional<std::string> fault = storage::PathFault(path)) {
    throw Error(Code::kInvalidArgument,
                "Invalid path '" + std::string(path.substr(0, 200)) + "': " + *fault);
  }
}

void ContentRules::CheckFile(std::string_view path, uint64_t size_bytes, std::string_view sample) {
  std::string named = std::string(path) + " (ref: " + ref_ + ")";
  if (size_bytes > kMaxRegularFileBytes) {
    large_.push_back(std::move(named));
  } else if (LooksBinary(sample.substr(0, kSampleBytes)) &&
             attributes_.LfsFor(path) != GitAttributes::Lfs::kNotLfs) {
    binary_.push_back(std::move(named));
  }
}

void ContentRules::CheckCard(std::string_view path, std::string_view content) {
  if (path != "README.md") return;
  for (std::string& fault : ValidateCard(type_, content).errors) {
    card_faults_.push_back(std::move(fault));
  }
}

void ContentRules::AddMissingObject(std::string_view path, const Sha256& oid) {
  missing_.push_back(std::string(path) + ": " + oid.Hex());
}

void ContentRules::ThrowIfRefused() const {
  const std::string rejected = "Your push was rejected because it contains ";
  if (!large_.empty()) {
    throw Error(Code::kInvalidArgument,
                rejected +
                    "files larger than 10 MiB. Please use https://git-lfs.github.com/ to store "
                    "large files." +
                    ListOf("Offending files:", large_));
  }
  if (!binary_.empty()) {
    throw Error(Code::kInvalidArgument,
                rejected +
                    "binary files. Please use https://git-lfs.github.com/ to store binary files." +
                    ListOf("Offending files:", binary_));
  }
  if (!missing_.empty()) {
    throw Error(Code::kInvalidArgument,
                rejected +
                    "pointers to LFS objects that this repository does not have (LFS object "
                    "missing). Upload them first, for example with `git lfs push --all origin`." +
                    ListOf("Missing objects:", missing_));
  }
  if (!card_faults_.empty()) {
    std::string text = "Invalid metadata in README.md:";
    for (const std::string& fault : card_faults_) text += "\n - " + fault;
    throw Error(Code::kInvalidArgument, text);
  }
}

}  // namespace hearth::hub
