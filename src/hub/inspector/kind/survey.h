// What the rules of classification look at: a repository's files sorted by what they are, with the
// headers of its weights read by ranges. Made once, read by all rules. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.h"
#include "formats/inspect/inspector.h"
#include "hub/inspector/card/card_document.h"
#include "hub/inspector/repo_view.h"

namespace hearth::inspector {

enum class WeightFormat {
  kSafetensors,
  kGguf,
  kTorch,
  kPickle,      // scikit-learn and others
  kKeras,       // .keras, .h5
  kSavedModel,  // TensorFlow
  kArchive,     // .nemo and such
  kTfH5,        // tf_model.h5 of transformers
  kFlax,
  kOnnx,
  kOpenVino,
  kCoreMl,
  kTflite,
  kTensorRt,
};
std::string_view FormatName(WeightFormat format);  // "safetensors", ...
// Formats that runtimes read and no trainer writes.
bool IsExport(WeightFormat format);

struct WeightFile {
  std::string path;
  uint64_t size_bytes = 0;
  WeightFormat format = WeightFormat::kSafetensors;
  // The bytes are of that format as far as headers show; tensors are known where it has names.
  bool verified = false;
  std::string problem;  // why not
  std::vector<InspectedTensor> tensors;
  std::vector<InspectedFact> facts;
  std::vector<std::pair<std::string, Json>> metadata;

  const Json* Fact(std::string_view key) const;      // nullptr when it does not say
  const Json* Metadata(std::string_view key) const;  // nullptr when it does not say
  std::string folder() const;                        // "" = root, else "a/b/"
};

class Survey {
 public:
  // `repo` and `card` outlive it. Throws what the view throws for a damaged repository; a file that
  // cannot be read is told in not_read.
  Survey(const RepoView& repo, const CardDocument& card);

  const RepoView& repo() const { return repo_; }
  const CardDocument& card() const { return card_; }
  const Json& config() const { return config_; }  // of the root; null = none or not readable
  const std::vector<WeightFile>& weights() const { return weights_; }
  const std::vector<std::string>& not_read() const { return not_read_; }

  bool Has(std::string_view path) const { return repo_.Find(path) != nullptr; }
  // A JSON object or list; null when it is not there or not readable (which is told).
  Json ReadJson(std::string_view path) const;
  std::optional<std::string> ReadText(std::string_view path) const;
  std::string Head(std::string_view path, size_t bytes) const;  // "" when it cannot be read
  // All paths that end with "/name" or are it.
  std::vector<std::string> Named(std::string_view name) const;
  bool HasBelow(std::string_view folder) const;  // a file whose path starts with "folder/"

  std::string type() const { return repo_.type(); }  // "" = not said
  bool HasTag(std::string_view tag) const;           // on the card, any case
  std::string Relation() const;                      // base_model_relation
  std::string LowerName() const;                     // the last part of the id, lower case

  // A file of no known form, which may hold anything: weights, too. "" = none.
  std::string UnknownFile() const;

  // Every weight file is verified, and there is one.
  bool AllVerified() const;

 private:
  void Sort();
  void Read(WeightFile* file);
  void Note(std::string_view path, std::string_view reason) const;

  const RepoView& repo_;
  const CardDocument& card_;
  Json config_;
  std::vector<WeightFile> weights_;
  size_t tensors_left_;
  mutable std::vector<std::string> not_read_;
};

// "1_Pooling/config.json" -> "config.json"; "1_Pooling/" (or "").
std::string_view BaseName(std::string_view path);
std::string_view FolderOf(std::string_view path);

}  // namespace hearth::inspector
