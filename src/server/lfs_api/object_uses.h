// Which large objects of a repository are in use, and giving up those that are not.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "server/route.h"

namespace hearth::server {

struct ObjectUse {
  std::string path;
  std::string ref;
};
using ObjectUses = std::map<Sha256, ObjectUse>;

// Which file of which ref uses an object. An object may have many names; main's come first, then
// other branches and tags by name. Reads the tree of every ref.
ObjectUses FindObjectUses(const hub::RepoHandle& repo);

// The repository holds these no longer. Only what no branch or tag shows any more (kConflict
// otherwise): a file whose content is gone would be a broken file. With `rewrite_history` the files
// go too, from every commit of every ref. Right::kWrite.
void GiveUpObjects(Context& context, const std::vector<Sha256>& oids, bool rewrite_history);

}  // namespace hearth::server
