#include "runtime/engine/encoder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <future>
#include <random>
#include <stdexcept>
#include <thread>

#include "base/error.h"
#include "runtime/engine/tiny_model.h"
#include "runtime/model.h"

namespace hearth::runtime {
namespace {

using Vectors = std::vector<std::vector<float>>;

std::vector<EncoderInput> Texts(uint32_t seed, std::initializer_list<uint32_t> lengths) {
  std::mt19937 random(seed);
  std::vector<EncoderInput> texts;
  for (uint32_t length : lengths) {
    EncoderInput text;
    for (uint32_t i = 0; i < length; ++i) text.ids.push_back(2 + random() % 100);
    texts.push_back(std::move(text));
  }
  return texts;
}

Vectors Embed(Encoder& encoder, std::span<const EncoderInput> texts) {
  Vectors vectors(texts.size());
  encoder.Run(texts, "embedding", [&](size_t text, const tensor::OutputRows& rows) {
    EXPECT_EQ(rows.rows, 1u);
    EXPECT_TRUE(vectors[text].empty());
    vectors[text].assign(rows.Row(0).begin(), rows.Row(0).end());
  });
  return vectors;
}

void ExpectNear(const Vectors& a, const Vectors& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t text = 0; text < a.size(); ++text) {
    ASSERT_EQ(a[text].size(), b[text].size());
    for (size_t i = 0; i < a[text].size(); ++i) EXPECT_NEAR(a[text][i], b[text][i], 1e-4);
  }
}

class EncoderTest : public testing::Test {
 protected:
  TinyModel files_{"encoder_test"};
  std::shared_ptr<const Model> model_ = Model::Load(files_.folder());
};

TEST_F(EncoderTest, TextsOfManyCallersGetWhatTheyGetAlone) {
  for (int threads : {1, 2}) {
    Encoder encoder(model_->EmbeddingProgram(), 256, threads);
    std::vector<std::vector<EncoderInput>> texts;
    std::vector<Vectors> alone;
    for (uint32_t caller = 0; caller < 8; ++caller) {
      texts.push_back(Texts(caller, {1 + caller, 200, 17}));
      alone.push_back(Embed(encoder, texts.back()));
    }
    std::vector<std::thread> callers;
    for (uint32_t caller = 0; caller < 8; ++caller) {
      callers.emplace_back([&, caller] {
        for (int i = 0; i < 20; ++i) ExpectNear(Embed(encoder, texts[caller]), alone[caller]);
      });
    }
    for (std::thread& caller : callers) caller.join();
  }
}

TEST_F(EncoderTest, AFailureIsItsCallersAlone) {
  Encoder encoder(model_->EmbeddingProgram(), 256, 2);
  std::vector<EncoderInput> good = Texts(1, {5, 9}), unknown = Texts(2, {5, 9});
  unknown[1].ids[3] = 5000;
  const Vectors expected = Embed(encoder, good);
  std::atomic<int> refused{0}, thrown{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 20; ++i) {
        if (caller % 3 == 0) {
          ExpectNear(Embed(encoder, good), expected);
        } else if (caller % 3 == 1) {
          try {
            encoder.Run(unknown, "embedding", [](size_t, const tensor::OutputRows&) {});
          } catch (const Error& error) {
            refused += error.code() == Code::kInvalidArgument;
          }
        } else {
          auto fail = [](size_t, const tensor::OutputRows&) { throw std::runtime_error("full"); };
          try {
            encoder.Run(good, "embedding", fail);
          } catch (const std::runtime_error&) {
            ++thrown;
          }
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(refused, 40);
  EXPECT_EQ(thrown, 40);
}

TEST_F(EncoderTest, TextsThatNobodyWaitsForAnyMoreAreNotComputed) {
  Encoder encoder(model_->EmbeddingProgram(), 256, 1);
  const std::vector<EncoderInput> texts = Texts(3, {200, 200, 200, 200, 200});
  std::stop_source client;
  int computed = 0;
  auto leave = [&](size_t, const tensor::OutputRows&) {
    ++computed;
    client.request_stop();
  };
  try {
    encoder.Run(texts, "embedding", leave, client.get_token());
    ADD_FAILURE() << "nobody was left";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
  }
  EXPECT_EQ(computed, 1);
  EXPECT_EQ(Embed(encoder, texts).size(), texts.size());
}

TEST_F(EncoderTest, RefusesEmptyAndLongTextsAndUnknownOutputs) {
  Encoder encoder(model_->EmbeddingProgram(), 16, 1);
  auto ignore = [](size_t, const tensor::OutputRows&) {};
  EXPECT_THROW(encoder.Run(Texts(1, {3, 17}), "embedding", ignore), Error);
  EXPECT_THROW(encoder.Run(Texts(1, {0}), "embedding", ignore), Error);
  EXPECT_THROW(encoder.Run(Texts(1, {3}), "logits", ignore), Error);
  EXPECT_EQ(Embed(encoder, Texts(1, {16})).size(), 1u);
  encoder.Run({}, "embedding", ignore);
}

// Starts a job and says when it is done.
struct Started {
  Vectors vectors;
  std::promise<void> done;

  Started(Encoder& encoder, std::vector<EncoderInput> texts, std::stop_token left = {})
      : vectors(texts.size()) {
    EncoderJob job;
    job.inputs = std::move(texts);
    job.output = "embedding";
    job.visit = [this](size_t text, const tensor::OutputRows& rows) {
      vectors[text].assign(rows.Row(0).begin(), rows.Row(0).end());
    };
    job.left = std::move(left);
    job.done = [this](std::exception_ptr failure) {
      failure ? done.set_exception(std::move(failure)) : done.set_value();
    };
    encoder.Start(std::move(job));
  }
};

TEST_F(EncoderTest, JobsGetWhatCallersGetBesideThem) {
  for (int threads : {1, 2}) {
    Encoder encoder(model_->EmbeddingProgram(), 256, threads);
    const std::vector<EncoderInput> texts = Texts(1, {3, 200, 17});
    const Vectors alone = Embed(encoder, texts);
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 4; ++caller) {
      callers.emplace_back([&] {
        for (int i = 0; i < 10; ++i) ExpectNear(Embed(encoder, texts), alone);
      });
    }
    std::vector<std::unique_ptr<Started>> jobs;
    for (int i = 0; i < 40; ++i) jobs.push_back(std::make_unique<Started>(encoder, texts));
    for (auto& job : jobs) {
      job->done.get_future().get();
      ExpectNear(job->vectors, alone);
    }
    for (std::thread& caller : callers) caller.join();
  }
}

TEST_F(EncoderTest, AJobsFailureIsItsOwn) {
  Encoder encoder(model_->EmbeddingProgram(), 256, 1);
  std::vector<EncoderInput> good = Texts(1, {5, 9}), unknown = Texts(2, {5, 9});
  unknown[1].ids[3] = 5000;
  const Vectors expected = Embed(encoder, good);
  std::stop_source client;
  client.request_stop();
  Started fails(encoder, unknown), works(encoder, good), empty(encoder, Texts(1, {0}));
  Started left(encoder, good, client.get_token()), nothing(encoder, {});
  works.done.get_future().get();
  ExpectNear(works.vectors, expected);
  nothing.done.get_future().get();
  for (Started* each : {&fails, &empty, &left}) {
    EXPECT_THROW(each->done.get_future().get(), Error);
  }
}

// A job of one text whose visit tells that it has come and may be made to wait.
struct Watched {
  std::promise<const float*> row;  // where the encoder has its vector
  std::promise<void> done, go_on;
  uint64_t stride = 0;

  Watched(Encoder& encoder, uint32_t tokens, bool waits) {
    EncoderJob job;
    job.inputs = Texts(tokens, {tokens});
    job.output = "embedding";
    job.visit = [this](size_t, const tensor::OutputRows& rows) {
      stride = rows.stride;
      row.set_value(rows.data);
      go_on.get_future().wait();
    };
    job.done = [this](const std::exception_ptr&) { done.set_value(); };
    if (!waits) go_on.set_value();
    encoder.Start(std::move(job));
  }
};

TEST_F(EncoderTest, WhatDoesNotFillAMicroBatchIsComputedWithWhatComesNextButOnce) {
  Encoder encoder(model_->EmbeddingProgram(), 256, 1);
  Watched first(encoder, 20, true);
  first.row.get_future().wait();
  // 250 tokens leave no room for 10 more in a micro-batch; 10 and 240 for none of 12, which wait in
  // their turn.
  Watched full(encoder, 250, true), rest(encoder, 10, false);
  first.go_on.set_value();
  full.row.get_future().wait();
  Watched next(encoder, 12, false), other(encoder, 240, false);
  full.go_on.set_value();
  const float *row = rest.row.get_future().get(), *second = other.row.get_future().get();
  EXPECT_EQ(second, row + other.stride) << "the second of the same batch";
  for (Watched* each : {&first, &full, &rest, &next, &other}) each->done.get_future().wait();
}

TEST_F(EncoderTest, JobsThatWaitAreDoneBeforeTheEncoderEnds) {
  std::vector<std::unique_ptr<Started>> jobs;
  {
    Encoder encoder(model_->EmbeddingProgram(), 256, 1);
    for (int i = 0; i < 20; ++i)
      jobs.push_back(std::make_unique<Started>(encoder, Texts(i, {200})));
  }
  for (auto& job : jobs) {
    auto done = job->done.get_future();
    ASSERT_EQ(done.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    done.get();
  }
}

}  // namespace
}  // namespace hearth::runtime
