#include "server/write_access.h"

#include "base/error.h"

namespace hearth::server {

hub::RepoHandle OpenForWrite(const Context& context) {
  if (!context.actor.signed_in()) {
    throw Error(Code::kUnauthenticated, "Authentication is required to write");
  }
  const hub::RepoRecord& record = context.repo().record();
  return context.hub.repos().Open(context.actor, record.type, record.FullName(),
                                  hub::Right::kWrite);
}

}  // namespace hearth::server
