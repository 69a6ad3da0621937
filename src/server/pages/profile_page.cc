// The page of a user or an organisation: who belongs to it, its own card, its repositories.
#include "base/error.h"
#include "server/pages/repo_view.h"
#include "server/pages/site.h"

namespace hearth::server {
namespace {

constexpr size_t kShown = 12;  // repositories of each type
constexpr size_t kMaxPeople = 200;

struct SortChoice {
  const char* key;
  const char* label;
  hub::SortKey sort;
};
constexpr SortChoice kSorts[] = {{"lastModified", "Recently updated", hub::SortKey::kModified},
                                 {"likes", "Most likes", hub::SortKey::kLikes},
                                 {"downloads", "Most downloads", hub::SortKey::kDownloads},
                                 {"createdAt", "Newest", hub::SortKey::kCreated}};

const SortChoice& SortOf(const net::Request& request) {
  std::string wanted = request.QueryParam("sort").value_or("");
  for (const SortChoice& choice : kSorts) {
    if (wanted == choice.key) return choice;
  }
  return kSorts[0];
}

Json Sorts() {
  Json rows = Json::Arr();
  for (const SortChoice& choice : kSorts)
    rows.Push(Json::Obj({{"key", choice.key}, {"label", choice.label}}));
  return rows;
}

Json Columns(Context& context, const std::string& name, hub::SortKey sort) {
  hub::CatalogQuery query;
  query.author = name;
  query.sort = sort;
  query.limit = kShown;
  return RepoColumns(context, std::move(query));
}

Json People(Context& context, const hub::Account& account) {
  Json people = Json::Arr();
  for (const hub::Membership& member : account.is_org ? context.hub.accounts().MembersOf(account.id)
                                                      : context.hub.accounts().OrgsOf(account.id)) {
    if (people.size() < kMaxPeople) people.Push(Json::Obj({{"name", member.account->name}}));
  }
  return people;
}

// The README.md of the Space NAME/README, which is where accounts keep what they say of themselves.
std::string ProfileCard(Context& context, const std::string& name) {
  hub::RepoPtr found = context.hub.repos().Find(hub::RepoType::kSpace, name, "README");
  if (found == nullptr || !found->head ||
      !context.hub.repos().May(context.actor, found->id, hub::Right::kReadContent))
    return {};
  hub::RepoHandle repo = context.hub.repos().OpenAsSystem(found);
  hub::FactsPtr facts = context.hub.catalog().FactsOf(repo, *found->head);
  return facts->card_text.empty() ? std::string() : CardHtml(*found, facts->card_text, "main", "");
}

net::Response ProfilePage(Context& context) {
  hub::AccountPtr account = context.hub.accounts().FindByName(context.request.Capture("ns"));
  if (account == nullptr || account->disabled)
    throw Error(Code::kNotFound, "There is no user or organisation of this name.");
  const SortChoice& sort = SortOf(context.request);
  Json data = Json::Obj({{"name", account->name},
                         {"fullname", account->fullname},
                         {"is_org", account->is_org},
                         {"people", People(context, *account)},
                         {"sorts", Sorts()},
                         {"sort", sort.key},
                         {"columns", Columns(context, account->name, sort.sort)}});
  if (std::string card = ProfileCard(context, account->name); !card.empty())
    data.Set("card", std::move(card));
  return RenderPage(context, "profile.html", std::move(data));
}

}  // namespace

void RegisterProfilePage(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{ns}",
             .access = Access::kPublic,
             .handle = ProfilePage,
             .surface = Surface::kPage,
             .summary = "Page of a user or organisation."});
}

}  // namespace hearth::server
