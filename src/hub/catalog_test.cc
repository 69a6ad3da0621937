#include "hub/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/error.h"
#include "hub/access.h"
#include "hub/hub_fixture.h"
#include "hub/internal/catalog_table.h"
#include "hub/internal/posting_set.h"
#include "hub/synthetic_catalog.h"

namespace hearth::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> Names(const CatalogPage& page) {
  std::vector<std::string> names;
  for (const RepoPtr& repo : page.repos) names.push_back(repo->name);
  return names;
}

TEST(PostingSetTest, AgreesWithAPlainSetInBothForms) {
  std::mt19937 random(7);
  constexpr uint32_t kRows = 20'000;
  PostingSet posting;
  std::set<uint32_t> plain;
  // Grows past the limit where a bitmap is smaller, and shrinks below it again.
  for (int step = 0; step < 30'000; ++step) {
    uint32_t row = random() % kRows;
    bool grow = step < 12'000 || (step > 24'000 && random() % 2 == 0);
    if (grow) {
      posting.Add(row, kRows);
      plain.insert(row);
    } else {
      uint32_t victim = plain.empty() ? row : *plain.begin();
      posting.Remove(random() % 4 == 0 ? row : victim);
      if (!posting.Contains(victim)) plain.erase(victim);
      if (!posting.Contains(row)) plain.erase(row);
    }
    ASSERT_EQ(posting.size(), plain.size());
  }
  std::vector<uint32_t> listed;
  posting.ForEach([&listed](uint32_t row) { listed.push_back(row); });
  EXPECT_EQ(listed, std::vector<uint32_t>(plain.begin(), plain.end()));
  RowBitmap bitmap(kRows);
  posting.OrInto(&bitmap);
  EXPECT_EQ(bitmap.Count(), plain.size());
}

// --- against a plain filter over random rows

class SyntheticTest : public HubFixture {
 protected:
  // Enough rows that large results take the path along a sort order.
  static constexpr size_t kRows = 30'000;

  SyntheticTest() : made_(kRows, 11, 10), rows_(made_.rows()) {
    made_.WriteTo(hub_->db());
    OpenHub();
  }

