// Xorbs on their way in: "do you have it?", the upload itself, and the size of a stored one.
#include <memory>
#include <utility>

#include "base/error.h"
#include "server/xet_api/cas_request.h"
#include "storage/xet/xorb.h"

namespace hearth::server {
namespace {

// Names a length and a checksum that the hub does not need.
constexpr uint64_t kMaxGrantBytes = 64 << 10;

Json WasInserted(bool inserted) { return Json::Obj({{"was_inserted", inserted}}); }

[[noreturn]] void NotStored() {
  throw Error(Code::kNotFound, "The xorb is not stored for this token: upload it");
}

// 200 tells the client to skip the upload; 404 to upload.
net::Response Grant(Context& context) {
  hub::XetScope scope = RequireScope(context);
  CheckPrefix(context);
  if (!context.hub.xet().HoldsXorb(scope, HashCapture(context, "xorb"))) NotStored();
  return JsonResponse(WasInserted(false));
}

// Checks a xorb while it arrives: its bytes are still in the processor's cache.
class XorbWatch : public net::BodyWatch {
 public:
  explicit XorbWatch(std::unique_ptr<hub::XorbArrival> arrival) : arrival_(std::move(arrival)) {}
  void Take(std::string_view bytes) override { arrival_->Take(bytes); }
  hub::XorbArrival& arrival() { return *arrival_; }

 private:
  std::unique_ptr<hub::XorbArrival> arrival_;
};

void AdmitXorb(Context& context) {
  hub::XetScope scope = AdmitWriter(context);
  CheckPrefix(context);
  storage::XetHash hash = HashCapture(context, "xorb");
  context.request.watch = std::make_shared<XorbWatch>(context.hub.xet().Receive(scope, hash));
}

net::Response Upload(Context& context) {
  hub::XetScope scope = AdmittedScope(context);
  storage::XetHash hash = HashCapture(context, "xorb");
  net::RequestBody& body = context.request.body;
  hub::Xet& xet = context.hub.xet();
  auto* watch = dynamic_cast<XorbWatch*>(body.watch().get());
  bool inserted = watch != nullptr ? xet.PutXorb(scope, watch->arrival(), body.TakeFile())
                                   : xet.PutXorb(scope, hash, body.TakeFile());
  return JsonResponse(WasInserted(inserted));
}

net::Response StoredSize(Context& context) {
  hub::XetScope scope = RequireScope(context);
  CheckPrefix(context);
  std::optional<hub::StoredXorb> xorb =
      context.hub.xet().HoldsXorb(scope, HashCapture(context, "xorb"));
  if (!xorb) NotStored();
  net::Response response = net::Response::Empty(200);
  response.headers.Set("Content-Length", std::to_string(xorb->body_bytes));
  return response;
}

}  // namespace

void RegisterXetXorbs(RouteTable& table) {
  AddCasRoute(table,
              {.methods = "POST",
               .pattern = {},
               .access = Access::kSigned,
               .handle = Grant,
               .body = {.max_bytes = kMaxGrantBytes, .memory_bytes = kMaxGrantBytes},
               .summary = "Xet: need this xorb be uploaded?"},
              {"/v1/xorb-grants/{prefix}/{xorb}"});
  AddCasRoute(table,
              {.methods = "POST",
               .pattern = {},
               .access = Access::kSigned,
               .handle = Upload,
               .body = {.max_bytes = storage::kXorbMaxBodyBytes + storage::kXorbMaxFooterBytes,
                        .memory_bytes = 0,
                        .spool_always = true,
                        .accept_gzip = false},
               .admit = AdmitXorb,
               .summary = "Xet: a xorb's bytes."},
              {"/v1/xorbs/{prefix}/{xorb}", "/xorbs/{prefix}/{xorb}", "/xorb/{prefix}/{xorb}"});
  AddCasRoute(table,
              {.methods = "HEAD",
               .pattern = {},
               .access = Access::kSigned,
               .handle = StoredSize,
               .summary = "Xet: the size of a stored xorb."},
              {"/v1/xorbs/{prefix}/{xorb}", "/xorbs/{prefix}/{xorb}"});
}

}  // namespace hearth::server
