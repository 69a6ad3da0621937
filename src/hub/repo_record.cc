#include "hub/repo_record.h"

#include "base/error.h"

namespace hearth::hub {

void RepoHandle::Require(Right needed) const {
  if (right_ < needed) {
    throw Error(Code::kInternal, "repository handle of " + record_->FullName() +
                                     " was opened with too small a right for this operation");
  }
}

}  // namespace hearth::hub
