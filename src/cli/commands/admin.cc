#include <cstdio>
#include <functional>

#include "base/error.h"
#include "base/random.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "hub/hub.h"
#include "hub/storage_use.h"

namespace hearth::cli {
namespace {

struct AdminOptions {
  std::string data = "./data";
  bool quiet = false;
  bool json = false;
  std::string name, password, email, fullname, user, org, role, token_name = "cli", token_id;
  bool site_admin = false;
  int expires_days = 0;
};
using Options = std::shared_ptr<AdminOptions>;

// Opens the data folder beside a running server, makes the change, and tells that server to look
// again.
void WithHub(const Options& options, const std::function<void(hub::Hub&)>& body) {
  if (!std::filesystem::exists(std::filesystem::path(options->data) / "hearth.db")) {
    throw Error(Code::kNotFound,
                options->data + " holds no hub: give the server's folder with --data");
  }
  hub::Hub hub({.data = std::filesystem::absolute(options->data).lexically_normal()},
               /*exclusive=*/false);
  body(hub);
  hub.TellServer();
}

hub::AccountPtr NeedAccount(hub::Hub& hub, const std::string& name, bool org) {
  hub::AccountPtr account = hub.accounts().FindByName(name);
  if (account == nullptr || account->is_org != org) {
    throw Error(Code::kNotFound, std::string("there is no ") + (org ? "organisation" : "user") +
                                     " named '" + name + "'");
  }
  return account;
}

hub::OrgRole NeedRole(const std::string& text) {
  std::optional<hub::OrgRole> role = hub::ParseRole(text);
  if (!role)
    throw Error(Code::kInvalidArgument,
                "unknown role '" + text + "': read, contributor, write or admin");
  return *role;
}

void Say(const Options& options, const std::string& text) {
  if (!options->quiet) std::printf("%s\n", text.c_str());
}

void PrintAccounts(const Options& options, const std::vector<hub::AccountPtr>& accounts) {
  if (options->json) {
    Json list = Json::Arr();
    for (const auto& account : accounts) {
      list.Push(Json::Obj({{"name", account->name},
                           {"fullname", account->fullname},
                           {"email", account->email},
                           {"admin", account->is_admin},
                           {"disabled", account->disabled},
                           {"createdAt", FormatIso8601(account->created_at)}}));
    }
    std::printf("%s\n", list.Dump(2).c_str());
    return;
  }
  for (const auto& account : accounts) {
    std::printf("%-32s %s%s%s\n", account->name.c_str(), FormatIso8601(account->created_at).c_str(),
                account->is_admin ? "  admin" : "", account->disabled ? "  disabled" : "");
  }
}

void AddUserCommands(CLI::App* admin, const Options& options) {
  CLI::App* user = admin->add_subcommand("user", "Users")->require_subcommand(1);
  CLI::App* create = user->add_subcommand("create", "Make a user");
  create->add_option("name", options->name, "User name")->required();
  create->add_option("--password", options->password, "Password; made up and printed when left out")
      ->envname("HEARTH_PASSWORD");
  create->add_option("--email", options->email, "E-mail address");
  create->add_flag("--admin", options->site_admin, "Administrator of the whole hub");
  create->callback([options] {
    WithHub(options, [&](hub::Hub& hub) {
      bool made_up = options->password.empty();
      if (made_up) options->password = RandomAlphanumeric(20);
      hub.accounts().CreateUser(options->name, options->password, options->email,
                                options->site_admin);
      Say(options,
          "created user " + options->name + (made_up ? "  password " + options->password : ""));
    });
  });
  CLI::App* list = user->add_subcommand("list", "List users");
  list->add_flag("--json", options->json, "As JSON");
  list->callback([options] {
    WithHub(options, [&](hub::Hub& hub) { PrintAccounts(options, hub.accounts().List(false)); });
  });
  struct Switch {
    const char* name;
    const char* help;
    bool disabled;
  };
  for (Switch choice : {Switch{"disable", "Refuse the user's tokens and sessions", true},
                        Switch{"enable", "Let the user in again", false}}) {
    CLI::App* command = user->add_subcommand(choice.name, choice.help);
    command->add_option("name", options->name, "User name")->required();
    command->callback([options, choice] {
      WithHub(options, [&](hub::Hub& hub) {
        hub.accounts().SetDisabled(NeedAccount(hub, options->name, false)->id, choice.disabled);
        Say(options, std::string(choice.name) + "d user " + options->name);
      });
    });
  }
  CLI::App* reset = user->add_subcommand("reset-password", "Set a new password");
  reset->add_option("name", options->name, "User name")->required();
  reset->add_option("--password", options->password, "Password; made up and printed when left out")
      ->envname("HEARTH_PASSWORD");
  reset->callback([options] {
    WithHub(options, [&](hub::Hub& hub) {
      if (options->password.empty()) options->password = RandomAlphanumeric(20);
      hub.accounts().SetPassword(NeedAccount(hub, options->name, false)->id, options->password);
      std::printf("new password of %s: %s\n", options->name.c_str(), options->password.c_str());
    });
  });
}

void AddOrgCommands(CLI::App* admin, const Options& options) {
  CLI::App* org = admin->add_subcommand("org", "Organisations")->require_subcommand(1);
  CLI::App* create = org->add_subcommand("create", "Make an organisation");
  create->add_option("name", options->name, "Organisation name")->required();
  create->add_option("--fullname", options->fullname, "Name for people");
  create->callback([options] {
    WithHub(options, [&](hub::Hub& hub) {
      hub.accounts().CreateOrg(options->name,
                               options->fullname.empty() ? options->name : options->fullname, 0);
      Say(options, "created organisation " + options->name);
    });
  });
  CLI::App* list = org->add_subcommand("list", "List organisations");
  list->add_flag("--json", options->json, "As JSON");
  list->callback([options] {
    WithHub(options, [&](hub::Hub& hub) { PrintAccounts(options, hub.accounts().List(true)); });
  });
  CLI::App* add = org->add_subcommand("add-member", "Add a member or change the role");
  add->add_option("org", options->org, "Organisation")->required();
  add->add_option("user", options->user, "User")->required();
  add->add_option("--role", options->role, "read, contributor, write or admin")->required();
  add->callback([options] {
    WithHub(options, [&](hub::Hub& hub) {
      hub.accounts().SetMember(NeedAccount(hub, options->org, true)->id,
                               NeedAccount(hub, options->user, false)->id, NeedRole(options->role));
      Say(options, options->user + " is " + options->role + " in " + options->org);
    });
  });
  CLI::App* remove = org->add_subcommand("remove-member", "Remove a member");
  remove->add_option("org", options->org, "Organisation")->required();
  remove->add_option("user", options->user, "User")->required();
  remove->callback([options] {
    WithHub(options, [&](hub::Hub& hub) {
      hub.accounts().SetMember(NeedAccount(hub, options->org, true)->id,
                               NeedAccount(hub, options->user, false)->id, std::nullopt);
      Say(options, "removed " + options->user + " from " + options->org);
    });
  });
  CLI::App* members = org->add_subcommand("members", "List members");
  members->add_option("org", options->org, "Organisation")->required();
  members->callback([options] {
    WithHub(options, [&](hub::Hub& hub) {
      for (const hub::Membership& member :
           hub.accounts().MembersOf(NeedAccount(hub, options->org, true)->id)) {
        std::printf("%-32s %s\n", member.account->name.c_str(),
                    std::string(hub::RoleName(member.role)).c_str());
      }
    });
  });
}

void AddTokenCommands(CLI::App* admin, const Options& options) {
  CLI::App* token = admin->add_subcommand("token", "Access tokens")->require_subcommand(1);
  CLI::App* create = token->add_subcommand("create", "Make a token; its text is printed only now");
  create->add_option("user", options->user, "User")->required();
  create->add_option("--role", options->role, "read or write")
      ->required()
      ->check(CLI::IsMember({"read", "write"}));
  create->add_option("--name", options->token_name, "Name in lists")->capture_default_str();
  create->add_option("--expires-days", options->expires_days, "Lifetime; 0 = no end")
      ->capture_default_str();
  create->callback([options] {
    WithHub(options, [&](hub::Hub& hub) {
      hub::NewToken wanted;
      wanted.name = options->token_name;
      wanted.role = options->role == "write" ? hub::TokenRole::kWrite : hub::TokenRole::kRead;
      if (options->expires_days > 0)
        wanted.expires_at = hub.clock().Now() + std::chrono::hours(24 * options->expires_days);
      std::string text =
          hub.accounts().CreateToken(NeedAccount(hub, options->user, false)->id, wanted).second;
      std::printf(options->quiet ? "%s\n" : "token (shown only now): %s\n", text.c_str());
    });
  });
  CLI::App* list = token->add_subcommand("list", "List a user's tokens");
  list->add_option("user", options->user, "User")->required();
  list->callback([options] {
    WithHub(options, [&](hub::Hub& hub) {
      for (const hub::TokenInfo& info :
           hub.accounts().ListTokens(NeedAccount(hub, options->user, false)->id)) {
        std::printf("%s  %-12s %-24s %s  last used %s\n", info.oid.c_str(),
                    std::string(hub::TokenRoleName(info.role)).c_str(), info.name.c_str(),
                    info.hint.c_str(),
                    info.last_used_at ? FormatIso8601(*info.last_used_at).c_str() : "never");
      }
    });
  });
  CLI::App* revoke = token->add_subcommand("revoke", "End a token");
  revoke->add_option("user", options->user, "User")->required();
  revoke->add_option("id", options->token_id, "Id from `token list`")->required();
  revoke->callback([options] {
    WithHub(options, [&](hub::Hub& hub) {
      hub.accounts().RevokeToken(NeedAccount(hub, options->user, false)->id, options->token_id);
      Say(options, "revoked " + options->token_id);
    });
  });
}

hub::RepoPtr NeedRepo(hub::Hub& hub, const std::string& type, const std::string& name) {
  std::optional<hub::RepoType> repo_type = hub::ParseRepoType(type);
  if (!repo_type) throw Error(Code::kInvalidArgument, "unknown type '" + type + "'");
  hub::RepoId id = hub::ParseRepoId(name);
  hub::RepoPtr repo = hub.repos().Find(*repo_type, id.owner, id.name);
  if (repo == nullptr) throw Error(Code::kNotFound, "there is no " + type + " " + name);
  return repo;
}

void AddGateCommands(CLI::App* repo, const Options& options) {
  auto type = std::make_shared<std::string>("model");
  struct Switch {
    const char* name;
    const char* help;
    hub::GatePass pass;
    const char* done;
  };
  for (Switch choice :
       {Switch{"grant", "Let a user through the gate of a gated repository",
               hub::GatePass::kGranted, " may read "},
        Switch{"revoke", "Take that back", hub::GatePass::kNone, " has no pass any more for "}}) {
    CLI::App* command = repo->add_subcommand(choice.name, choice.help);
    command->add_option("repository", options->name, "namespace/name")->required();
    command->add_option("user", options->user, "User")->required();
    command->add_option("--type", *type, "model, dataset or space")->capture_default_str();
    command->callback([options, type, choice] {
      WithHub(options, [&](hub::Hub& hub) {
        hub::RepoPtr repo = NeedRepo(hub, *type, options->name);
        hub::AccountPtr user = NeedAccount(hub, options->user, false);
        hub.repos().SetGatePass(hub.repos().OpenAsSystem(repo), user->id, choice.pass);
        Say(options, user->name + choice.done + repo->FullName());
      });
    });
  }
}

void AddRepoCommands(CLI::App* admin, const Options& options) {
  CLI::App* repo = admin->add_subcommand("repo", "Repositories")->require_subcommand(1);
  auto type = std::make_shared<std::string>("model");
  struct Switch {
    const char* name;
    const char* help;
    bool disabled;
  };
  for (Switch choice :
       {Switch{"disable", "Close a repository to everyone but administrators", true},
        Switch{"enable", "Open it again", false}}) {
    CLI::App* command = repo->add_subcommand(choice.name, choice.help);
    command->add_option("repository", options->name, "namespace/name")->required();
    command->add_option("--type", *type, "model, dataset or space")->capture_default_str();
    command->callback([options, type, choice] {
      WithHub(options, [&](hub::Hub& hub) {
        hub::RepoPtr repo = NeedRepo(hub, *type, options->name);
        hub::RepoSettings settings;
        settings.disabled = choice.disabled;
        hub.repos().UpdateSettings(hub.repos().OpenAsSystem(repo), settings);
        Say(options, std::string(choice.name) + "d " + repo->FullName());
      });
    });
  }
  AddGateCommands(repo, options);
}

void AddAliasCommands(CLI::App* admin, const Options& options) {
  CLI::App* alias =
      admin->add_subcommand("alias", "One-part names such as gpt2")->require_subcommand(1);
  CLI::App* set = alias->add_subcommand("set", "Let a one-part name stand for a repository");
  auto type = std::make_shared<std::string>("model");
  set->add_option("alias", options->name, "One-part name")->required();
  set->add_option("repository", options->user, "namespace/name")->required();
  set->add_option("--type", *type, "model, dataset or space")->capture_default_str();
  set->callback([options, type] {
    WithHub(options, [&](hub::Hub& hub) {
      hub::RepoPtr repo = NeedRepo(hub, *type, options->user);
      hub.repos().SetAlias(repo->type, options->name, repo->id);
      Say(options, options->name + " -> " + repo->FullName());
    });
  });
}

Json UseJson(const hub::StorageUse& use) {
  return Json::Obj({{"nominalBytes", use.nominal_bytes},
                    {"storedBytes", use.stored_bytes},
                    {"sharedBytes", use.shared_bytes}});
}

void PrintUse(const std::string& name, const hub::StorageUse& use) {
  std::printf("%-56s %10s %12s %10s\n", name.c_str(), HumanBytes(use.nominal_bytes).c_str(),
              HumanBytes(use.stored_bytes).c_str(), HumanBytes(use.shared_bytes).c_str());
}

void ShowStorage(hub::Hub& hub, bool json) {
  hub::StorageReport report = hub::ReadStorageUse(hub);
  Json rows = Json::Obj({{"owners", Json::Obj()}, {"repositories", Json::Obj()}});
  if (!json) std::printf("%-56s %10s %12s %10s\n", "", "nominal", "deduplicated", "shared");
  auto show = [&](const char* group, const std::string& name, const hub::StorageUse& use) {
    if (json) {
      rows.Find(group)->Set(name, UseJson(use));
    } else {
      PrintUse(name, use);
    }
  };
  for (const auto& [id, use] : report.owners) {
    if (hub::AccountPtr owner = hub.accounts().FindById(id)) show("owners", owner->name, use);
  }
  for (const auto& [id, use] : report.repos) {
    if (hub::RepoPtr repo = hub.repos().FindById(id)) {
      show("repositories", std::string(hub::SingularName(repo->type)) + " " + repo->FullName(),
           use);
    }
  }
  if (json) {
    std::printf("%s\n", rows.Set("total", UseJson(report.total)).Dump(2).c_str());
  } else {
    PrintUse("total", report.total);
  }
}

void AddStorageCommand(CLI::App* admin, const Options& options) {
  CLI::App* storage = admin->add_subcommand(
      "storage", "Room that large files take: by owner and repository, as uploaded and as stored");
  storage->add_flag("--json", options->json, "As JSON");
  storage->callback(
      [options] { WithHub(options, [&](hub::Hub& hub) { ShowStorage(hub, options->json); }); });
}

}  // namespace

void AddAdminCommand(CLI::App& app, Outcome*) {
  auto options = std::make_shared<AdminOptions>();
  CLI::App* admin = app.add_subcommand("admin", "Manage users, organisations, tokens and names")
                        ->require_subcommand(1);
  admin->add_option("--data", options->data, "Folder of the hub")
      ->envname("HEARTH_DATA")
      ->capture_default_str();
  admin->add_flag("--quiet,-q", options->quiet, "Print only what was asked for");
  admin->fallthrough();
  AddUserCommands(admin, options);
  AddOrgCommands(admin, options);
  AddTokenCommands(admin, options);
  AddRepoCommands(admin, options);
  AddAliasCommands(admin, options);
  AddStorageCommand(admin, options);
  for (CLI::App* group : admin->get_subcommands(nullptr)) {
    group->fallthrough();
    for (CLI::App* command : group->get_subcommands(nullptr)) command->fallthrough();
  }
}

}  // namespace hearth::cli
