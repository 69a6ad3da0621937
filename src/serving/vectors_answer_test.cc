// The routes that embed texts, asked as the network layer asks them: PlanFor, then a handler, then
// the start of an answer that comes later. To drop that answer's body is what a client that leaves
// does.
#include "serving/vectors_answer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <future>
#include <thread>

#include "base/error.h"
#include "codec/base64.h"
#include "runtime/engine/tiny_model.h"

namespace hearth::serving {
namespace {

using Vector = std::vector<float>;

// One client.
class Client {
 public:
  Client(ModelServer& server, const std::string& path, const std::string& body) {
    request_.method = "POST";
    request_.raw_target = request_.raw_path = path;
    plan_ = server.PlanFor(request_);
    request_.body = net::RequestBody(body);
  }

  // Whether the I/O thread answered.
  bool AskAtOnce() {
    if (!plan_.handle_at_once) return false;
    auto response = plan_.handle_at_once(request_);
    if (response) Take(*std::move(response));
    return response.has_value();
  }
  void Ask() {
    if (!AskAtOnce()) Take(plan_.handle(request_));
  }
  bool waits() const { return later_.has_value(); }
  void Leave() { later_.reset(); }
  // Waits for the answer.
  Json Answer(int status = 200) {
    net::Response response = answer_->get_future().get();
    EXPECT_EQ(response.status, status);
    EXPECT_NE(response.headers.Find("x-compute-time"), nullptr);
    return Json::Parse(std::get<std::string>(response.body));
  }

 private:
  void Take(net::Response response) {
    auto* later = std::get_if<net::LaterBody>(&response.body);
    if (later == nullptr) return answer_->set_value(std::move(response));
    later_ = std::move(*later);
    later_->start([answer = answer_](net::Response made) { answer->set_value(std::move(made)); });
  }

  net::Request request_;
  net::Plan plan_;
  std::optional<net::LaterBody> later_;
  // May come when the client is no more.
  std::shared_ptr<std::promise<net::Response>> answer_ =
      std::make_shared<std::promise<net::Response>>();
};

Vector ToVector(const Json& list) {
  Vector vector;
  for (const Json& item : *list.AsArray()) {
    vector.push_back(static_cast<float>(*item.AsDouble()));
  }
  return vector;
}

Vector OfLength1(Vector vector) {
  double squares = 0;
  for (float value : vector) squares += double{value} * value;
  for (float& value : vector) value /= static_cast<float>(std::sqrt(squares));
  return vector;
}

// How a route is asked for one text, and where its vector lies in the answer.
struct Route {
  std::string path;
  std::string (*body)(const std::string& text);
  Json (*vector)(const Json& answer);
};

std::string AsInput(const std::string& text) {
  return R"({"normalize": false, "input": ")" + text + "\"}";
}
std::string AsInputs(const std::string& text) { return R"({"inputs": ")" + text + "\"}"; }
std::string AsPrompt(const std::string& text) { return R"({"prompt": ")" + text + "\"}"; }
Json First(const Json& list) { return list.AsArray()->front(); }
Json Itself(const Json& list) { return list; }

const Route kRoutes[] = {
    {"/embed",
     [](const std::string& text) { return R"({"normalize": false, "inputs": ")" + text + "\"}"; },
     First},
    {"/v1/embeddings", AsInput,
     [](const Json& answer) { return *First(*answer.Find("data")).Find("embedding"); }},
    {"/api/embeddings", AsPrompt, [](const Json& answer) { return *answer.Find("embedding"); }},
    {"/", AsInputs, Itself},
    {"/pipeline/feature-extraction", AsInputs, Itself},
};

// A text generator that is told to be an encoder of sentences.
class EmbeddingRoutes : public testing::Test {
 protected:
  EmbeddingRoutes() {
    files_.Write("modules.json",
                 R"([{"type": "sentence_transformers.models.Transformer", "path": ""},
                     {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}])");
    std::filesystem::create_directories(files_.folder() / "1_Pooling");
    files_.Write("1_Pooling/config.json",
                 R"({"word_embedding_dimension": 64, "pooling_mode_mean_tokens": true})");
    runtime::EngineOptions options;
    options.threads = 1;
    runner_ = std::make_unique<runtime::Runner>(runtime::Model::Load(files_.folder()), options);
    server_ = std::make_unique<ModelServer>(*runner_, ModelServerOptions{.model_id = "a \"b\""});
  }

  Vector Expected(const std::string& text) {
    return runtime::EmbedTexts(*runner_, {&text, 1}, {}).vectors.front();
  }
  void ExpectNear(const Vector& a, const Vector& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4);
  }

  runtime::TinyModel files_{"vectors_answer_test"};
  std::unique_ptr<runtime::Runner> runner_;
  std::unique_ptr<ModelServer> server_;
};