  static bool HasTag(const SyntheticRepo& row, const std::string& tag) {
    return std::find(row.tags.begin(), row.tags.end(), tag) != row.tags.end();
  }
  static bool Matches(const SyntheticRepo& row, const CatalogQuery& query, const Actor& actor) {
    bool mine = actor.site_admin || actor.user_id == row.owner_id;
    if (row.is_private && !mine) return false;
    for (const std::string& filter : query.filters) {
      if (!HasTag(row, filter)) return false;
    }
    std::string full = row.owner + "/" + row.name;
    for (const std::string& text : query.search) {
      if (full.find(text) == std::string::npos) return false;
    }
    if (!query.author.empty() && row.owner != query.author) return false;
    if (!query.pipeline_tag.empty() && row.pipeline_tag != query.pipeline_tag) return false;
    if (query.gated && *query.gated != row.gated) return false;
    if (query.min_parameters && row.parameters < std::max<uint64_t>(1, *query.min_parameters))
      return false;
    if (query.max_parameters && (row.parameters == 0 || row.parameters > *query.max_parameters))
      return false;
    return true;
  }
  static int64_t Value(const SyntheticRepo& row, SortKey key) {
    switch (key) {
      case SortKey::kTrending:
        return static_cast<int64_t>(std::sqrt(static_cast<double>(row.downloads)));
      case SortKey::kCreated:
        return row.created;
      case SortKey::kModified:
        return row.modified;
      case SortKey::kDownloads:
        return row.downloads;
      case SortKey::kLikes:
        return row.likes;
      case SortKey::kParameters:
        return static_cast<int64_t>(row.parameters);
      case SortKey::kMainSize:
        return static_cast<int64_t>(row.main_bytes);
      default:
        return 0;
    }
  }
  std::vector<int64_t> Expected(const CatalogQuery& query, const Actor& actor) const {
    std::vector<const SyntheticRepo*> found;
    for (const SyntheticRepo& row : rows_) {
      if (Matches(row, query, actor)) found.push_back(&row);
    }
    std::sort(found.begin(), found.end(), [&](const SyntheticRepo* a, const SyntheticRepo* b) {
      auto key = [&](const SyntheticRepo* row) {
        std::string name = query.sort == SortKey::kId ? row->owner + "/" + row->name : "";
        return std::make_tuple(name, Value(*row, query.sort), row->id);
      };
      return query.ascending ? key(a) < key(b) : key(b) < key(a);
    });
    std::vector<int64_t> ids;
    for (const SyntheticRepo* row : found) ids.push_back(row->id);
    return ids;
  }
  // Follows the cursor for at most `pages` pages.
  std::vector<int64_t> Listed(CatalogQuery query, const Actor& actor, size_t pages, bool* more) {
    std::vector<int64_t> ids;
    for (size_t page_number = 0; page_number < pages; ++page_number) {
      CatalogPage page = hub_->catalog().List(actor, query);
      for (const RepoPtr& repo : page.repos) ids.push_back(repo->id);
      *more = !page.next_cursor.empty();
      if (!*more) break;
      query.cursor = page.next_cursor;
    }
    return ids;
  }
  CatalogQuery RandomQuery(std::mt19937& random) const {
    static const char* kTags[] = {
        "gguf",        "unloved", "license:mit",    "en",         "yo", "transformers",
        "safetensors", "free-3",  "dataset:data17", "no-such-tag"};
    CatalogQuery query;
    for (uint32_t i = random() % 3; i > 0; --i) query.filters.push_back(kTags[random() % 10]);
    if (random() % 5 == 0) query.search.push_back(random() % 2 == 0 ? "llama" : "t-b");
    if (random() % 8 == 0) query.author = SyntheticCatalog::OwnerName(random() % 40);
    if (random() % 5 == 0) query.pipeline_tag = "fill-mask";
    if (random() % 6 == 0) query.gated = random() % 2 == 0;
    if (random() % 5 == 0) query.min_parameters = uint64_t{1000} << random() % 28;
    if (random() % 5 == 0) query.max_parameters = uint64_t{1000} << random() % 28;
    query.sort = static_cast<SortKey>(random() % 8);
    query.ascending = random() % 2 == 0;
    query.limit = 1 + random() % 400;
    return query;
  }
  void CheckQuery(const CatalogQuery& query, const Actor& actor) {
    std::vector<int64_t> expected = Expected(query, actor);
    EXPECT_EQ(hub_->catalog().Count(actor, query), expected.size());
    bool more = false;
    std::vector<int64_t> listed = Listed(query, actor, 4, &more);
    EXPECT_EQ(more, expected.size() > 4 * query.limit);
    expected.resize(std::min(expected.size(), 4 * query.limit));
    EXPECT_EQ(listed, expected);
  }

  // The closest fit first, then the most trending, then the newest.
  void CheckTypeahead(const std::string& text, const Actor& actor, size_t limit) {
    SCOPED_TRACE(text);
    auto fit = [&text](const SyntheticRepo& row) {
      std::string full = row.owner + "/" + row.name;
      return row.name == text || full == text ? 0
             : row.name.starts_with(text)     ? 1
             : full.starts_with(text)         ? 2
                                              : 3;
    };
    std::vector<std::tuple<int, int64_t, int64_t>> expected;
    for (const SyntheticRepo& row : rows_) {
      bool hidden = row.is_private && !actor.site_admin && actor.user_id != row.owner_id;
      if (!hidden && (row.owner + "/" + row.name).find(text) != std::string::npos)
        expected.emplace_back(fit(row), -Value(row, SortKey::kTrending), -row.id);
    }
    std::sort(expected.begin(), expected.end());
    size_t total = 0;
    std::vector<RepoPtr> found =
        hub_->catalog().QuickSearch(actor, RepoType::kModel, text, limit, &total);
    EXPECT_EQ(total, std::min(expected.size(), Catalog::kMaxQuickCount));
    ASSERT_EQ(found.size(), std::min(limit, expected.size()));
    for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i]->id, -std::get<2>(expected[i]));
  }

  SyntheticCatalog made_;
  std::vector<SyntheticRepo> rows_;
};

