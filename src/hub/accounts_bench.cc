// The two lookups that every authenticated request does.
#include <benchmark/benchmark.h>

#include <filesystem>

#include "base/random.h"
#include "hub/accounts.h"
#include "hub/schema.h"

namespace hearth::hub {
namespace {

constexpr int kUsers = 1000;

struct World {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("hearth-bench-" + NewObjectId());
  std::unique_ptr<storage::Database> db;
  std::unique_ptr<Accounts> accounts;
  std::string token, cookie;

  World() {
    std::filesystem::create_directories(folder);
    db = storage::Database::OpenSqlite(folder / "hearth.db");
    db->Migrate(Migrations());
    accounts = std::make_unique<Accounts>(*db, Clock::System());
    int64_t user = accounts->CreateUser("bench", "correct horse", "", false)->id;
    for (int i = 0; i < 3; ++i) accounts->CreateOrg("org" + std::to_string(i), "", user);
    for (int i = 0; i < kUsers; ++i) {
      accounts->CreateUser("user" + std::to_string(i), "", "", false);
    }
    token = accounts->CreateToken(user, {.name = "bench", .role = TokenRole::kWrite}).second;
    cookie = accounts->Login("bench", "correct horse", "::1", "bench");
  }
  ~World() {
    accounts.reset();
    db.reset();
    std::filesystem::remove_all(folder);
  }
};

World& TheWorld() {
  static World world;
  return world;
}

void AuthenticateByToken(benchmark::State& state) {
  World& world = TheWorld();
  for (auto _ : state) benchmark::DoNotOptimize(world.accounts->AuthenticateToken(world.token));
}
BENCHMARK(AuthenticateByToken)->Threads(1)->Threads(2);

void AuthenticateBySession(benchmark::State& state) {
  World& world = TheWorld();
  for (auto _ : state) benchmark::DoNotOptimize(world.accounts->AuthenticateSession(world.cookie));
}
BENCHMARK(AuthenticateBySession);

void FindByName(benchmark::State& state) {
  World& world = TheWorld();
  for (auto _ : state) benchmark::DoNotOptimize(world.accounts->FindByName("User500"));
}
BENCHMARK(FindByName);

}  // namespace
}  // namespace hearth::hub
