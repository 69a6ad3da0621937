// What pages of the administration know of the process that they run in. Set once, before the first
// request; what the pointers name is thread-safe.
#pragma once

#include <functional>

#include "base/clock.h"
#include "hub/chores.h"
#include "net/server.h"
#include "server/request_history.h"

namespace hearth::server {

struct Surroundings {
  bool sign_up = false;  // visitors may make accounts
  TimePoint started_at;
  const RequestHistory* history = nullptr;
  hub::Chores* chores = nullptr;
  std::function<net::ServerStats()> server_stats;
};

}  // namespace hearth::server
