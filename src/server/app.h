// The HTTP face of a Hub: dispatcher (authentication, access, error mapping, CORS, metrics) over
// the route table.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "hub/hub.h"
#include "inference/scheduler.h"
#include "net/server.h"
#include "server/inference_api/admission.h"

namespace hearth::server {

struct AppOptions {
  std::string base_url;  // "" = from the Host header of each request
  bool allow_sign_up = false;
  std::string program;                        // path of the running binary: git hooks call it back
  inference::Scheduler* scheduler = nullptr;  // not owned; nullptr = this hub runs no models
  AdmissionOptions admission = {};
};

class App : public net::Dispatcher {
 public:
  App(hub::Hub& hub, AppOptions options);
  ~App() override;
  net::Plan PlanFor(net::Request& request) override;
  // For on_request_done and /metrics.
  void RecordRequest(const std::string& method, const std::string& route, int status,
                     std::chrono::microseconds elapsed);
  void SetServerStats(std::function<net::ServerStats()> stats);
  void SetReady(bool ready);
  // Ends what administrators have asked for (hub/chores.h) at its next step; at shutdown.
  void StopChores();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::server
