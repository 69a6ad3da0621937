// For tests: an App over a hub in a temporary folder, called without sockets.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "codec/json.h"
#include "hub/hub.h"
#include "net/http.h"
#include "server/app.h"
#include "server/inference_api/model_judge.h"

namespace hearth::server {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

struct Call {
  std::string method = "GET";
  std::string target;  // raw path and query
  HeaderList headers = {};
  std::string body = {};
};

// What one model may take in tests.
inline constexpr uint64_t kModelBytes = 1u << 30;

class AppFixture : public ::testing::Test {
 protected:
  AppFixture() : folder_(std::filesystem::temp_directory_path() / ("hearth-app-" + NewObjectId())) {
    hub_ = std::make_unique<hub::Hub>(
        hub::HubOptions{.data = folder_, .clock = &clock_, .judge = MakeModelJudge(kModelBytes)},
        true);
    app_ = std::make_unique<App>(*hub_, AppOptions{.base_url = "http://hub.test"});
    app_->SetReady(true);
  }
  ~AppFixture() override {
    app_.reset();
    hub_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  net::Request MakeRequest(const Call& call) const {
    net::Request request;
    request.method = call.method;
    request.raw_target = call.target;
    size_t question = call.target.find('?');
    request.raw_path = call.target.substr(0, question);
    if (question != std::string::npos) request.raw_query = call.target.substr(question + 1);
    request.host = "hub.test";
    request.headers.Add("Host", "hub.test");
    request.peer = "127.0.0.1";
    request.request_id = "test-request";
    for (const auto& [name, value] : call.headers) request.headers.Add(name, value);
    return request;
  }

  // Ready lines of a HEAD from memory, as fields.
  static net::Response WithRendered(net::Response response) {
    if (!response.rendered) return response;
    for (std::string_view line : Split(*response.rendered, '\n')) {
      size_t colon = line.find(": ");
      if (colon == std::string_view::npos) continue;
      response.headers.Add(std::string(line.substr(0, colon)),
                           std::string(TrimAscii(line.substr(colon + 2))));
    }
    return response;
  }

  // Does what the network layer does: plan, check before the body, body, handler.
  net::Response Send(const Call& call) {
    net::Request request = MakeRequest(call);
    net::Plan plan = app_->PlanFor(request);
    if (plan.answer) return WithRendered(*std::move(plan.answer));
    if (plan.admit) {
      if (std::optional<net::Response> refusal = plan.admit(request)) return *std::move(refusal);
    }
    if (plan.body.spool_always) {
      TempFile file(hub_->temp_folder());
      file.Append(call.body);
      request.body = net::RequestBody(std::move(file), Sha256Of(call.body));
    } else {
      request.body = net::RequestBody(call.body);
    }
    return plan.handle(request);
  }

  net::Response Get(const std::string& target, const std::string& token = "") {
    return Send({.target = target, .headers = Bearer(token)});
  }
  net::Response SendJson(const std::string& method, const std::string& target, const Json& body,
                         const std::string& token = "") {
    HeaderList headers = Bearer(token);
    headers.emplace_back("Content-Type", "application/json");
    return Send({.method = method, .target = target, .headers = headers, .body = body.Dump()});
  }

  static HeaderList Bearer(const std::string& token) {
    if (token.empty()) return {};
    return {{"Authorization", "Bearer " + token}};
  }
  static std::string BodyText(const net::Response& response) {
    if (const std::string* text = std::get_if<std::string>(&response.body)) return *text;
    std::string pulled;
    if (const auto* stream = std::get_if<net::StreamBody>(&response.body)) {
      while (stream->next(&pulled)) {
      }
    }
    return pulled;
  }
  static Json BodyJson(const net::Response& response) { return Json::Parse(BodyText(response)); }
  static std::string TextAt(const Json& json, std::string_view key) {
    const Json* value = json.Find(key);
    return value == nullptr || value->AsString() == nullptr ? "" : *value->AsString();
  }

  int64_t MakeUser(const std::string& name, const std::string& password = "") {
    return hub_->accounts().CreateUser(name, password, "", false)->id;
  }
  std::string MakeToken(int64_t user, hub::TokenRole role = hub::TokenRole::kWrite) {
    return hub_->accounts().CreateToken(user, {.name = "test", .role = role}).second;
  }
  hub::RepoPtr MakeRepo(hub::RepoType type, const std::string& owner, const std::string& name,
                        bool is_private = false) {
    hub::NewRepo repo;
    repo.type = type;
    repo.owner = owner;
    repo.name = name;
    repo.is_private = is_private;
    return hub_->repos().Create(hub::Actor::System(), repo).ptr();
  }
  // Files as one commit of main.
  GitOid Commit(const hub::RepoPtr& repo,
                const std::vector<std::pair<std::string, std::string>>& files) {
    hub::CommitRequest request;
    request.revision = "main";
    request.summary = "files";
    for (const auto& [path, bytes] : files)
      request.operations.push_back(hub::CommitFile{path, bytes});
    hub::RepoHandle handle = hub_->repos().OpenAsSystem(hub_->repos().FindById(repo->id));
    return hub_->commits().Apply(hub::Actor::System(), handle, request).oid;
  }

  std::filesystem::path folder_;
  ManualClock clock_{FromUnixMillis(1'800'000'000'000)};
  std::unique_ptr<hub::Hub> hub_;
  std::unique_ptr<App> app_;
};

}  // namespace hearth::server
