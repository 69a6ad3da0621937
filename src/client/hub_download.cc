#include "client/hub_download.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "client/http_source.h"
#include "client/internal/http_request.h"
#include "client/internal/model_info.h"

namespace hearth::client {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxInfoBytes = 64u << 20;
constexpr uint64_t kMaxGitBytes = 1u << 30;  // of a file that is not kept as a large one
constexpr size_t kHashBlock = 1u << 20;
// Transfers that bring nothing before the hub is taken to be down; the pause doubles from 0.2 s.
constexpr int kMaxFailures = 5;

bool IsTrue(const char* value) {
  if (value == nullptr) return false;
  std::string lower = AsciiLower(value);
  return lower == "1" || lower == "on" || lower == "yes" || lower == "true";
}

HttpSourceOptions RequestOptions(const HubSettings& settings) {
  HttpSourceOptions options;
  options.token = settings.token;
  options.token_origin = settings.endpoint;
  return options;
}

RemoteModel AskHub(const ModelId& id, const HubSettings& settings) {
  HttpConnection connection;
  HttpSourceOptions options = RequestOptions(settings);
  std::string place = settings.endpoint + "/api/models/" + id.repository + "/revision/" +
                      EscapePath(id.revision, "") + "?blobs=true";
  for (int hop = 0; hop <= options.max_redirects; ++hop) {
    HttpAnswer answer = connection.Get(place, "", kMaxInfoBytes, options);
    if (answer.location.empty()) {
      CheckStatus(answer.status, place);
      return ReadModelInfo(answer.body);
    }
    // A repository that has moved; a list does not come from another host.
    place = answer.location;
    if (OriginOf(place) != OriginOf(settings.endpoint)) {
      throw Error(Code::kUnavailable, "the hub's answer about the model leads to another host");
    }
  }
  throw Error(Code::kUnavailable, place + " redirects too often");
}

// One blob on its way into the cache. The caller holds its lock.
class Transfer {
 public:
  Transfer(const RemoteFile& file, std::string address, const HubSettings& settings, fs::path blob)
      : file_(file),
        address_(std::move(address)),
        options_(RequestOptions(settings)),
        blob_(std::move(blob)),
        incomplete_(blob_.string() + ".incomplete") {}

  // `progress` hears the bytes that are there.
  void Run(const std::function<void(uint64_t)>& progress) {
    progress_ = progress;
    Open();
    FetchAll();
    // What an earlier transfer left may have been something else.
    if (resumed_ > 0 && !Matches()) {
      StartAgain();
      FetchAll();
    }
    if (Matches()) return Finish();
    std::error_code ignored;
    fs::remove(incomplete_, ignored);
    throw Error(Code::kUnavailable, file_.path + " arrived damaged: its identity is " + identity_ +
                                        " and should be " + file_.etag);
  }

