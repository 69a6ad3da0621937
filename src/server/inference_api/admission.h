// Lets a request for a model in, or answers 429: the one place where the limits of
// inference/rate_limits.h meet HTTP. Callers are users, or addresses where nobody has signed in;
// administrators of the site are never limited.
#pragma once

#include "base/clock.h"
#include "inference/rate_limits.h"

namespace hearth::server {

struct Context;

struct AdmissionOptions {
  inference::RateLimitOptions user{.requests = 1000, .compute_seconds = 1800};
  inference::RateLimitOptions address{.requests = 100, .compute_seconds = 300};
};

class InferenceAdmission {
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
  InferenceAdmission* admission_;
  std::string caller_;
  bool signed_in_;
};

}  // namespace hearth::server
