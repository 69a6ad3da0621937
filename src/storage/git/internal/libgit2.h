// libgit2 behind RAII handles, started once with the settings Hearth needs, and its result codes
// as Errors. https://libgit2.org/libgit2/
//
// Thread rule: StartLibgit2 may be called from any thread; handles belong to one thread at a time.
#pragma once

#include <git2.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"

namespace hearth::storage::internal {

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};

using RepositoryHandle = std::unique_ptr<git_repository, Freer<git_repository_free>>;
using OdbHandle = std::unique_ptr<git_odb, Freer<git_odb_free>>;
using OdbObjectHandle = std::unique_ptr<git_odb_object, Freer<git_odb_object_free>>;
using CommitHandle = std::unique_ptr<git_commit, Freer<git_commit_free>>;
using TreeHandle = std::unique_ptr<git_tree, Freer<git_tree_free>>;
using ReferenceHandle = std::unique_ptr<git_reference, Freer<git_reference_free>>;
using RefIteratorHandle =
    std::unique_ptr<git_reference_iterator, Freer<git_reference_iterator_free>>;
using ObjectHandle = std::unique_ptr<git_object, Freer<git_object_free>>;
using RevwalkHandle = std::unique_ptr<git_revwalk, Freer<git_revwalk_free>>;
using DiffHandle = std::unique_ptr<git_diff, Freer<git_diff_free>>;

void StartLibgit2();

// Throws kInternal with libgit2's message.
[[noreturn]] void ThrowGit(std::string_view doing);
inline void Check(int result, std::string_view doing) {
  if (result < 0) ThrowGit(doing);
}

// Each ref of the repository, direct and symbolic.
template <typename F>
void ForEachReference(git_repository* repository, F each) {
  git_reference_iterator* raw_iterator = nullptr;
  Check(git_reference_iterator_new(&raw_iterator, repository), "list refs");
  RefIteratorHandle iterator(raw_iterator);
  git_reference* raw = nullptr;
  int result;
  while ((result = git_reference_next(&raw, raw_iterator)) == 0) {
    ReferenceHandle ref(raw);
    each(raw);
  }
  if (result != GIT_ITEROVER) ThrowGit("list refs");
}

inline git_oid ToGit(const GitOid& oid) {
  git_oid out;
  git_oid_fromraw(&out, oid.data());
  return out;
}
inline GitOid FromGit(const git_oid& oid) {
  return GitOid(std::string_view(reinterpret_cast<const char*>(oid.id), GitOid::kBytes));
}
inline std::string_view DataOf(const OdbObjectHandle& object) {
  return {static_cast<const char*>(git_odb_object_data(object.get())),
          git_odb_object_size(object.get())};
}

inline Error RevisionNotFound(const std::string& what) {
  return Error(Code::kNotFound, what).WithWireCode("RevisionNotFound");
}
inline Error EntryNotFound(const std::string& path) {
  return Error(Code::kNotFound, "\"" + path + "\" does not exist").WithWireCode("EntryNotFound");
}

}  // namespace hearth::storage::internal