 private:
  void Open() {
    fd_.Reset(::open(incomplete_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!fd_.valid()) ThrowErrno("open " + incomplete_.string());
    have_ = FileSize(fd_.get());
    if (have_ > file_.bytes) StartAgain();
    resumed_ = have_;
    std::string block(kHashBlock, '\0');
    for (uint64_t at = 0; file_.large && at < have_; at += kHashBlock) {
      size_t n = std::min<uint64_t>(kHashBlock, have_ - at);
      ReadExactAt(fd_.get(), at, block.data(), n);
      hasher_.Update(std::string_view(block).substr(0, n));
    }
    ::lseek(fd_.get(), static_cast<off_t>(have_), SEEK_SET);
    progress_(have_);
  }

  void StartAgain() {
    if (::ftruncate(fd_.get(), 0) != 0) ThrowErrno("empty " + incomplete_.string());
    ::lseek(fd_.get(), 0, SEEK_SET);
    hasher_ = Sha256Hasher();
    have_ = resumed_ = 0;
  }

  void FetchAll() {
    for (int failures = 0; have_ < file_.bytes;) {
      uint64_t before = have_;
      try {
        FetchRest();
      } catch (const Error& error) {
        bool passes = error.code() == Code::kUnavailable || error.code() == Code::kTimeout;
        failures = have_ > before ? 1 : failures + 1;
        if (!passes || failures >= kMaxFailures) throw;
        std::this_thread::sleep_for(std::chrono::milliseconds(100 << failures));
      }
    }
    identity_ = file_.large ? hasher_.Finish().Hex()
                            : GitBlobOid(ReadFile(incomplete_, kMaxGitBytes)).Hex();
  }

  bool Matches() const { return identity_ == file_.etag; }

  void FetchRest() {
    std::string range;
    if (have_ > 0) range = std::to_string(have_) + "-" + std::to_string(file_.bytes - 1);
    uint64_t wanted = have_;
    std::string place = address_;
    for (int hop = 0; hop <= options_.max_redirects; ++hop) {
      bool first = true;
      HttpAnswer answer = connection_.Stream(
          place, range,
          [&](const HttpAnswer& head, std::string_view piece) {
            // A server that knows no ranges begins at the beginning.
            if (first && head.status == 200 && have_ > 0) StartAgain();
            bool right = head.status == 200 ||
                         head.content_range.starts_with("bytes " + std::to_string(wanted) + "-");
            if (first && !right) return false;
            first = false;
            return Take(piece);
          },
          options_);
      if (!answer.location.empty()) {
        place = answer.location;
        continue;
      }
      CheckStatus(answer.status, place);
      if (have_ < file_.bytes) throw Error(Code::kUnavailable, address_ + " ended too early");
      return;
    }
    throw Error(Code::kUnavailable, address_ + " redirects too often");
  }

  bool Take(std::string_view piece) {
    if (piece.size() > file_.bytes - have_) return false;
    WriteAll(fd_.get(), piece);
    if (file_.large) hasher_.Update(piece);
    have_ += piece.size();
    progress_(have_);
    return true;
  }

  void Finish() {
    FsyncFile(fd_.get(), incomplete_.string());
    std::error_code fault;
    fs::rename(incomplete_, blob_, fault);
    if (fault) ThrowErrno("rename " + incomplete_.string(), fault.value());
    FsyncFolder(blob_.parent_path());
  }

  const RemoteFile& file_;
  std::string address_;
  HttpSourceOptions options_;
  fs::path blob_, incomplete_;
  HttpConnection connection_;
  std::function<void(uint64_t)> progress_;
  UniqueFd fd_;
  Sha256Hasher hasher_;
  std::string identity_;
  uint64_t have_ = 0, resumed_ = 0;
};

// What is missing of the files, blob after blob.
class Fetcher {
 public:
  Fetcher(const ModelId& id, std::string commit, const HubSettings& settings,
          const DownloadEvents& events)
      : id_(id),
        commit_(std::move(commit)),
        settings_(settings),
        cache_(settings.cache),
        events_(events) {}

  void Run(const std::vector<RemoteFile>& files) {
    std::vector<const RemoteFile*> missing;
    fs::path snapshot = cache_.Snapshot(id_.repository, commit_);
    for (const RemoteFile& file : files) {
      std::error_code fault;
      if (fs::is_regular_file(snapshot / file.path, fault)) continue;
      missing.push_back(&file);
      state_.total_bytes += file.bytes;
    }
    NoteCommit(missing.empty());
    state_.files = missing.size();
    for (const RemoteFile* file : missing) {
      state_.file = file->path;
      ++state_.number;
      FetchOne(*file);
    }
  }

 private:
  // A cache that cannot be written serves as long as nothing is missing.
  void NoteCommit(bool complete) {
    try {
      cache_.Begin(id_.repository, id_.revision, commit_);
    } catch (const Error&) {
      if (!complete) throw;
    }
  }

  void FetchOne(const RemoteFile& file) {
    BlobLock lock(cache_, id_.repository, file.etag, [&] {
      if (events_.note) events_.note("another process fetches " + file.path + "; waiting for it");
    });
    fs::path blob = cache_.Blob(id_.repository, file.etag);
    uint64_t before = state_.done_bytes;
    std::error_code fault;
    if (!fs::is_regular_file(blob, fault) || fs::file_size(blob, fault) != file.bytes) {
      std::string address = settings_.endpoint + "/" + id_.repository + "/resolve/" + commit_ +
                            "/" + EscapePath(file.path, "/");
      Transfer transfer(file, address, settings_, blob);
      transfer.Run([&](uint64_t done) {
        state_.done_bytes = before + done;
        if (events_.progress) events_.progress(state_);
      });
    }
    state_.done_bytes = before + file.bytes;
    cache_.Link(id_.repository, commit_, file.path, file.etag);
  }

