// An organisation's settings: its name and the people in it.
#include "base/error.h"
#include "server/hub_api/account_json.h"
#include "server/pages/form_page.h"

namespace hearth::server {
namespace {

hub::AccountPtr OrgForAdmin(const Context& context) {
  RequireSession(context);
  hub::AccountPtr org = OrgOfPath(context);
  if (!context.actor.site_admin && RoleIn(context.actor, org->id) != hub::OrgRole::kAdmin) {
    throw Error(Code::kForbidden, "Only an admin of this organisation may do this");
  }
  return org;
}

std::string PathOf(const hub::Account& org) { return "/organizations/" + org.name + "/settings"; }

Json PageData(const Context& context, const hub::Account& org) {
  Json members = Json::Arr();
  for (const hub::Membership& member : context.hub.accounts().MembersOf(org.id)) {
    members.Push(Json::Obj({{"name", member.account->name},
                            {"fullname", member.account->fullname},
                            {"role", hub::RoleName(member.role)},
                            {"self", member.account->id == context.actor.user_id}}));
  }
  struct RoleText {
    hub::OrgRole role;
    const char* what;
  };
  static constexpr RoleText kRoles[] = {
      {hub::OrgRole::kRead, "reads private repositories"},
      {hub::OrgRole::kContributor, "makes repositories and rules those"},
      {hub::OrgRole::kWrite, "writes to every repository"},
      {hub::OrgRole::kAdmin, "rules repositories and people"},
      {hub::OrgRole::kNoAccess, "is listed, and reads only what is public"}};
  Json roles = Json::Arr();
  for (const RoleText& text : kRoles)
    roles.Push(Json::Obj({{"id", hub::RoleName(text.role)}, {"what", text.what}}));
  return Json::Obj({{"org", Json::Obj({{"name", org.name}, {"fullname", org.fullname}})},
                    {"members", std::move(members)},
                    {"roles", std::move(roles)},
                    {"values", Json::Obj()},
                    {"said", context.request.QueryParam("said").value_or("")}});
}

net::Response SettingsPage(Context& context) {
  return RenderPage(context, "organization.html", PageData(context, *OrgForAdmin(context)));
}

net::Response SaveProfile(Context& context) {
  hub::AccountPtr org = OrgForAdmin(context);
  Form form(context.request);
  return OrAgain(
      [&] {
        context.hub.accounts().SetProfile(org->id, form.Text("fullname"), org->email);
        return GoTo(PathOf(*org), "profile");
      },
      [&](const Error&) { return PageData(context, *org); }, context, "organization.html");
}

// Adds a member, changes the role or, with the button "remove", takes the member out.
net::Response SetMember(Context& context) {
  hub::AccountPtr org = OrgForAdmin(context);
  Form form(context.request);
  return OrAgain(
      [&] {
        std::string name = form.Require("user", "User name");
        hub::AccountPtr user = context.hub.accounts().FindByName(name);
        if (user == nullptr || user->is_org || user->disabled) {
          throw Error(Code::kNotFound, "There is no user '" + name + "'");
        }
        std::optional<hub::OrgRole> role = hub::ParseRole(form.Require("role", "Role"));
        bool remove = form.Has("remove");
        if (!role && !remove) throw Error(Code::kInvalidArgument, "Choose a role");
        context.hub.accounts().SetMember(org->id, user->id, remove ? std::nullopt : role);
        bool left = remove && user->id == context.actor.user_id && !context.actor.site_admin;
        return left ? GoTo("/" + org->name) : GoTo(PathOf(*org), remove ? "removed" : "member");
      },
      [&](const Error&) { return PageData(context, *org).Set("values", form.Values()); }, context,
      "organization.html");
}

}  // namespace

void RegisterOrgPages(RouteTable& table) {
  auto page = [&](const char* methods, const char* pattern, Access access, Handler handle,
                  const char* summary) {
    AddFormRoute(table, {methods, pattern, access, std::move(handle), summary});
  };
  page("GET,HEAD", "/organizations/{org}/settings", Access::kUser, SettingsPage,
       "An organisation's name and members.");
  page("POST", "/organizations/{org}/settings", Access::kUserWrite, SaveProfile,
       "Changes its full name.");
  page("POST", "/organizations/{org}/settings/members", Access::kUserWrite, SetMember,
       "Adds, changes or removes a member.");
}

}  // namespace hearth::server
