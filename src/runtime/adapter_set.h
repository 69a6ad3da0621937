// The adapters that a running model has beside its weights, by name; requests choose one.
//
// Loading packs nothing: each program (a head of the model) gets its form of an adapter when it is
// first asked for. An adapter that is unloaded lives on until the requests that use it end. Thread
// rule: use from any number of threads; loading holds up nobody else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/adapter.h"
#include "runtime/model.h"
#include "tensor/executor.h"

namespace hearth::runtime {

class LoadedAdapter {
 public:
  // Errors: those of LoadAdapter.
  LoadedAdapter(std::string name, std::filesystem::path folder, const Model& model,
                uint64_t number);

  const std::string& name() const { return name_; }
  const std::filesystem::path& folder() const { return folder_; }
  // Above 0, of this adapter alone as long as the process lives: keeps its keys and values apart.
  uint64_t number() const { return number_; }
  // The form of a program of the model that it was loaded for; kept.
  const tensor::ProgramAdapter& For(const tensor::Program& program) const;

 private:
  std::string name_;
  std::filesystem::path folder_;
  uint64_t number_;
  Adapter adapter_;
  mutable std::mutex mutex_;
  mutable std::map<const tensor::Program*, std::shared_ptr<const tensor::ProgramAdapter>> forms_;
};

class AdapterSet {
 public:
  explicit AdapterSet(std::shared_ptr<const Model> model) : model_(std::move(model)) {}

  // Throws kConflict when the name is taken, kInvalidArgument for an empty or overlong one, and
  // what LoadAdapter throws.
  void Load(const std::string& name, const std::filesystem::path& folder);
  // Throws kNotFound.
  void Unload(const std::string& name);
  // nullptr when there is none.
  std::shared_ptr<const LoadedAdapter> Find(const std::string& name) const;
  // Sorted by name.
  std::vector<std::shared_ptr<const LoadedAdapter>> All() const;
  // Whether names of models have to be looked at: there is or was an adapter.
  bool is_used() const;

 private:
  std::shared_ptr<const Model> model_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const LoadedAdapter>> adapters_;
  uint64_t next_number_ = 1;
};

}  // namespace hearth::runtime