TEST_F(SyntheticTest, TypeaheadAgreesWithAPlainRankingWhileNamesChange) {
  std::mt19937 random(8);
  Actor owner;
  owner.via = Actor::Via::kSession;
  owner.user_id = SyntheticCatalog::OwnerId(3);
  Actor admin = owner;
  admin.user_id = 999;
  admin.site_admin = true;
  for (int round = 0; round < 4; ++round) {
    // Of some letters more names have them than are counted.
    for (const char* text : {"o", "er", "e", "-", "llama", "llama-t", "t-b", "owner3/", "owner3",
                             "/bert", "vision-large-77", "zzz", "chat-chat-1", "new"}) {
      for (const Actor& actor : {Actor{}, owner, admin}) CheckTypeahead(text, actor, 12);
    }
    CheckTypeahead(rows_[7].owner + "/" + rows_[7].name, admin, 5);
    if (HasFailure()) return;
    for (int change = 0; change < 500; ++change) {
      size_t at = random() % rows_.size();
      SyntheticRepo& row = rows_[at];
      RepoPtr before = hub_->repos().FindById(row.id);
      if (change % 5 == 0) {
        hub_->catalog().OnRepoChanged(before, nullptr);
        rows_.erase(rows_.begin() + static_cast<ptrdiff_t>(at));
        continue;
      }
      auto after = std::make_shared<RepoRecord>(*before);
      row.name = after->name = "new" + row.name;
      row.downloads = after->downloads = static_cast<int64_t>(random() % 100'000);
      row.is_private = after->is_private = random() % 3 == 0;
      after->head.reset();
      hub_->catalog().OnRepoChanged(before, after);
    }
  }
}

// Counts of a caller who sees more than everybody are not those that others are shown, and a value
// that was chosen has its count also where it is not among the most frequent.
TEST_F(SyntheticTest, FacetCountsAreThoseOfTheCaller) {
  Actor owner;
  owner.via = Actor::Via::kSession;
  owner.user_id = SyntheticCatalog::OwnerId(3);
  Actor admin = owner;
  admin.user_id = 999;
  admin.site_admin = true;
  auto owned = [&](const Actor& actor, const std::string& name) {
    size_t count = 0;
    for (const SyntheticRepo& row : rows_) {
      bool seen = !row.is_private || actor.site_admin || actor.user_id == row.owner_id;
      count += row.owner == name && seen ? 1 : 0;
    }
    return count;
  };
  for (int round = 0; round < 2; ++round) {
    for (const Actor& actor : {admin, Actor{}, owner}) {
      CatalogQuery query;
      FacetOptions options;
      options.only = {"author"};
      options.max_values = 3;
      query.facets = {{"author", SyntheticCatalog::OwnerName(3)}};
      Facets facets = hub_->catalog().FacetsOf(actor, query, options);
      ASSERT_EQ(facets.groups.size(), 1u);
      EXPECT_EQ(facets.total, owned(actor, SyntheticCatalog::OwnerName(3)));
      std::set<std::string> owners;
      for (const SyntheticRepo& row : rows_) {
        if (!row.is_private || actor.site_admin || actor.user_id == row.owner_id)
          owners.insert(row.owner);
      }
      EXPECT_EQ(facets.groups[0].distinct, owners.size());
      EXPECT_LE(facets.groups[0].values.size(), 4u);
      bool shown = false;
      for (const FacetValue& value : facets.groups[0].values) {
        EXPECT_EQ(value.count, owned(actor, value.value)) << value.value;
        shown |= value.selected && value.value == SyntheticCatalog::OwnerName(3);
      }
      EXPECT_TRUE(shown);
    }
  }
}

TEST_F(SyntheticTest, LeadersOfTasksAreTheFirstOfTheirLists) {
  Actor owner;
  owner.via = Actor::Via::kSession;
  owner.user_id = SyntheticCatalog::OwnerId(3);
  std::vector<std::string> tasks = {"text-generation", "fill-mask", "no-such-task", "text-to-image",
                                    ""};
  auto names = [](const std::vector<RepoPtr>& repos) {
    std::vector<std::string> list;
    for (const RepoPtr& repo : repos) list.push_back(repo->FullName());
    return list;
  };
  for (const Actor& actor : {Actor{}, owner}) {
    auto leaders = hub_->catalog().LeadersOf(actor, tasks, 5);
    for (size_t i = 0; i + 1 < tasks.size(); ++i) {
      CatalogQuery query;
      query.sort = SortKey::kDownloads;
      query.limit = 5;
      query.pipeline_tag = tasks[i];
      EXPECT_EQ(names(leaders[i].models), names(hub_->catalog().List(actor, query).repos));
      query.gated = false;
      query.limit = 1;
      std::vector<RepoPtr> open = hub_->catalog().List(actor, query).repos;
      EXPECT_EQ(leaders[i].open_model, open.empty() ? nullptr : open[0]);
    }
    EXPECT_EQ(leaders[0].models.size(), 5u);
    EXPECT_TRUE(leaders[2].models.empty());
  }
}

TEST_F(SyntheticTest, QueriesAgreeWithAPlainFilter) {
  std::mt19937 random(5);
  Actor owner;
  owner.via = Actor::Via::kSession;
  owner.user_id = SyntheticCatalog::OwnerId(3);
  Actor admin = owner;
  admin.user_id = 999;
  admin.site_admin = true;
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    CheckQuery(RandomQuery(random), round % 3 == 0 ? owner : round % 3 == 1 ? admin : Actor{});
    if (HasFailure()) return;
  }
}

