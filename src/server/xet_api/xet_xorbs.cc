// Xorbs on their way in: "do you have it?", the upload itself, and the size of a stored one.
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

void AdmitXorb(Context& context) {
  AdmitWriter(context);
  CheckPrefix(context);
  HashCapture(context, "xorb");
}

// Checks a xorb while it arrives: its bytes are still in the processor's cache.
class XorbWatch : public net::BodyWatch {
 public:
  void Take(std::string_view bytes) override {
    if (fault_) return;
    try {
      validator_.Feed(bytes);
    } catch (const Error& error) {
      fault_ = error;
    }
  }
  // Throws what is wrong with the body.
  storage::XorbIndex Finish(const storage::XetHash& expected) {
    if (fault_) throw *fault_;
    return validator_.Finish(expected);
  }

 private:
  storage::XorbValidator validator_;
  std::optional<Error> fault_;
};

net::Response Upload(Context& context) {
  hub::XetScope scope = AdmittedScope(context);
  storage::XetHash hash = HashCapture(context, "xorb");
  net::RequestBody& body = context.request.body;
  auto* watch = dynamic_cast<XorbWatch*>(body.watch().get());
  bool inserted = watch != nullptr
                      ? context.hub.xet().PutXorb(scope, watch->Finish(hash), body.TakeFile())
                      : context.hub.xet().PutXorb(scope, hash, body.TakeFile());
  return JsonResponse(WasInserted(inserted));
}

net::Response StoredSize(Context& context) {
  hub::XetScope scope = RequireScope(context);
  CheckPrefix(context);
  storage::XetHash hash = HashCapture(context, "xorb");
  if (!context.hub.xet().HoldsXorb(scope, hash)) NotStored();
  std::optional<hub::StoredXorb> xorb = context.hub.xet().index().FindXorb(hash);
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
                        .accept_gzip = false,
                        .watch = [] { return std::make_shared<XorbWatch>(); }},
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
