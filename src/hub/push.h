// The check of a git push before it is accepted.
//
// `git receive-pack` keeps pushed objects in quarantine and runs the pre-receive hook. Our hook is
// a thin client: it hands the ref updates and the quarantine folder to the serving process over a
// local socket and relays the answer. So the rules run where accounts, repositories and grants are
// in memory already, with the very credential of the push, and a hub of a million repositories is
// not loaded once per push. The socket is abstract (unix(7): no file, no length limit by the data
// folder); a random ticket, known only to the receive-pack started for this push, says whose it is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "hub/actor.h"
#include "hub/commits.h"
#include "hub/repos.h"

namespace hearth::hub {

// What the hook process knows, from the environment that PushGate and git gave it.
struct PushEnvironment {
  std::filesystem::path data;
  std::string socket;      // HEARTH_PUSH_SOCKET
  std::string ticket;      // HEARTH_PUSH_TICKET
  std::string quarantine;  // GIT_QUARANTINE_PATH
  static PushEnvironment FromProcess(const std::filesystem::path& data);
};

// The body of `hearth git-hook pre-receive`: `in` has git's "<old> <new> <ref>" lines, `err`
// reaches the pusher as "remote: ...". Returns the exit status: 0 accepts.
int RunPreReceive(std::istream& in, std::ostream& err, const PushEnvironment& environment);

// (Re)writes <data>/hooks/pre-receive to call `program`. Call at start.
void InstallHooks(const std::filesystem::path& data, const std::string& program);

struct RefUpdate {
  std::optional<GitOid> before;  // nullopt = the ref is new
  std::optional<GitOid> after;   // nullopt = delete
  std::string ref;
};

// The rules for refs and content of a push; nullopt accepts, else what to tell the pusher.
std::optional<std::string> CheckPush(const Commits& commits, const RepoHandle& repo,
                                     const Actor& actor, const storage::GitRepository& git,
                                     const std::vector<RefUpdate>& updates);

// The serving side. Thread-safe. Construct once per process; the destructor ends its threads.
class PushGate {
 public:
  explicit PushGate(const Commits& commits);
  ~PushGate();

  // One push under way; keep it as long as git receive-pack runs.
  class Ticket {
   public:
    ~Ticket();
    // Variables for the environment of git receive-pack.
    std::vector<std::string> Environment() const;

   private:
    friend class PushGate;
    Ticket(PushGate& gate, std::string text) : gate_(gate), text_(std::move(text)) {}
    PushGate& gate_;
    std::string text_;
  };
  std::shared_ptr<Ticket> Admit(const Actor& actor, const RepoHandle& repo);

 private:
  struct Push {
    Actor actor;
    RepoHandle repo;
  };
  void Serve();
  void Answer(int connection);
  std::optional<std::string> Judge(const std::string& request);

  const Commits& commits_;
  std::string socket_name_;
  UniqueFd listener_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Push>> pushes_;
  std::vector<std::thread> threads_;
};

}  // namespace hearth::hub
