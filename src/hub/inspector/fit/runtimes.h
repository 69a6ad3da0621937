// Where a repository runs: which forms of a model its files are, which programs load those, and
// which of the files that they need are there. The programs and the needed files are tables
// (runtimes.inc, assets.inc); one line adds one. Pure apart from reads of the view; one view, one
// thread.
#pragma once

#include <string>
#include <vector>

#include "codec/json.h"
#include "hub/inspector/finding.h"
#include "hub/inspector/repo_view.h"

namespace hearth::inspector {

enum class ModelForm {
  kTransformers,  // config.json with safetensors
  kGguf,
  kAdapter,
  kPickle,     // .bin, .pt, .ckpt
  kQuantized,  // quantization_config: GPTQ, AWQ, FP8...
  kOnnx,
  kOpenVino,
  kCoreMl,
  kTflite,
  kMlx,
  kTensorRt,
  kDiffusers,
  kRemoteCode,  // auto_map: classes in the repository's own code
  kKeras,
  kFlax,
  kSentences,  // sentence-transformers
};
std::string_view FormName(ModelForm form);   // "safetensors", as in answers
std::string_view FormLabel(ModelForm form);  // for people

enum class RunsVerdict { kRuns, kWithPlugin, kAfterConversion, kNever };
std::string_view RunsVerdictName(
    RunsVerdict verdict);  // "runs", "with-plugin", "after-conversion", "no"

struct FormFound {
  ModelForm form;
  Finding finding;  // value: the form's name
};
struct AssetFound {
  ModelForm form;
  std::string name;
  bool required = false;
  std::string purpose;
  Finding finding;  // value: the file; kMissing when there is none
};
struct RuntimeFound {
  std::string name;
  RunsVerdict verdict = RunsVerdict::kNever;
  ModelForm form;  // by which it was judged: the best of those that are there
  std::string note;
  std::vector<std::string> missing;  // required files of that form
};

// What the hub's own judge says (hub/model_judge.h); given by callers, as it knows the engine.
struct OwnVerdict {
  bool known = false;  // false: nobody was asked
  bool runs = false;
  std::vector<std::string> tasks;
  std::string reason;
};

struct RuntimeReport {
  std::vector<FormFound> forms;
  std::vector<AssetFound> assets;
  std::vector<RuntimeFound> runtimes;  // what runs it first
  OwnVerdict own;
};
RuntimeReport FindRuntimes(const RepoView& view, const OwnVerdict& own = {});
Json ToJson(const RuntimeReport& report);
std::string RuntimesText(const RuntimeReport& report);

}  // namespace hearth::inspector