  const ModelId& id_;
  std::string commit_;
  const HubSettings& settings_;
  HubCache cache_;
  const DownloadEvents& events_;
  DownloadState state_;
};

// The place to load from, once the snapshot is complete.
fs::path PlaceIn(const HubCache& cache, const ModelId& id, const std::string& commit,
                 const std::vector<std::string>& selected) {
  // Links that lead elsewhere are found here, before anything is read.
  cache.Files(id.repository, commit);
  fs::path snapshot = cache.Snapshot(id.repository, commit);
  if (!id.file.empty()) return snapshot / id.file;
  // A repository of .gguf files alone may have others of them in the snapshot.
  auto weights = std::find_if(selected.begin(), selected.end(), IsGguf);
  return weights == selected.end() ? snapshot : snapshot / *weights;
}

fs::path FromCache(const ModelId& id, ModelParts parts, const HubCache& cache,
                   const std::string& reason, const DownloadEvents& events) {
  std::optional<std::string> commit = cache.FindCommit(id.repository, id.revision);
  std::vector<std::string> files;
  if (commit) files = cache.Files(id.repository, *commit);
  if (files.empty()) {
    throw Error(Code::kNotFound,
                id.Text() + " is not in the cache " + cache.root().string() + ", and " + reason);
  }
  std::vector<std::string> selected;
  try {
    selected = SelectModelFiles(files, parts, id.file);
  } catch (const Error& error) {
    throw Error(error.code(), "the cached snapshot of " + id.Text() + " is not whole (" +
                                  error.message() + "), and " + reason);
  }
  if (events.note) {
    events.note("using the cached snapshot " + commit->substr(0, 12) + " of " + id.Text() + ": " +
                reason);
  }
  return PlaceIn(cache, id, *commit, selected);
}

}  // namespace

HubSettings HubSettings::FromEnvironment() {
  HubSettings settings{"", "", false, HubCache::FromEnvironment()};
  const char* endpoint = std::getenv("HF_ENDPOINT");
  const char* token = std::getenv("HF_TOKEN");
  if (endpoint != nullptr) settings.endpoint = endpoint;
  if (token != nullptr) settings.token = TrimAscii(token);
  settings.offline =
      IsTrue(std::getenv("HF_HUB_OFFLINE")) || IsTrue(std::getenv("TRANSFORMERS_OFFLINE"));
  return settings;
}

fs::path FetchModel(const ModelId& id, ModelParts parts, HubSettings settings,
                    const DownloadEvents& events) {
  const HubCache& cache = settings.cache;
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  if (settings.offline) return FromCache(id, parts, cache, "HF_HUB_OFFLINE is set", events);
  if (settings.endpoint.empty()) {
    return FromCache(id, parts, cache,
                     "HF_ENDPOINT is not set: set it to the address of your hub, for example "
                     "HF_ENDPOINT=http://127.0.0.1:8080",
                     events);
  }
  if (OriginOf(settings.endpoint).empty()) {
    throw Error(Code::kInvalidArgument,
                "HF_ENDPOINT is no http(s) address: " + settings.endpoint.substr(0, 200));
  }
  RemoteModel model;
  try {
    model = AskHub(id, settings);
  } catch (const Error& error) {
    if (error.code() != Code::kUnavailable && error.code() != Code::kTimeout) throw;
    return FromCache(id, parts, cache, "the hub does not answer (" + error.message() + ")", events);
  }
  std::vector<std::string> paths;
  for (const RemoteFile& file : model.files) paths.push_back(file.path);
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> selected = SelectModelFiles(paths, parts, id.file);
  std::vector<RemoteFile> wanted;
  for (const RemoteFile& file : model.files) {
    bool is = std::find(selected.begin(), selected.end(), file.path) != selected.end();
    if (is) wanted.push_back(file);
  }
  Fetcher(id, model.commit, settings, events).Run(wanted);
  return PlaceIn(cache, id, model.commit, selected);
}

fs::path LocateModel(const std::string& model, ModelParts parts, const HubSettings& settings,
                     const DownloadEvents& events) {
  std::error_code fault;
  if (fs::exists(model, fault)) return model;
  if (std::optional<ModelId> id = ParseModelId(model)) {
    return FetchModel(*id, parts, settings, events);
  }
  throw Error(Code::kNotFound, model +
                                   " is neither a folder nor a file, nor the id of a model "
                                   "(owner/name[@revision][:file.gguf])");
}

}  // namespace hearth::client
