#include "server/inspector_api/portraits.h"

#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>

#include "base/bytes.h"
#include "base/error.h"
#include "hub/inspector/compare/comparison.h"
#include "hub/repo_view.h"
#include "hub/tensor_index.h"
#include "server/inspector_api/own_hardware.h"
#include "storage/git/git_repository.h"

namespace hearth::server {
namespace {

constexpr int kMaxRenames = 8;
constexpr size_t kMaxScannedFiles = 10'000;
constexpr size_t kMaxNamedFiles = 10;
// A portrait takes some twenty kilobytes.
constexpr size_t kMaxKept = 400;

// Portraits without what depends on the caller; the least recently used goes first. Keys hold
// everything that they depend on.
class PortraitCache {
 public:
  using Ptr = std::shared_ptr<const inspector::Portrait>;
  Ptr Find(const std::string& key) {
    std::lock_guard lock(mutex_);
    auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->second;
  }
  void Put(const std::string& key, Ptr portrait) {
    std::lock_guard lock(mutex_);
    if (by_key_.contains(key)) return;
    entries_.emplace_front(key, std::move(portrait));
    by_key_.emplace(key, entries_.begin());
    if (entries_.size() <= kMaxKept) return;
    by_key_.erase(entries_.back().first);
    entries_.pop_back();
  }

