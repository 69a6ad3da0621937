#include "runtime/adapter_set.h"

#include <utility>

#include "base/error.h"

namespace hearth::runtime {
namespace {

constexpr size_t kMaxNameBytes = 256;

}  // namespace

LoadedAdapter::LoadedAdapter(std::string name, std::filesystem::path folder, const Model& model,
                             uint64_t number)
    : name_(std::move(name)),
      folder_(std::move(folder)),
      number_(number),
      adapter_(LoadAdapter(folder_, model.checkpoint())) {}

const tensor::ProgramAdapter& LoadedAdapter::For(const tensor::Program& program) const {
  std::lock_guard lock(mutex_);
  auto& form = forms_[&program];
  if (form == nullptr) {
    std::vector<tensor::LowRank> pairs;
    for (const AdapterPair& pair : adapter_.pairs) {
      pairs.push_back({pair.weight, pair.a, pair.b, pair.rank, pair.scale});
    }
    form = program.MakeAdapter(pairs);
  }
  return *form;
}

void AdapterSet::Load(const std::string& name, const std::filesystem::path& folder) {
  if (name.empty() || name.size() > kMaxNameBytes) {
    throw Error(Code::kInvalidArgument, "an adapter needs a name of at most 256 bytes");
  }
  auto taken = [&] {
    return Error(Code::kConflict, "an adapter is called \"" + name + "\" already");
  };
  uint64_t number;
  {
    std::lock_guard lock(mutex_);
    if (adapters_.count(name) > 0) throw taken();
    number = next_number_++;
  }
  auto adapter = std::make_shared<const LoadedAdapter>(name, folder, *model_, number);
  std::lock_guard lock(mutex_);
  if (!adapters_.emplace(name, std::move(adapter)).second) throw taken();
}

void AdapterSet::Unload(const std::string& name) {
  std::lock_guard lock(mutex_);
  if (adapters_.erase(name) == 0) {
    throw Error(Code::kNotFound, "no adapter is called \"" + name.substr(0, kMaxNameBytes) + "\"");
  }
}

std::shared_ptr<const LoadedAdapter> AdapterSet::Find(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto found = adapters_.find(name);
  return found != adapters_.end() ? found->second : nullptr;
}

std::vector<std::shared_ptr<const LoadedAdapter>> AdapterSet::All() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const LoadedAdapter>> all;
  for (const auto& [name, adapter] : adapters_) all.push_back(adapter);
  return all;
}

bool AdapterSet::is_used() const {
  std::lock_guard lock(mutex_);
  return next_number_ > 1;
}

}  // namespace hearth::runtime
