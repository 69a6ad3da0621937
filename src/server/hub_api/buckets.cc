// Life cycle of buckets and their content tokens (wire reference, section 5.3).
#include "server/hub_api/buckets.h"

#include "base/bytes.h"
#include "base/error.h"
#include "codec/base64.h"
#include "server/xet_api/xet_tokens.h"

namespace hearth::server {
namespace {

using hub::Right;

constexpr size_t kPageSize = 500;

std::string BucketUrl(const Context& context, std::string_view id) {
  return context.base_url + "/buckets/" + std::string(id);
}

Json BucketJson(const hub::BucketRecord& bucket) {
  return Json::Obj({{"_id", bucket.oid},
                    {"author", bucket.owner},
                    {"id", bucket.FullName()},
                    {"private", bucket.is_private},
                    {"createdAt", FormatIso8601(bucket.created_at)},
                    {"updatedAt", FormatIso8601(bucket.updated_at)},
                    {"size", bucket.size_bytes},
                    {"totalFiles", bucket.files},
                    {"repoType", "bucket"},
                    {"cdnRegions", Json::Arr()}});
}

// "visibility" of new clients, "private" of the documentation.
std::optional<bool> PrivateField(const Json& body) {
  std::optional<std::string> visibility = body.StringField("visibility");
  if (!visibility) return body.BoolField("private");
  if (*visibility == "public") return false;
  if (*visibility == "private") return true;
  throw Error(Code::kInvalidArgument, "visibility must be 'public' or 'private'");
}

// A 409 must tell the client where the bucket is: it goes on from there (exist_ok).
template <typename F>
auto WithUrlOnConflict(const Context& context, F body) {
  try {
    return body();
  } catch (const Error& error) {
    if (error.code() != Code::kConflict) throw;
    Error told(Code::kConflict, error.message());
    for (const auto& [key, value] : error.details()) {
      if (key == "id") told = std::move(told).With("url", BucketUrl(context, value));
      if (key == "oid") told = std::move(told).With("id", value);
    }
    throw told;
  }
}

// Region and resource group say where a hub with several of them puts the bucket: there is one.
net::Response CreateBucket(Context& context) {
  Json body = context.JsonBody();
  bool is_private = PrivateField(body).value_or(false);
  return WithUrlOnConflict(context, [&] {
    hub::BucketHandle made =
        context.hub.buckets().Create(context.actor, context.request.Capture("ns"),
                                     context.request.Capture("new_name"), is_private);
    std::string id = made.record().FullName();
    return JsonResponse(
        Json::Obj({{"url", BucketUrl(context, id)}, {"name", id}, {"id", made.record().oid}}));
  });
}

net::Response BucketInfo(Context& context) {
  return JsonResponse(BucketJson(context.bucket().record()));
}

net::Response DeleteBucket(Context& context) {
  context.hub.buckets().Delete(context.bucket());
  return JsonResponse(Json::Obj());
}

// delete_bucket("name") of the Python client: missing, as its missing_ok expects, and not 405.
net::Response DeleteUnnamed(Context&) {
  throw Error(Code::kNotFound, "Repository not found").WithWireCode("RepoNotFound");
}

net::Response PutSettings(Context& context) {
  bool is_private = context.bucket().record().is_private;
  if (std::optional<bool> wanted = PrivateField(context.JsonBody())) {
    is_private = *wanted;
    context.hub.buckets().SetPrivate(context.bucket(), is_private);
  }
  return JsonResponse(Json::Obj({{"private", is_private}, {"cdnRegions", Json::Arr()}}));
}

net::Response ListBuckets(Context& context) {
  std::string name = context.request.Capture("ns");
  if (name == "me") {
    if (!context.actor.signed_in()) {
      throw Error(Code::kUnauthenticated, "Invalid username or password.");
    }
    name = context.actor.user_name;
  }
  hub::AccountPtr owner = context.hub.accounts().FindByName(name);
  if (!owner) throw Error(Code::kNotFound, "There is no user or organization with this name");
  std::string after;
  if (std::optional<std::string> cursor = context.request.QueryParam("cursor")) {
    std::optional<std::string> decoded = Base64UrlDecode(*cursor);
    if (!decoded) throw Error(Code::kInvalidArgument, "Invalid cursor");
    after = *std::move(decoded);
  }
  size_t limit = kPageSize;
  if (std::optional<std::string> text = context.request.QueryParam("limit")) {
    std::optional<uint64_t> wanted = ParseUint(*text);
    if (!wanted || *wanted == 0) {
      throw Error(Code::kInvalidArgument, "limit must be a positive number");
    }
    limit = std::min<uint64_t>(*wanted, kPageSize);
  }
  hub::Buckets::Page page = context.hub.buckets().List(
      context.actor, *owner, context.request.QueryParam("search").value_or(""), after, limit);
  Json::Array rows;
  for (const hub::BucketRecord& bucket : page.buckets) rows.push_back(BucketJson(bucket));
  net::Response response = JsonResponse(Json(std::move(rows)));
  if (!page.next.empty()) AddNextLink(&response, context, Base64UrlEncode(page.next));
  return response;
}

net::Response TokenFor(Context& context, XetRight right) {
  return XetTokenAnswer(
      context, MakeXetScope(context, hub::XetHolder::kBucket, context.bucket().record().id, right));
}

// Clients list again by themselves when they cannot follow.
net::Response Events(Context&) {
  throw Error(Code::kUnimplemented, "This hub does not publish the changes of a bucket");
}

}  // namespace

net::Response MoveBucket(Context& context, const Json& body) {
  hub::BucketHandle bucket =
      context.hub.buckets().Open(context.actor, body.RequireString("fromRepo"), Right::kAdmin);
  std::string to = body.RequireString("toRepo");
  return WithUrlOnConflict(context, [&] {
    context.hub.buckets().Move(context.actor, bucket, to);
    return JsonResponse(Json::Obj());
  });
}

void RegisterBuckets(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/buckets/{ns}",
             .access = Access::kPublic,
             .handle = ListBuckets,
             .summary = "The buckets of a namespace ('me' = the caller) that the caller sees."});
  table.Add({.methods = "DELETE",
             .pattern = "/api/buckets/{ns}",
             .access = Access::kUser,
             .handle = DeleteUnnamed,
             .summary = "404: a bucket is named with its namespace."});
  table.Add({.methods = "POST",
             .pattern = "/api/buckets/{ns}/{new_name}",
             .access = Access::kUserWrite,
             .handle = CreateBucket,
             .summary = "Creates a bucket."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/buckets/{ns}/{name}",
             .access = Access::kBucketRead,
             .handle = BucketInfo,
             .summary = "A bucket's visibility, size and number of files."});
  table.Add({.methods = "DELETE",
             .pattern = "/api/buckets/{ns}/{name}",
             .access = Access::kBucketAdmin,
             .handle = DeleteBucket,
             .summary = "Deletes a bucket with all its files."});
  table.Add({.methods = "PUT",
             .pattern = "/api/buckets/{ns}/{name}/settings",
             .access = Access::kBucketAdmin,
             .handle = PutSettings,
             .summary = "Changes a bucket's visibility."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/buckets/{ns}/{name}/xet-read-token",
             .access = Access::kBucketRead,
             .handle = [](Context& context) { return TokenFor(context, XetRight::kRead); },
             .summary = "Xet: a token that reads the bucket's content."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/buckets/{ns}/{name}/xet-write-token",
             .access = Access::kBucketWrite,
             .handle = [](Context& context) { return TokenFor(context, XetRight::kWrite); },
             .summary = "Xet: a token that uploads content for the bucket."});
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/buckets/{ns}/{name}/events",
             .access = Access::kBucketRead,
             .handle = Events,
             .summary = "501: changes of buckets are not published."});
}

}  // namespace hearth::server
