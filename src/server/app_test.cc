#include "server/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/bytes.h"
#include "server/app_fixture.h"
#include "server/route.h"

namespace hearth::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AppTest : public AppFixture {
 protected:
  net::Response SendTo(const std::string& host, const std::string& method,
                       const std::string& target) {
    net::Request request = MakeRequest({.method = method, .target = target});
    request.host = host;
    net::Plan plan = app_->PlanFor(request);
    return plan.answer ? *std::move(plan.answer) : plan.handle(request);
  }
};

// `datasets` asks this host first and reads the files itself when it is told that nothing is there.
TEST_F(AppTest, TheDatasetViewersHostHasNoRoutes) {
  MakeUser("ada");
  MakeRepo(hub::RepoType::kDataset, "ada", "table");
  for (const char* target : {"/splits?dataset=ada/table", "/parquet?dataset=ada/table", "/ada",
                             "/api/datasets/ada/table"}) {
    net::Response response = SendTo("datasets-server.hub.test", "GET", target);
    EXPECT_EQ(response.status, 404) << target;
    EXPECT_EQ(response.headers.Get("Allow"), "") << target;
  }
  EXPECT_EQ(SendTo("hub.test", "GET", "/api/datasets/ada/table").status, 200);
}

TEST_F(AppTest, AWrongMethodIsToldTheRightOnes) {
  net::Response response = Send({.method = "DELETE", .target = "/api/models"});
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.Get("Allow"), "GET, HEAD");
  // No route of the API: a page of the same shape must not lend it its methods.
  EXPECT_EQ(Send({.method = "DELETE", .target = "/api/nothing-here"}).status, 404);
}

// Git and git-lfs never ask with HEAD; everything else that can be fetched can be asked about.
TEST_F(AppTest, HeadIsAnsweredWhereverGetIs) {
  RouteTable table = BuildRouteTable();
  for (const Route& route : table.routes()) {
    if (route.surface == Surface::kGit || route.surface == Surface::kLfs) continue;
    bool get = false, head = false;
    for (std::string_view method : Split(route.methods, ',')) {
      get = get || method == "GET";
      head = head || method == "HEAD";
    }
    EXPECT_TRUE(head || !get) << route.methods << " " << route.pattern;
  }
}

TEST_F(AppTest, MetricsCountWhatTheHubHolds) {
  int64_t ada = MakeUser("ada");
  hub::RepoPtr open = MakeRepo(hub::RepoType::kModel, "ada", "open");
  MakeRepo(hub::RepoType::kModel, "ada", "closed", /*is_private=*/true);
  MakeRepo(hub::RepoType::kDataset, "ada", "table");
  TempFile file(hub_->temp_folder());
  file.Append("four");
  hub_->objects().Store(open->id, ada, Sha256Of("four"), 4, std::move(file), Sha256Of("four"));
  std::string text = BodyText(Get("/metrics"));
  EXPECT_THAT(text, HasSubstr("\nhearth_repositories{type=\"model\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\nhearth_repositories{type=\"dataset\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nhearth_repositories{type=\"space\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\nhearth_users 1\n"));
  EXPECT_THAT(text, HasSubstr("\nhearth_objects 1\n"));
  EXPECT_THAT(text, HasSubstr("\nhearth_object_bytes 4\n"));
  // Nothing indexes yet: all three wait.
  EXPECT_THAT(text, HasSubstr("\nhearth_jobs_waiting 3\n"));
  hub_->catalog().Start();
  ASSERT_TRUE(hub_->catalog().WaitIdle(std::chrono::seconds(60)));
  hub_->catalog().Stop();
  EXPECT_THAT(BodyText(Get("/metrics")), HasSubstr("\nhearth_jobs_waiting 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("closed")));
  EXPECT_EQ(Send({.method = "HEAD", .target = "/metrics"}).status, 200);
}

}  // namespace
}  // namespace hearth::server