TEST_F(SyntheticTest, OrdersFollowChanges) {
  std::mt19937 random(6);
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE(round);
    // A few rows move in every order, one changes hands between public and private, one goes.
    for (int change = 0; change < 40; ++change) {
      size_t at = random() % rows_.size();
      SyntheticRepo& row = rows_[at];
      RepoPtr before = hub_->repos().FindById(row.id);
      auto after = std::make_shared<RepoRecord>(*before);
      row.downloads = after->downloads = static_cast<int64_t>(random() % 100'000);
      row.modified = 1'700'000'000'000 + static_cast<int64_t>(random() % 1'000'000);
      after->modified_at = FromUnixMillis(row.modified);
      if (change % 10 == 0) row.is_private = after->is_private = !row.is_private;
      // Not told to Repos: the catalog must follow what it is told, and only that. The name is
      // changed, too.
      row.name += "x";
      after->name = row.name;
      after->head.reset();
      hub_->catalog().OnRepoChanged(before, after);
    }
    size_t gone = random() % rows_.size();
    hub_->catalog().OnRepoChanged(hub_->repos().FindById(rows_[gone].id), nullptr);
    rows_.erase(rows_.begin() + static_cast<ptrdiff_t>(gone));
    for (SortKey key :
         {SortKey::kDownloads, SortKey::kModified, SortKey::kTrending, SortKey::kId}) {
      CatalogQuery query;
      query.sort = key;
      query.ascending = round % 2 == 0;
      query.limit = 300;
      CheckQuery(query, Actor{});
      query.filters = {"safetensors"};
      query.search = {"x"};
      CheckQuery(query, Actor{});
    }
    if (HasFailure()) return;
  }
}

