// Commits: blobs and trees first, then the commit object, all durable, and only then the ref.
#include "storage/git/git_repository.h"
#include "storage/git/internal/commit_text.h"
#include "storage/git/internal/repository_impl.h"
#include "storage/git/internal/tree_editor.h"

namespace hearth::storage {

using namespace internal;

namespace {

void CheckPath(std::string_view path) {
  if (std::optional<std::string> fault = PathFault(path)) {
    throw Error(Code::kInvalidArgument, "path \"" + std::string(path) + "\" " + *fault);
  }
}

// Adds one change of the tree to the editor, and new content to the batch.
class ChangeCollector {
 public:
  // `is_blob` answers whether the repository has the blob.
  ChangeCollector(TreeEditor& editor, ObjectBatch& batch,
                  std::function<bool(const GitOid&)> is_blob)
      : editor_(editor), batch_(batch), is_blob_(std::move(is_blob)) {}

  void operator()(const PutFile& put) {
    CheckPath(put.path);
    if (put.kind == EntryKind::kFolder || put.kind == EntryKind::kSubmodule) {
      throw Error(Code::kInvalidArgument, "\"" + put.path + "\" can only be a file or a symlink");
    }
    editor_.Put(put.path, BlobOf(put), ModeOf(put.kind));
  }
  void operator()(const DeleteFile& deletion) {
    CheckPath(deletion.path);
    editor_.DeleteFile(deletion.path);
  }
  void operator()(const DeleteFolder& deletion) {
    std::string_view path = WithoutTrailingSlash(deletion.path);
    CheckPath(path);
    editor_.DeleteFolder(path);
  }

 private:
  GitOid BlobOf(const PutFile& put) {
    if (const auto* content = std::get_if<std::string>(&put.content)) {
      return batch_.AddBorrowed(GIT_OBJECT_BLOB, *content);
    }
    const GitOid& blob = std::get<GitOid>(put.content);
    if (!batch_.Contains(blob) && !is_blob_(blob)) {
      throw Error(Code::kInvalidArgument,
                  "blob " + blob.Hex() + " for \"" + put.path + "\" is not in this repository");
    }
    return blob;
  }

  TreeEditor& editor_;
  ObjectBatch& batch_;
  const std::function<bool(const GitOid&)> is_blob_;
};

}  // namespace

GitOid GitRepository::Commit(const NewCommit& commit) {
  RefStore refs = impl_->Refs();
  CheckFullRefName(commit.ref);
  // Said before any work is done; the update below decides.
  refs.CheckExpected(commit.ref, commit.expected_head);

  std::optional<GitOid> old_tree;
  std::vector<GitOid> parents;
  if (commit.expected_head) {
    old_tree = impl_->TreeOf(*commit.expected_head);
    parents.push_back(*commit.expected_head);
  }
  ObjectBatch batch = impl_->NewBatch();
  TreeEditor editor([this](const GitOid& oid) { return impl_->ReadObject(oid, GIT_OBJECT_TREE); },
                    batch);
  ChangeCollector collect(editor, batch, [this](const GitOid& oid) {
    std::optional<Impl::Header> header = impl_->FindHeader(oid);
    return header && header->type == GIT_OBJECT_BLOB;
  });
  for (const TreeChange& change : commit.changes) std::visit(collect, change);
  GitOid tree = editor.Apply(old_tree);
  if (!commit.allow_empty && old_tree == tree) return *commit.expected_head;

  GitOid oid =
      batch.AddOwned(GIT_OBJECT_COMMIT, CommitText(tree, parents, commit.author, commit.message));
  batch.Store();
  refs.Update(commit.ref, commit.expected_head, oid);
  return oid;
}

std::vector<GitOid> GitRepository::WriteBlobs(const std::vector<std::string>& contents) {
  ObjectBatch batch = impl_->NewBatch();
  std::vector<GitOid> oids;
  oids.reserve(contents.size());
  for (const std::string& content : contents) {
    oids.push_back(batch.AddBorrowed(GIT_OBJECT_BLOB, content));
  }
  batch.Store();
  return oids;
}

GitOid GitRepository::MakeSquashed(const GitOid& commit, std::string_view message,
                                   const Signature& author) {
  ObjectBatch batch = impl_->NewBatch();
  GitOid oid =
      batch.AddOwned(GIT_OBJECT_COMMIT, CommitText(impl_->TreeOf(commit), {}, author, message));
  batch.Store();
  return oid;
}

}  // namespace hearth::storage
