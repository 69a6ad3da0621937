#include "server/inference_api/admission.h"

#include <algorithm>

#include "base/error.h"
#include "server/route.h"

namespace hearth::server {
namespace {

// A provider gives every customer a network of its own: an IPv6 caller is its first 64 bits.
constexpr size_t kIpv6Groups = 4;

std::string AddressKey(const std::string& peer) {
  if (std::count(peer.begin(), peer.end(), ':') < 2) return "ip:" + peer;
  size_t at = 0;
  for (size_t group = 0; group < kIpv6Groups && at != std::string::npos; ++group)
    at = peer.find(':', at == 0 ? 0 : at + 1);
  return "ip:" + peer.substr(0, at);
}

// "" = never limited.
std::string CallerOf(const Context& context) {
  if (context.actor.site_admin) return {};
  if (context.actor.signed_in()) return "user:" + std::to_string(context.actor.user_id);
  return AddressKey(context.request.peer);
}

const inference::RateLimitOptions& OptionsFor(const InferenceAdmission& admission, bool signed_in) {
  return signed_in ? admission.options().user : admission.options().address;
}

[[noreturn]] void Refuse(const inference::RateVerdict& verdict) {
  std::string name = "\"" + std::string(verdict.resource) + "\"";
  bool compute = name == "\"compute\"";
  throw Error(Code::kTooManyRequests,
              std::string(compute ? "The computing time" : "The number of requests") +
                  " that one caller may have of this hub's models is used up; try again in " +
                  std::to_string(verdict.reset_seconds) + " seconds")
      .With("error_type", "overloaded")
      .WithHeader("Retry-After", std::to_string(verdict.reset_seconds))
      .WithHeader("RateLimit", name + ";r=0;t=" + std::to_string(verdict.reset_seconds))
      .WithHeader("RateLimit-Policy", "\"token bucket\";" + name +
                                          ";q=" + std::to_string(verdict.limit) +
                                          ";w=" + std::to_string(verdict.window_seconds));
}

}  // namespace

void AdmitInference(Context& context) {
  std::string caller = CallerOf(context);
  if (context.admission == nullptr || caller.empty()) return;
  inference::RateVerdict verdict = context.admission->limits().Admit(
      caller, OptionsFor(*context.admission, context.actor.signed_in()));
  if (!verdict.admitted) Refuse(verdict);
}

ComputeAccount::ComputeAccount(const Context& context)
    : admission_(context.admission == nullptr ? nullptr : context.admission->shared_from_this()),
      caller_(CallerOf(context)),
      signed_in_(context.actor.signed_in()) {}

void ComputeAccount::Charge(double seconds) const {
  if (admission_ == nullptr || caller_.empty()) return;
  admission_->limits().Charge(caller_, seconds, OptionsFor(*admission_, signed_in_));
}

std::function<void(double)> ChargeFor(const Context& context) {
  return [account = ComputeAccount(context)](double seconds) { account.Charge(seconds); };
}

}  // namespace hearth::server
