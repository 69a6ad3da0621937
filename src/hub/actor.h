// Who is calling, with what credential. Made by Accounts::Authenticate*, passed by const reference;
// a plain value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hub/types.h"

namespace hearth::hub {

// One scope of a fine-grained token: entity ("user"/"org"/"model"/"dataset"/"space", name) and its
// permissions ("repo.content.read", "repo.write", ...). Entity type "" = global.
struct TokenScope {
  std::string entity_type;
  std::string entity_name;
  std::vector<std::string> permissions;
  int64_t account_id = 0;  // of a user or org scope: set in an Actor, 0 in NewToken
};

struct Actor {
  enum class Via { kAnonymous, kToken, kSession, kSystem };
  Via via = Via::kAnonymous;
  int64_t user_id = 0;  // 0 = anonymous (or the system itself)
  std::string user_name;
  bool site_admin = false;
  int64_t token_id = 0;
  TokenRole token_role = TokenRole::kRead;
  std::vector<TokenScope> scopes;                      // fine-grained only
  bool can_read_gated = true;                          // fine-grained tokens may lack it
  std::vector<std::pair<int64_t, OrgRole>> org_roles;  // account id of the organisation -> role
  std::string csrf_token;                              // sessions only

  bool signed_in() const { return user_id != 0; }
  static Actor System();
};

}  // namespace hearth::hub
