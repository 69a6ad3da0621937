// Settings of a repository: visibility, gate, name, storage, and what cannot be undone.
#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/storage_use.h"
#include "server/lfs_api/object_uses.h"
#include "server/pages/form_page.h"
#include "server/pages/repo_frame.h"

namespace hearth::server {
namespace {

// The largest are what somebody who looks for room wants to see; the API lists all.
constexpr size_t kMaxObjectsShown = 100;
constexpr size_t kMaxObjectsRead = 20'000;

std::string_view GateName(hub::Gated gated) {
  switch (gated) {
    case hub::Gated::kOff:
      return "off";
    case hub::Gated::kAuto:
      return "auto";
    case hub::Gated::kManual:
      return "manual";
  }
  return "off";
}

Json PeopleLetIn(Context& context) {
  Json names = Json::Arr();
  context.hub.db().Read([&](storage::Connection& c) {
    c.Query(
        "SELECT a.name FROM gate_requests g JOIN accounts a ON a.id = g.user_id "
        "WHERE g.repo_id = ? AND g.status = 'accepted' ORDER BY a.name_lower",
        {context.repo().record().id}, [&](const storage::Row& row) { names.Push(row.Str(0)); });
  });
  return names;
}

Json ObjectRows(Context& context) {
  const hub::RepoRecord& repo = context.repo().record();
  std::vector<hub::HeldObject> held =
      context.hub.objects().List(repo, std::nullopt, kMaxObjectsRead);
  uint64_t total = 0;
  for (const hub::HeldObject& object : held) total += object.size_bytes;
  size_t shown = std::min(held.size(), kMaxObjectsShown);
  std::partial_sort(held.begin(), held.begin() + static_cast<ptrdiff_t>(shown), held.end(),
                    [](const auto& a, const auto& b) { return a.size_bytes > b.size_bytes; });
  ObjectUses uses = held.empty() ? ObjectUses() : FindObjectUses(context.repo());
  Json rows = Json::Arr();
  for (size_t i = 0; i < shown; ++i) {
    Json row = Json::Obj({{"oid", held[i].oid.Hex()}, {"size", held[i].size_bytes}});
    if (auto use = uses.find(held[i].oid); use != uses.end()) {
      row.Set("path", use->second.path);
      row.Set("ref", use->second.ref.substr(use->second.ref.rfind('/') + 1));
    }
    rows.Push(std::move(row));
  }
  return Json::Obj({{"rows", std::move(rows)}, {"count", held.size()}, {"bytes", total}});
}

Json Branches(Context& context) {
  constexpr std::string_view kHeads = "refs/heads/";
  Json names = Json::Arr();
  storage::GitRepository git = storage::GitRepository::Open(context.repo().git_folder());
  for (const storage::RefInfo& ref : git.ListRefs()) {
    if (ref.name.starts_with(kHeads)) names.Push(ref.name.substr(kHeads.size()));
  }
  return names;
}

Json PageData(Context& context) {
  const hub::RepoRecord& repo = context.repo().record();
  Json data = RepoFrame(context, "settings", "main");
  data.Set("visibility", repo.is_private ? "private" : "public");
  data.Set("gate", GateName(repo.gated));
  if (repo.gated != hub::Gated::kOff) data.Set("let_in", PeopleLetIn(context));
  data.Set("objects", ObjectRows(context));
  data.Set("branches", Branches(context));
  data.Set("used", hub::UsedStorage(context.hub.db(), repo.id,
                                    context.hub.catalog().SummaryOf(repo).main_bytes));
  data.Set("values", Json::Obj());
  return data;
}

net::Response SettingsPage(Context& context) {
  return RenderPage(context, "repo_settings.html", PageData(context));
}

// What each form of the page does. Returns where to go; "" = back to the settings.
using Action = std::string (*)(Context& context, const Form& form);

std::string SetVisibility(Context& context, const Form& form) {
  std::string wanted = form.Text("visibility");
  if (wanted != "public" && wanted != "private")
    throw Error(Code::kInvalidArgument, "Choose public or private");
  context.hub.repos().UpdateSettings(context.repo(), {.is_private = wanted == "private"});
  return "";
}

std::string SetGate(Context& context, const Form& form) {
  std::string wanted = form.Text("gate");
  for (hub::Gated gated : {hub::Gated::kOff, hub::Gated::kAuto, hub::Gated::kManual}) {
    if (wanted != GateName(gated)) continue;
    context.hub.repos().UpdateSettings(context.repo(), {.gated = gated});
    return "";
  }
  throw Error(Code::kInvalidArgument, "Choose who may read the files");
}

std::string SetPass(Context& context, const Form& form) {
  std::string name = form.Require("user", "User name");
  hub::AccountPtr user = context.hub.accounts().FindByName(name);
  if (user == nullptr || user->is_org)
    throw Error(Code::kInvalidArgument, "There is no user '" + name + "'");
  context.hub.repos().SetGatePass(
      context.repo(), user->id,
      form.Text("pass") == "take" ? hub::GatePass::kNone : hub::GatePass::kGranted);
  return "";
}

std::string PathOf(hub::RepoType type, const std::string& id) {
  return net::PercentEncode("/" + std::string(hub::PathPrefix(type)) + id, "/");
}

std::string Move(Context& context, const Form& form) {
  const hub::RepoRecord& repo = context.repo().record();
  std::string to = form.Require("owner", "Owner") + "/" + form.Require("name", "Name");
  hub::ParseRepoId(to);
  if (to == repo.FullName())
    throw Error(Code::kInvalidArgument, "The repository has this name already");
  context.hub.repos().Move(context.actor, context.repo(), to);
  return PathOf(repo.type, to) + "/settings";
}

std::string Squash(Context& context, const Form& form) {
  context.hub.commits().SuperSquash(context.actor, context.repo(), form.Require("branch", "Branch"),
                                    form.Text("message"));
  return "";
}

std::string ForgetObject(Context& context, const Form& form) {
  std::optional<Sha256> oid = Sha256::FromHex(form.Text("oid"));
  if (!oid) throw Error(Code::kInvalidArgument, "An object is named by its SHA-256");
  GiveUpObjects(context, {*oid}, form.Text("history") == "rewrite");
  return "";
}

std::string Delete(Context& context, const Form& form) {
  const hub::RepoRecord& repo = context.repo().record();
  if (form.Text("confirm") != repo.FullName()) {
    throw Error(Code::kInvalidArgument,
                "To delete the repository, type its full name: " + repo.FullName());
  }
  context.hub.repos().Delete(context.repo());
  return net::PercentEncode("/" + repo.owner, "/");
}

constexpr std::pair<std::string_view, Action> kActions[] = {
    {"visibility", SetVisibility},
    {"gate", SetGate},
    {"pass", SetPass},
    {"move", Move},
    {"squash", Squash},
    {"forget-object", ForgetObject},
    {"delete", Delete},
};

net::Response Change(Context& context) {
  std::string name = context.request.Capture("action");
  auto action = std::find_if(std::begin(kActions), std::end(kActions),
                             [&](const auto& known) { return known.first == name; });
  if (action == std::end(kActions)) throw Error(Code::kNotFound, "There is no such setting");
  Form form(context.request);
  return OrAgain(
      [&] {
        std::string path = action->second(context, form);
        if (!path.empty()) return GoTo(path);
        return GoTo(RepoLocation(context.repo().record()) + "/settings", name);
      },
      [&](const Error&) {
        return PageData(context).Set("values", form.Values()).Set("wrong", name);
      },
      context, "repo_settings.html");
}

}  // namespace

void RegisterRepoSettings(RouteTable& table) {
  table.Add({.methods = "GET,HEAD",
             .pattern = "/{P}{ns}/{name}/settings",
             .access = Access::kRepoAdmin,
             .handle = SettingsPage,
             .surface = Surface::kPage,
             .summary = "Settings of a repository."});
  table.Add({.methods = "POST",
             .pattern = "/{P}{ns}/{name}/settings/{action}",
             .access = Access::kRepoAdmin,
             .handle = Change,
             .surface = Surface::kPage,
             .body = {.max_bytes = 64 << 10},
             .summary = "One form of them: visibility, gate, pass, move, squash, "
                        "forget-object, delete."});
}

}  // namespace hearth::server