TEST_F(SyntheticTest, PagesDoNotShiftWhenRowsComeAndGo) {
  CatalogQuery query;
  query.sort = SortKey::kCreated;
  query.limit = 50;
  CatalogPage first = hub_->catalog().List(Actor{}, query);
  // The newest ones vanish and a newer one appears, all before the place of the cursor.
  hub_->catalog().OnRepoChanged(first.repos[0], nullptr);
  auto fresh = std::make_shared<RepoRecord>(*first.repos[1]);
  fresh->id = 5'000'000;
  fresh->name = "fresh";
  fresh->created_at = FromUnixMillis(1'900'000'000'000);
  hub_->catalog().OnRepoChanged(nullptr, fresh);
  std::vector<int64_t> expected = Expected(query, Actor{});
  query.cursor = first.next_cursor;
  CatalogPage second = hub_->catalog().List(Actor{}, query);
  ASSERT_EQ(second.repos.size(), 50u);
  for (size_t i = 0; i < 50; ++i) EXPECT_EQ(second.repos[i]->id, expected[50 + i]);
}

TEST_F(SyntheticTest, ForeignCursorIsRefused) {
  CatalogQuery query;
  query.limit = 5;
  std::string cursor = hub_->catalog().List(Actor{}, query).next_cursor;
  query.sort = SortKey::kLikes;
  for (const std::string& bad : {cursor, std::string("nonsense"), std::string("!"), cursor + "A"}) {
    query.cursor = bad;
    EXPECT_THROW(hub_->catalog().List(Actor{}, query), Error) << bad;
  }
}

// --- with real repositories

class CatalogTest : public HubFixture {
 protected:
  std::vector<std::string> With(const Actor& actor, const std::string& tag,
                                RepoType type = RepoType::kModel) {
    CatalogQuery query;
    query.type = type;
    query.filters = {tag};
    return Names(hub_->catalog().List(actor, query));
  }
};

TEST_F(CatalogTest, CommitIsFoundByItsCard) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "one");
  Commit(repo, {{"README.md", "---\nlicense: mit\nlanguage: fr\n---\n"}});
  uint64_t version = Reopen(repo).record().version;
  Index();
  EXPECT_THAT(With(Actor{}, "license:mit"), ElementsAre("one"));
  EXPECT_THAT(With(Actor{}, "language:fr"), ElementsAre("one"));
  EXPECT_GT(Reopen(repo).record().version, version);
  Commit(repo, {{"README.md", "---\nlicense: gpl-3.0\n---\n"}});
  Index();
  EXPECT_THAT(With(Actor{}, "license:mit"), IsEmpty());
  EXPECT_THAT(With(Actor{}, "license:gpl-3.0"), ElementsAre("one"));
}

TEST_F(CatalogTest, IndexSurvivesARestartAndCatchesUp) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "one");
  Commit(repo, {{"README.md", "---\nlicense: mit\n---\n"}});
  Index();
  RepoHandle late = MakeRepo(ada_, RepoType::kModel, "late");
  Commit(late, {{"README.md", "---\nlicense: mit\n---\n"}});
  OpenHub();  // before the second one was indexed
  EXPECT_THAT(With(Actor{}, "license:mit"), ElementsAre("one"));
  EXPECT_EQ(hub_->catalog().SummaryOf(Reopen(repo).record()).tags.back(), "region:us");
  Index();
  EXPECT_THAT(With(Actor{}, "license:mit"), UnorderedElementsAre("one", "late"));
}