// Keeps the embedder from all others until it is told to go.
class BusyEmbedder {
 public:
  explicit BusyEmbedder(runtime::Encoder& encoder) {
    runtime::EncoderJob job;
    job.inputs.resize(1);
    job.inputs[0].ids = {5};
    job.output = "embedding";
    job.visit = [state = state_](size_t, const tensor::OutputRows&) {
      state->begun.set_value();
      state->free.get_future().wait();
    };
    job.done = [](const std::exception_ptr&) {};
    encoder.Start(std::move(job));
    state_->begun.get_future().wait();
  }
  void Free() { state_->free.set_value(); }

 private:
  struct State {
    std::promise<void> begun, free;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

TEST_F(EmbeddingRoutes, AFewTextsAreLeftToTheEmbedderOnceItIsMade) {
  for (const Route& route : kRoutes) {
    Client first(*server_, route.path, route.body("w1 w2"));
    EXPECT_FALSE(first.AskAtOnce()) << route.path << ": the embedder would have to be made";
  }
  runner_->embedder();
  for (const Route& route : kRoutes) {
    Client client(*server_, route.path, route.body("w1 w2"));
    ASSERT_TRUE(client.AskAtOnce()) << route.path;
    EXPECT_TRUE(client.waits()) << route.path;
    ExpectNear(ToVector(route.vector(client.Answer())), Expected("w1 w2"));
  }
  std::string many = "[\"w1\"";
  for (int i = 0; i < 40; ++i) many += ", \"w1\"";
  Client client(*server_, "/embed", R"({"inputs": )" + many + "]}");
  EXPECT_FALSE(client.AskAtOnce()) << "too many for the I/O thread";
  std::string lists = "[[5]";
  for (int i = 0; i < 40; ++i) lists += ",[5]";
  Client tokens(*server_, "/v1/embeddings", R"({"input": )" + lists + "]}");
  EXPECT_FALSE(tokens.AskAtOnce()) << "too many for the I/O thread";
  tokens.Ask();
  EXPECT_EQ(tokens.Answer().Find("data")->size(), 41u);
}

TEST_F(EmbeddingRoutes, TheTextsOfClientsThatLeaveAreNotComputed) {
  BusyEmbedder busy(runner_->embedder());
  std::vector<std::unique_ptr<Client>> stay, leave;
  for (const Route& route : kRoutes) {
    for (int i = 0; i < 4; ++i) {
      auto& clients = i % 2 == 0 ? stay : leave;
      clients.push_back(std::make_unique<Client>(*server_, route.path, route.body("w7 w8 w9")));
      clients.back()->Ask();
      ASSERT_TRUE(clients.back()->waits()) << route.path;
    }
  }
  for (auto& client : leave) client->Leave();
  uint64_t before = runner_->embedder().state().texts;
  busy.Free();
  for (size_t i = 0; i < stay.size(); ++i) {
    ExpectNear(ToVector(kRoutes[i / 2].vector(stay[i]->Answer())), Expected("w7 w8 w9"));
  }
  // Those who left may be told so after the others.
  for (auto& client : leave) client->Answer(503);
  runtime::EncoderState state = runner_->embedder().state();
  EXPECT_EQ(state.left_texts, leave.size());
  EXPECT_EQ(state.texts - before, 2 * stay.size()) << "each of them, and what it was compared with";
  EXPECT_EQ(state.waiting, 0u);
}

TEST_F(EmbeddingRoutes, SixtyFourClientsAtOnceGetTheirOwn) {
  std::vector<Vector> expected;
  std::vector<std::string> texts;
  for (int i = 0; i < 64; ++i) {
    texts.push_back("w" + std::to_string(i) + " w" + std::to_string(i % 7));
    expected.push_back(Expected(texts.back()));
  }
  std::vector<std::thread> clients;
  for (int i = 0; i < 64; ++i) {
    clients.emplace_back([&, i] {
      const Route& route = kRoutes[i % std::size(kRoutes)];
      for (int n = 0; n < 3; ++n) {
        Client client(*server_, route.path, route.body(texts[i]));
        client.Ask();
        ExpectNear(ToVector(route.vector(client.Answer())), expected[i]);
      }
    });
  }
  for (std::thread& client : clients) client.join();
}

TEST_F(EmbeddingRoutes, OpenAisAnswerHasEitherFormItsSizeAndItsCosts) {
  runner_->embedder();
  auto ask = [&](const std::string& body, int status = 200) {
    Client client(*server_, "/v1/embeddings", body);
    client.Ask();
    return client.Answer(status);
  };
  Json answer = ask(R"({"input": ["w1 w2 w3", "w4"], "dimensions": 8})");
  EXPECT_EQ(*answer.Find("object")->AsString(), "list");
  EXPECT_EQ(*answer.Find("model")->AsString(), "a \"b\"");
  EXPECT_EQ(*answer.Find("usage")->Find("prompt_tokens")->AsInt(), 4);
  EXPECT_EQ(*answer.Find("usage")->Find("total_tokens")->AsInt(), 4);
  const Json& second = answer.Find("data")->AsArray()->back();
  EXPECT_EQ(*second.Find("object")->AsString(), "embedding");
  EXPECT_EQ(*second.Find("index")->AsInt(), 1);
  Vector whole = Expected("w4");
  ExpectNear(ToVector(*second.Find("embedding")),
             OfLength1(Vector(whole.begin(), whole.begin() + 8)));

  Json packed = ask(R"({"input": "w4", "encoding_format": "base64"})");
  std::string bytes =
      Base64Decode(*First(*packed.Find("data")).Find("embedding")->AsString()).value();
  ASSERT_EQ(bytes.size(), 64 * sizeof(float));
  Vector unpacked(64);
  std::memcpy(unpacked.data(), bytes.data(), bytes.size());
  ExpectNear(unpacked, OfLength1(whole));

  uint64_t computed = runner_->embedder().state().texts;
  EXPECT_NE(ask(R"({"input": "w4", "dimensions": 65})", 400).Find("error")->Find("message"),
            nullptr);
  EXPECT_EQ(runner_->embedder().state().texts, computed) << "known before it is computed";
  EXPECT_NE(ask(R"({"input": [[5, 4000]]})", 400).Find("error")->Find("message"), nullptr)
      << "found while it is computed";
}

TEST_F(EmbeddingRoutes, AGeneratorsOwnRouteIsNoneOfThem) {
  std::filesystem::remove(files_.folder() / "modules.json");
  runtime::EngineOptions options;
  options.threads = 1;
  runtime::Runner runner(runtime::Model::Load(files_.folder()), options);
  ModelServer server(runner, {.model_id = "m"});
  runner.embedder();
  EXPECT_FALSE(Client(server, "/", AsInputs("w1")).AskAtOnce());
  EXPECT_FALSE(Client(server, "/pipeline/feature-extraction", AsInputs("w1")).AskAtOnce())
      << "states of all tokens";
  EXPECT_FALSE(Client(server, "/pipeline/text-generation", AsInputs("w1")).AskAtOnce());
  EXPECT_TRUE(Client(server, "/embed", AsInputs("w1")).AskAtOnce());

  Client client(server, "/pipeline/feature-extraction", R"({"inputs": ["w1 w2", "w3"]})");
  client.Ask();
  EXPECT_TRUE(client.waits()) << "no thread does";
  Json states = client.Answer();
  ASSERT_EQ(states.size(), 2u);
  const Json& tokens = (*states.AsArray())[0].AsArray()->front();
  ASSERT_EQ(tokens.size(), 2u);
  // The mean over the tokens is what the model, without modules of its own, embeds as.
  Vector mean(64),
      embedded = runtime::EmbedTexts(runner, std::vector<std::string>{"w1 w2"}, {}).vectors.front();
  for (const Json& token : *tokens.AsArray()) {
    Vector state = ToVector(token);
    ASSERT_EQ(state.size(), 64u);
    for (size_t i = 0; i < 64; ++i) mean[i] += state[i] / 2;
  }
  ExpectNear(mean, embedded);
}

TEST_F(EmbeddingRoutes, WhatTheModelNormalisesStaysOfLength1WhenItIsCut) {
  files_.Write("modules.json",
               R"([{"type": "sentence_transformers.models.Transformer", "path": ""},
                   {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
                   {"type": "sentence_transformers.models.Normalize", "path": "2_Normalize"}])");
  runtime::EngineOptions options;
  options.threads = 1;
  runtime::Runner runner(runtime::Model::Load(files_.folder()), options);
  ModelServer server(runner, {.model_id = "m"});
  auto ask = [&](const std::string& fields) {
    Client client(server, "/pipeline/feature-extraction", R"({"inputs": "w1 w2")" + fields + "}");
    client.Ask();
    return ToVector(client.Answer());
  };
  Vector whole = ask("");
  ExpectNear(ask(R"(, "dimensions": 5)"), OfLength1(Vector(whole.begin(), whole.begin() + 5)));
}

}  // namespace
}  // namespace hearth::serving
