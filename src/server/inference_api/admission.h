// Lets a request for a model in, or answers 429: the one place where the limits of
// inference/rate_limits.h meet HTTP. Callers are users, or addresses where nobody has signed in;
// administrators of the site are never limited.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "inference/rate_limits.h"

namespace hearth::server {

struct Context;

struct AdmissionOptions {
  // A person at work, or a program that asks ten times a second; a passer-by.
  inference::RateLimitOptions user{.requests = 3000, .compute_seconds = 3600};
  inference::RateLimitOptions address{.requests = 300, .compute_seconds = 600};
};

// Held by a shared pointer: answers may end after the App.
class InferenceAdmission : public std::enable_shared_from_this<InferenceAdmission> {
 public:
  InferenceAdmission(Clock& clock, const AdmissionOptions& options)
      : limits_(clock), options_(options) {}
  inference::RateLimits& limits() { return limits_; }
  const AdmissionOptions& options() const { return options_; }

 private:
  inference::RateLimits limits_;
  const AdmissionOptions options_;
};

// Throws kTooManyRequests with Retry-After, RateLimit and RateLimit-Policy; "error_type" in the
// body. Call before a request is given to a model.
void AdmitInference(Context& context);

// Whoever is charged for a request, for answers that end after their context.
class ComputeAccount {
 public:
  explicit ComputeAccount(const Context& context);
  // The seconds that a model has computed for the request.
  void Charge(double seconds) const;

 private:
  std::shared_ptr<InferenceAdmission> admission_;  // null = nobody is charged
  std::string caller_;
  bool signed_in_;
};

// For ForwardOptions::on_computed.
std::function<void(double)> ChargeFor(const Context& context);

}  // namespace hearth::server