TEST_F(CatalogTest, PrivateRepositoriesLeakNowhere) {
  Actor bob = MakeUser("bob");
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "hidden", true);
  Commit(repo, {{"README.md", "---\ntags: [secret-tag]\nlicense: mit\n---\n"}});
  Index();
  for (const Actor& other : {Actor{}, bob}) {
    EXPECT_THAT(With(other, "secret-tag"), IsEmpty());
    CatalogQuery all;
    EXPECT_EQ(hub_->catalog().Count(other, all), 0u);
    EXPECT_EQ(hub_->catalog().List(other, all).total, 0u);
    size_t total = 7;
    EXPECT_THAT(hub_->catalog().QuickSearch(other, RepoType::kModel, "hid", 5, &total), IsEmpty());
    EXPECT_EQ(total, 0u);
  }
  EXPECT_THAT(With(ada_, "secret-tag"), ElementsAre("hidden"));
  EXPECT_EQ(hub_->catalog().TagsByType(RepoType::kModel).Dump().find("secret-tag"),
            std::string::npos);
  hub_->repos().UpdateSettings(
      hub_->repos().Open(ada_, RepoType::kModel, "ada/hidden", Right::kAdmin),
      {.is_private = false});
  EXPECT_THAT(With(bob, "secret-tag"), ElementsAre("hidden"));
  EXPECT_NE(hub_->catalog().TagsByType(RepoType::kModel).Dump().find("secret-tag"),
            std::string::npos);
}

TEST_F(CatalogTest, QuickSearchPutsThePrefixFirst) {
  for (const char* name : {"my-bert", "bert", "bert-large", "gpt"})
    MakeRepo(ada_, RepoType::kModel, name);
  size_t total = 0;
  std::vector<std::string> names;
  for (const RepoPtr& repo :
       hub_->catalog().QuickSearch(Actor{}, RepoType::kModel, "BERT", 10, &total))
    names.push_back(repo->name);
  EXPECT_THAT(names, ElementsAre("bert", "bert-large", "my-bert"));
  EXPECT_EQ(total, 3u);
}

TEST_F(CatalogTest, SpacesAreFoundByWhatTheyLinkTo) {
  RepoHandle space = MakeRepo(ada_, RepoType::kSpace, "demo");
  Commit(space, {{"README.md", "---\nsdk: static\nmodels: [Ada/Encoder]\n---\n"}});
  uint64_t generation = hub_->catalog().LinkGeneration();
  Index();
  EXPECT_NE(hub_->catalog().LinkGeneration(), generation);
  OpenHub();  // links are read back from the database, too
  CatalogQuery query;
  query.type = RepoType::kSpace;
  query.linked_models = {"ada/encoder"};
  EXPECT_THAT(Names(hub_->catalog().List(Actor{}, query)), ElementsAre("demo"));
  query.linked_models = {"ada/other"};
  EXPECT_THAT(Names(hub_->catalog().List(Actor{}, query)), IsEmpty());
}

TEST_F(CatalogTest, FactsOfAnOldCommitStayWhatTheyWere) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "one");
  GitOid old_commit = Commit(repo, {{"README.md", "---\nlicense: mit\n---\n"}});
  GitOid new_commit = Commit(repo, {{"README.md", "---\nlicense: gpl-3.0\n---\n"}});
  Index();
  EXPECT_EQ(hub_->catalog().FactsOf(Reopen(repo), old_commit)->tags[0], "license:mit");
  EXPECT_EQ(hub_->catalog().FactsOf(Reopen(repo), new_commit)->tags[0], "license:gpl-3.0");
}

TEST_F(CatalogTest, DeletedRepositoryIsGone) {
  RepoHandle repo = MakeRepo(ada_, RepoType::kModel, "one");
  Commit(repo, {{"README.md", "---\nlicense: mit\n---\n"}});
  Index();
  hub_->repos().Delete(hub_->repos().Open(ada_, RepoType::kModel, "ada/one", Right::kAdmin));
  Index();
  EXPECT_THAT(With(ada_, "license:mit"), IsEmpty());
  EXPECT_EQ(hub_->catalog().Count(ada_, CatalogQuery{}), 0u);
}

}  // namespace
}  // namespace hearth::hub
