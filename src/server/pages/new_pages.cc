// Making things: a repository, a copy of one, an organisation.
#include <algorithm>

#include "base/error.h"
#include "hub/access.h"
#include "hub/licenses.h"
#include "server/hub_api/account_json.h"
#include "server/pages/form_page.h"
#include "server/pages/repo_frame.h"

namespace hearth::server {
namespace {

constexpr std::string_view kSdks[] = {"gradio", "docker", "static", "streamlit"};

// Where the person may make repositories, themselves first.
Json Owners(const Context& context) {
  Json owners = Json::Arr({Json(context.actor.user_name)});
  for (const hub::Membership& membership : context.hub.accounts().OrgsOf(context.actor.user_id)) {
    if (hub::MayCreateIn(context.actor, membership.account->id))
      owners.Push(membership.account->name);
  }
  return owners;
}

Json Licenses() {
  Json ids = Json::Arr();
  for (std::string_view id : hub::KnownLicenses()) ids.Push(id);
  return ids;
}

Json NewData(const Context& context, Json values) {
  return Json::Obj(
      {{"owners", Owners(context)}, {"licenses", Licenses()}, {"values", std::move(values)}});
}

net::Response NewPage(Context& context) {
  RequireSession(context);
  std::string type = context.request.QueryParam("type").value_or("model");
  if (!hub::ParseRepoType(type)) type = "model";
  std::string owner = context.request.QueryParam("owner").value_or(context.actor.user_name);
  return RenderPage(
      context, "new.html",
      NewData(context, Json::Obj({{"type", type}, {"owner", owner}, {"visibility", "public"}})));
}

bool WantsPrivate(const Form& form) {
  std::string visibility = form.Text("visibility");
  if (visibility != "public" && visibility != "private") {
    throw Error(Code::kInvalidArgument, "Choose whether it is public or private");
  }
  return visibility == "private";
}

hub::NewRepo WantedRepo(const Form& form) {
  hub::NewRepo repo;
  std::optional<hub::RepoType> type = hub::ParseRepoType(form.Text("type"));
  if (!type) throw Error(Code::kInvalidArgument, "Choose what to make: model, dataset or Space");
  repo.type = *type;
  repo.owner = form.Require("owner", "Owner");
  repo.name = form.Require("name", "Name");
  repo.license = form.Text("license");
  repo.is_private = WantsPrivate(form);
  if (*type == hub::RepoType::kSpace) {
    std::string sdk = form.Text("sdk");
    if (std::find(std::begin(kSdks), std::end(kSdks), sdk) == std::end(kSdks)) {
      throw Error(Code::kInvalidArgument, "Choose what the Space is made with");
    }
    repo.space = Json::Obj({{"sdk", sdk}});
  }
  return repo;
}

net::Response CreateRepo(Context& context) {
  RequireSession(context);
  Form form(context.request);
  return OrAgain(
      [&] {
        hub::RepoHandle made = context.hub.repos().Create(context.actor, WantedRepo(form));
        return GoTo(RepoLocation(made.record()));
      },
      [&](const Error&) { return NewData(context, form.Values()); }, context, "new.html");
}

// While the name is typed: {ok, message}. Says of a namespace only what Create would say too.
net::Response CheckName(Context& context) {
  auto answer = [](bool ok, std::string message) {
    return JsonResponse(Json::Obj({{"ok", ok}, {"message", std::move(message)}}));
  };
  hub::RepoType type = hub::ParseRepoType(context.request.QueryParam("type").value_or("model"))
                           .value_or(hub::RepoType::kModel);
  std::string owner = context.request.QueryParam("owner").value_or("");
  std::string name = context.request.QueryParam("name").value_or("");
  try {
    hub::ParseRepoId(owner + "/" + name);
  } catch (const Error& fault) {
    return answer(false, fault.message());
  }
  hub::AccountPtr account = context.hub.accounts().FindByName(owner);
  if (account == nullptr || !hub::MayCreateIn(context.actor, account->id)) {
    return answer(false, "You may not make repositories there");
  }
  if (context.hub.repos().Find(type, owner, name) != nullptr) {
    return answer(
        false, owner + " has a " + std::string(hub::SingularName(type)) + " of this name already");
  }
  return answer(true, "This name is free");
}

Json DuplicateData(Context& context, Json values) {
  Json data = RepoFrame(context, "duplicate", "main");
  data.Set("owners", Owners(context));
  data.Set("values", std::move(values));
  return data;
}

net::Response DuplicatePage(Context& context) {
  if (!context.actor.signed_in()) {
    return net::Response::Redirect(303,
                                   "/login?next=" + net::PercentEncode(context.request.raw_target));
  }
  const hub::RepoRecord& repo = context.repo().record();
  return RenderPage(
      context, "duplicate.html",
      DuplicateData(context, Json::Obj({{"owner", context.actor.user_name},
                                        {"name", repo.name},
                                        {"visibility", repo.is_private ? "private" : "public"}})));
}

net::Response Duplicate(Context& context) {
  RequireSession(context);
  Form form(context.request);
  return OrAgain(
      [&] {
        hub::NewRepo target;
        target.type = context.repo().record().type;
        target.owner = form.Require("owner", "Owner");
        target.name = form.Require("name", "Name");
        target.is_private = WantsPrivate(form);
        hub::RepoHandle made = context.hub.repos().Duplicate(context.actor, context.repo(), target);
        return GoTo(RepoLocation(made.record()));
      },
      [&](const Error&) { return DuplicateData(context, form.Values()); }, context,
      "duplicate.html");
}

net::Response NewOrgPage(Context& context) {
  RequireSession(context);
  return RenderPage(context, "new_organization.html", Json::Obj({{"values", Json::Obj()}}));
}

net::Response CreateOrg(Context& context) {
  RequireSession(context);
  Form form(context.request);
  return OrAgain(
      [&] {
        hub::AccountPtr org = context.hub.accounts().CreateOrg(
            form.Require("name", "Name"), form.Text("fullname"), context.actor.user_id);
        return GoTo("/organizations/" + org->name + "/settings", "made");
      },
      [&](const Error&) {
        return Json::Obj({{"values", form.Values()}});
      },
      context, "new_organization.html");
}

}  // namespace

void RegisterNewPages(RouteTable& table) {
  auto page = [&](const char* methods, const char* pattern, Access access, Handler handle,
                  const char* summary) {
    AddFormRoute(table, {methods, pattern, access, std::move(handle), summary});
  };
  page("GET,HEAD", "/new", Access::kUser, NewPage, "The form that makes a repository.");
  page("POST", "/new", Access::kUserWrite, CreateRepo, "Makes a repository.");
  page("GET,HEAD", "/organizations/new", Access::kUser, NewOrgPage,
       "The form that makes an organisation.");
  page("POST", "/organizations/new", Access::kUserWrite, CreateOrg, "Makes an organisation.");
  page("GET,HEAD", "/{P}{ns}/{name}/duplicate", Access::kRepoContent, DuplicatePage,
       "The form that copies a repository.");
  page("POST", "/{P}{ns}/{name}/duplicate", Access::kRepoContent, Duplicate,
       "Copies a repository.");
  table.Add({.methods = "GET,HEAD",
             .pattern = "/api/hearth/name-check",
             .access = Access::kUser,
             .handle = CheckName,
             .summary = "Whether a repository could be made under a name."});
}

}  // namespace hearth::server
