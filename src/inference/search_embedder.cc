#include "inference/search_embedder.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/error.h"
#include "base/log.h"

namespace hearth::inference {
namespace {

constexpr size_t kMaxAnswerBytes = 16 << 20;

// An answer that another thread makes; stays until both sides have let go.
struct Pending {
  std::mutex mutex;
  std::condition_variable changed;
  bool answered = false, ready = false;
  net::Response response;
};

// The bytes of an answer; nullopt when they do not come in time.
std::optional<std::string> Collect(net::Response response,
                                   std::chrono::steady_clock::time_point until) {
  auto pending = std::make_shared<Pending>();
  // Lives until the end, as a client's would: when it goes, the worker is told to stop.
  net::LaterBody later;
  if (auto* body = std::get_if<net::LaterBody>(&response.body)) {
    later = std::move(*body);
    later.start([pending](net::Response came) {
      std::lock_guard lock(pending->mutex);
      pending->response = std::move(came);
      pending->answered = true;
      pending->changed.notify_all();
    });
    std::unique_lock lock(pending->mutex);
    if (!pending->changed.wait_until(lock, until, [&] { return pending->answered; }))
      return std::nullopt;
    response = std::move(pending->response);
  }
  if (response.status != 200) return std::nullopt;
  if (auto* text = std::get_if<std::string>(&response.body)) return std::move(*text);
  auto* stream = std::get_if<net::StreamBody>(&response.body);
  if (stream == nullptr) return std::nullopt;
  std::string all, piece;
  for (bool more = true; more;) {
    piece.clear();
    more = stream->next(&piece);
    all += piece;
    if (all.size() > kMaxAnswerBytes) return std::nullopt;
    if (!more || !piece.empty() || !stream->wait) continue;
    {
      std::lock_guard lock(pending->mutex);
      pending->ready = false;
    }
    stream->wait([pending] {
      std::lock_guard lock(pending->mutex);
      pending->ready = true;
      pending->changed.notify_all();
    });
    std::unique_lock lock(pending->mutex);
    if (!pending->changed.wait_until(lock, until, [&] { return pending->ready; }))
      return std::nullopt;
  }
  return all;
}

std::optional<std::vector<std::vector<float>>> ReadVectors(const std::string& text, size_t count) {
  Json answer = Json::Parse(text);
  const Json::Array* rows = answer.AsArray();
  if (rows == nullptr || rows->size() != count) return std::nullopt;
  std::vector<std::vector<float>> vectors;
  for (const Json& row : *rows) {
    const Json::Array* values = row.AsArray();
    if (values == nullptr || values->empty()) return std::nullopt;
    std::vector<float>& vector = vectors.emplace_back();
    for (const Json& value : *values) {
      std::optional<double> number = value.AsDouble();
      if (!number) return std::nullopt;
      vector.push_back(static_cast<float>(*number));
    }
  }
  return vectors;
}

}  // namespace

SearchEmbedder::SearchEmbedder(hub::Hub& hub, Scheduler& scheduler, std::string model)
    : hub_(hub), scheduler_(scheduler) {
  size_t slash = model.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == model.size())
    throw Error(Code::kInvalidArgument, "the search model must be named owner/name");
  owner_ = model.substr(0, slash);
  name_ = model.substr(slash + 1);
}

hub::RepoPtr SearchEmbedder::Find() const {
  return hub_.repos().Find(hub::RepoType::kModel, owner_, name_);
}

std::string SearchEmbedder::Identity() {
  hub::RepoPtr repo = Find();
  if (!repo || !repo->head || scheduler_.StatusOf(*repo).state == ModelState::kFailed) return {};
  return repo->FullName() + "@" + repo->head->Hex();
}

std::optional<std::vector<std::vector<float>>> SearchEmbedder::Embed(
    std::span<const std::string> texts, std::chrono::milliseconds patience) {
  auto until = std::chrono::steady_clock::now() + patience;
  hub::RepoPtr repo = Find();
  if (!repo || !repo->head) return std::nullopt;
  Json inputs = Json::Arr();
  for (const std::string& text : texts) inputs.Push(text);
  net::Request request;
  request.method = "POST";
  request.headers.Add("Content-Type", "application/json");
  request.body = net::RequestBody(
      Json::Obj({{"inputs", std::move(inputs)}, {"truncate", true}, {"normalize", true}}).Dump());
  try {
    ForwardOptions options;
    options.hold = std::chrono::ceil<std::chrono::seconds>(patience);
    std::optional<std::string> answer = Collect(
        scheduler_.Forward(hub_.repos().OpenAsSystem(repo), request, "/embed", options), until);
    if (!answer) return std::nullopt;
    return ReadVectors(*answer, texts.size());
  } catch (const Error& error) {
    log::Info("the model of search gave no vectors", {{"reason", error.message()}});
    return std::nullopt;
  }
}

}  // namespace hearth::inference
