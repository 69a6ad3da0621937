// Answers bench/scenarios/tokenizers.py, which runs it beside its peers: one command a line on the
// standard input, one line of JSON on the standard output.
//
//   load FILE      reads a tokenizer.json; {"cpu", "tables": of making the fast path, which load
//                  leaves to the first text, "recognised": whether it has one}
//   compiled FILE  the same through a compiled cache in the working folder; {"cpu"} of finding it
//                  there, and again "tables"
//   text FILE      reads the text of the commands that follow
//   encode         {"cpu", "count", "digest"}; caches stay warm from one call to the next
//   threads N      encodes the text in N threads at once, each on a core of its own, 8 times each;
//                  {"wall", "cpu": of all threads}
//   arithmetic N   the same with arithmetic in registers, some hundredths of a second: what the
//                  machine can give N threads at the moment; {"wall"}
//   latency N      the ids of the text, N times; {"cpu"} of one
//   offsets N      the same with offsets in characters, tokens, words and masks
//   write FILE     writes the ids of the text, little-endian 32 bits each
#include <fmt/format.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tokenizers/tokenizer.h"

namespace hearth::tokenizers {
namespace {

double ThreadSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::string ReadAll(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream out;
  out << stream.rdbuf();
  return std::move(out).str();
}

// FNV-1a over the ids: equal digests mean equal ids.
uint64_t Digest(const std::vector<uint32_t>& ids) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (uint32_t id : ids) hash = (hash ^ id) * 0x100000001B3u;
  return hash;
}

class Server {
 public:
  std::string Answer(const std::string& command, const std::string& argument) {
    if (command == "load") return Load(argument);
    if (command == "compiled") return Compiled(argument);
    if (command == "text") {
      text_ = ReadAll(argument);
      return fmt::format(R"({{"bytes": {}}})", text_.size());
    }
    if (command == "encode") return Encode();
    if (command == "threads") return Threads(std::stoi(argument));
    if (command == "arithmetic") return Arithmetic(std::stoi(argument));
    if (command == "latency") return Latency(std::stoi(argument));
    if (command == "offsets") return WithOffsets(std::stoi(argument));
    if (command == "write") {
      std::vector<uint32_t> ids = tokenizer_->EncodeIds(text_, false);
      std::ofstream(argument, std::ios::binary)
          .write(reinterpret_cast<const char*>(ids.data()),
                 static_cast<std::streamsize>(ids.size() * sizeof(uint32_t)));
      return "{}";
    }
    return R"({"error": "unknown command"})";
  }

 private:
  std::string Load(const std::string& path) {
    double start = ThreadSeconds();
    tokenizer_.emplace(Tokenizer::FromFile(path));
    double loaded = ThreadSeconds();
    bool recognised = tokenizer_->has_fast_path();
    return fmt::format(R"({{"cpu": {}, "tables": {}, "recognised": {}}})", loaded - start,
                       ThreadSeconds() - loaded, recognised);
  }

  std::string Compiled(const std::string& path) {
    LoadOptions options{.cache_folder = "."};
    Tokenizer::FromFile(path, options);
    double start = ThreadSeconds();
    tokenizer_.emplace(Tokenizer::FromFile(path, options));
    double seconds = ThreadSeconds() - start;
    start = ThreadSeconds();
    bool recognised = tokenizer_->has_fast_path();
    return fmt::format(R"({{"cpu": {}, "tables": {}, "recognised": {}}})", seconds,
                       ThreadSeconds() - start, recognised);
  }

  std::string Encode() {
    std::vector<uint32_t> ids;
    double start = ThreadSeconds();
    tokenizer_->EncodeIds(text_, false, &ids);
    double seconds = ThreadSeconds() - start;
    return fmt::format(R"({{"cpu": {}, "count": {}, "digest": "{:016x}"}})", seconds, ids.size(),
                       Digest(ids));
  }

  // Calls work() in threads on cores of their own; returns the seconds until the last ended.
  template <typename Work>
  static double InThreads(int count, Work&& work) {
    cpu_set_t allowed;
    sched_getaffinity(0, sizeof(allowed), &allowed);
    std::vector<std::thread> threads;
    auto start = std::chrono::steady_clock::now();
    for (int core = 0; core < CPU_SETSIZE && threads.size() < static_cast<size_t>(count); ++core) {
      if (!CPU_ISSET(core, &allowed)) continue;
      threads.emplace_back([core, &work] {
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(core, &own);
        sched_setaffinity(0, sizeof(own), &own);
        work();
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
    return wall.count();
  }

  std::string Threads(int count) {
    std::atomic<double> cpu = 0;
    double wall = InThreads(count, [this, &cpu] {
      double start = ThreadSeconds();
      for (int round = 0; round < 8; ++round) {
        std::vector<uint32_t> ids;
        tokenizer_->EncodeIds(text_, false, &ids);
      }
      cpu += ThreadSeconds() - start;
    });
    return fmt::format(R"({{"wall": {}, "cpu": {}}})", wall, cpu.load());
  }

  static std::string Arithmetic(int count) {
    double wall = InThreads(count, [] {
      uint64_t value = 1;
      for (int step = 0; step < 20'000'000; ++step) {
        value = value * 0x9E3779B97F4A7C15u + 1;
        asm volatile("" : "+r"(value));
      }
    });
    return fmt::format(R"({{"wall": {}}})", wall);
  }

  std::string Latency(int rounds) {
    double start = ThreadSeconds();
    for (int round = 0; round < rounds; ++round) {
      std::vector<uint32_t> ids;
      tokenizer_->EncodeIds(text_, false, &ids);
    }
    return fmt::format(R"({{"cpu": {}}})", (ThreadSeconds() - start) / rounds);
  }

  std::string WithOffsets(int rounds) {
    tokenizer_->has_fast_path();
    EncodeOptions options{.add_special_tokens = false, .offsets = OffsetUnit::kCharacters};
    size_t tokens = 0;
    double start = ThreadSeconds();
    for (int round = 0; round < rounds; ++round) {
      tokens += tokenizer_->Encode(text_, options).size();
    }
    double seconds = (ThreadSeconds() - start) / rounds;
    return fmt::format(R"({{"cpu": {}, "count": {}}})", seconds, tokens);
  }

  std::optional<Tokenizer> tokenizer_;
  std::string text_;
};

}  // namespace
}  // namespace hearth::tokenizers

int main() {
  hearth::tokenizers::Server server;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command, argument;
    words >> command;
    std::getline(words >> std::ws, argument);
    std::cout << server.Answer(command, argument) << std::endl;
  }
}