 private:
  std::mutex mutex_;
  std::list<std::pair<std::string, Ptr>> entries_;
  std::unordered_map<std::string, std::list<std::pair<std::string, Ptr>>::iterator> by_key_;
};

[[noreturn]] void ThrowAbsent(const inspector::RepoSpec& spec) {
  throw Error(Code::kNotFound, "There is no such repository, or you may not read it: " +
                                   inspector::SpecOf(spec.type, spec.id, ""));
}

hub::RepoHandle OpenReadable(const Context& context, const inspector::RepoSpec& spec) {
  hub::RepoType type = hub::ParseRepoType(spec.type).value_or(hub::RepoType::kModel);
  std::string id = spec.id;
  for (int renames = 0; renames < kMaxRenames; ++renames) {
    try {
      return context.hub.repos().Open(context.actor, type, id, hub::Right::kReadContent);
    } catch (const Error& error) {
      if (error.code() == Code::kInternal) throw;
      if (error.code() != Code::kMoved) break;
      for (const auto& [key, value] : error.details())
        if (key == "to") id = value;
    }
  }
  ThrowAbsent(spec);
}

// From the worst to the best.
int Badness(hub::SafetyState state) {
  using enum hub::SafetyState;
  static constexpr hub::SafetyState kOrder[] = {kSafe,    kUnknown,    kQueued, kScanning,
                                                kCaution, kSuspicious, kError,  kUnsafe};
  return static_cast<int>(std::find(std::begin(kOrder), std::end(kOrder), state) -
                          std::begin(kOrder));
}

std::optional<inspector::ScanSummary> Scans(const Context& context, const AskedRepo& asked) {
  hub::Safety& safety = context.hub.safety();
  if (safety.policy() == hub::Quarantine::kOff) return std::nullopt;
  hub::FactsPtr facts = context.hub.catalog().FactsOf(asked.repo, asked.commit);
  size_t count = std::min(facts->siblings.size(), kMaxScannedFiles);
  std::vector<hub::SafetyKey> keys;
  for (size_t i = 0; i < count; ++i) keys.push_back(hub::SafetyKeyOf(facts->siblings[i]));
  auto found = safety.Find(asked.repo.record(), keys, hub::Safety::Detail::kStates);
  inspector::ScanSummary summary;
  summary.counts = Json::Obj();
  std::vector<std::pair<int, size_t>> worth;
  for (size_t i = 0; i < count; ++i) {
    std::string name(hub::SafetyStateName(found[i].state));
    summary.counts.Set(name, summary.counts.IntField(name).value_or(0) + 1);
    worth.emplace_back(-Badness(found[i].state), i);
  }
  std::sort(worth.begin(), worth.end());
  if (!worth.empty()) summary.state = hub::SafetyStateName(found[worth[0].second].state);
  for (const auto& [badness, index] : worth) {
    if (found[index].state == hub::SafetyState::kSafe || summary.evidence.size() >= kMaxNamedFiles)
      break;
    summary.evidence.push_back({facts->siblings[index].path, "",
                                std::string(hub::SafetyStateName(found[index].state)), ""});
  }
  return summary;
}

inspector::OwnVerdict OwnVerdict(const Context& context, const AskedRepo& asked) {
  inspector::OwnVerdict own;
  if (!context.hub.catalog().judges() || asked.repo.record().type != hub::RepoType::kModel)
    return own;
  hub::FactsPtr facts = context.hub.catalog().FactsOf(asked.repo, asked.commit);
  own.known = true;
  own.runs = facts->run.runs();
  own.tasks = facts->run.tasks;
  own.reason = facts->run.reason;
  return own;
}

std::string KeyOf(const AskedRepo& asked, const std::vector<inspector::Device>& devices) {
  const hub::RepoRecord& repo = asked.repo.record();
  std::string key = std::to_string(repo.id) + ":" + asked.commit.Hex() + ":" + repo.FullName();
  for (const inspector::Device& device : devices)
    key += "\n" + device.name + ":" + std::to_string(device.memory_bytes) + ":" +
           std::to_string(device.bandwidth_gbs) + ":" +
           std::string(inspector::DeviceKindName(device.kind));
  return key;
}

}  // namespace

std::vector<inspector::RepoSpec> ParseSpecs(const std::vector<std::string>& texts) {
  std::vector<inspector::RepoSpec> specs;
  std::vector<std::string> seen;
  for (const std::string& text : texts) {
    for (std::string_view part : Split(text, ',')) {
      if (TrimAscii(part).empty()) continue;
      inspector::RepoSpec spec = inspector::ParseRepoSpec(part);
      std::string name = AsciiLower(inspector::SpecOf(spec.type, spec.id, spec.revision));
      if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
      seen.push_back(std::move(name));
      specs.push_back(std::move(spec));
      if (specs.size() > inspector::kMaxCompared)
        throw Error(Code::kInvalidArgument, "at most " + std::to_string(inspector::kMaxCompared) +
                                                " repositories can be compared at once");
    }
  }
  return specs;
}

std::vector<inspector::RepoSpec> AskedSpecs(const Context& context) {
  return ParseSpecs(context.request.QueryParams("repos"));
}

AskedRepo OpenAsked(const Context& context, const inspector::RepoSpec& spec) {
  hub::RepoHandle repo = OpenReadable(context, spec);
  if (spec.revision.empty() || spec.revision == "main") {
    if (repo.record().head) return {repo, *repo.record().head};
  }
  auto git = storage::GitRepository::Open(repo.git_folder());
  GitOid commit =
      hub::Commits::ResolveRevision(git, spec.revision.empty() ? "main" : spec.revision);
  return {std::move(repo), commit};
}

std::vector<inspector::Device> DevicesNamed(const Context& context,
                                            const std::vector<std::string>& texts) {
  std::vector<inspector::Device> devices;
  auto add = [&devices](const inspector::Device& device) {
    if (devices.size() >= inspector::kMaxPortraitDevices)
      throw Error(Code::kInvalidArgument, "too many devices");
    devices.push_back(device);
  };
  for (const std::string& text : texts) {
    if (text.empty() || text == kNode || text == kMine) continue;
    add(inspector::ParseDevice(text));
  }
  if (!devices.empty()) return devices;
  devices = OwnHardware(context);
  if (devices.size() > inspector::kMaxPortraitDevices)
    devices.resize(inspector::kMaxPortraitDevices);
  if (!devices.empty()) return devices;
  if (const inspector::Device* usual = inspector::FindDevice("RTX 4090")) devices.push_back(*usual);
  return devices;
}

std::vector<inspector::Device> AskedDevices(const Context& context) {
  return DevicesNamed(context, context.request.QueryParams("device"));
}

inspector::Portrait PortraitOf(const Context& context, const AskedRepo& asked,
                               const std::vector<inspector::Device>& devices) {
  static PortraitCache cache;
  hub::Hub& hub = context.hub;
  const hub::RepoRecord& record = asked.repo.record();
  std::unique_ptr<inspector::RepoView> view =
      hub::OpenRepoView(asked.repo, hub.objects(), asked.commit);
  hub::HubNeighbours neighbours(hub.repos(), hub.objects(), context.actor);
  hub::CallerTensors tensors(hub.tensors(), hub.repos(), context.actor, record);
  hub::KeptReadingPtr reading = hub.inspections().Of(asked.repo, asked.commit);

  inspector::PortraitInput input;
  input.view = view.get();
  input.neighbours = &neighbours;
  input.stored = &tensors;
  input.join = &tensors;
  input.kinds = reading->kinds;
  input.reading_order = reading->reading_order;
  input.card_score = reading->card_score;
  input.own = OwnVerdict(context, asked);
  input.devices = devices;
  inspector::Resolve(record.FullName(), neighbours, &input.kinds);

  std::string key = KeyOf(asked, devices);
  PortraitCache::Ptr alone = cache.Find(key);
  if (alone == nullptr) {
    alone = std::make_shared<const inspector::Portrait>(inspector::DescribeAlone(input));
    cache.Put(key, alone);
  }
  input.scans = Scans(context, asked);
  input.created = FormatIso8601(record.created_at);
  auto git = storage::GitRepository::Open(asked.repo.git_folder());
  input.changed = FormatIso8601(git.ReadCommit(asked.commit).committer.time);
  inspector::Portrait portrait = *alone;
  inspector::DescribeAmong(input, &portrait);
  return portrait;
}

}  // namespace hearth::server
