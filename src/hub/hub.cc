#include "hub/hub.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/file.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "hub/schema.h"
#include "hub/storage_use.h"
#include "hub/tensor_index.h"
#include "hub/weight_jobs.h"

namespace hearth::hub {
namespace {

// How soon a change made by another process (hearth admin) is seen by a running server.
constexpr std::chrono::milliseconds kWatchInterval{250};
constexpr std::chrono::seconds kFlushInterval{10};
constexpr std::chrono::hours kUploadLifetime{24 * 7};

std::string LoadOrMakeSecret(const std::filesystem::path& file) {
  if (std::filesystem::exists(file)) {
    std::string secret = ReadFile(file, 4096);
    if (secret.size() == 32) return secret;
    throw Error(Code::kInternal,
                file.string() +
                    " is damaged: expected 32 bytes. Restore it from a backup, or remove it: "
                    "web sessions and signed links then become invalid");
  }
  std::string secret = RandomBytes(32);
  WriteFileDurably(file, secret, 0600);
  return secret;
}

int LockData(const std::filesystem::path& data) {
  std::filesystem::path file = data / "lock";
  int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) ThrowErrno("open " + file.string());
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    throw Error(Code::kConflict, "another hearth server uses the data folder " + data.string() +
                                     "; stop it first or choose another folder with --data");
  }
  return fd;
}

std::string ReadGeneration(storage::Database& db) {
  std::string value;
  db.Read([&](storage::Connection& c) {
    c.Query("SELECT value FROM meta WHERE key = 'generation'", {},
            [&](const storage::Row& row) { value = row.Str(0); });
  });
  return value;
}

void RemoveLeftovers(const std::filesystem::path& temp) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(temp, ignored)) {
    if (entry.path().filename() != "uploads") std::filesystem::remove_all(entry.path(), ignored);
  }
}

}  // namespace

struct Hub::Background {
  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
  std::thread thread;
};

Hub::Hub(const HubOptions& options, bool exclusive)
    : data_(options.data),
      clock_(options.clock != nullptr ? options.clock : &Clock::System()),
      sweep_lock_(options.data / "sweep.lock") {
  std::error_code error;
  for (const char* folder : {"git", "blobs", "tmp", "tmp/uploads", "logs", "xet", "xet/xorbs"}) {
    std::filesystem::create_directories(data_ / folder, error);
    if (error) ThrowErrno("create folder " + (data_ / folder).string(), error.value());
  }
  if (exclusive) {
    lock_fd_ = LockData(data_);
    RemoveLeftovers(data_ / "tmp");
  }
  secret_ = LoadOrMakeSecret(data_ / "secret.key");
  db_ = storage::Database::OpenSqlite(data_ / "hearth.db");
  db_->Migrate(Migrations());
  // Before anything is loaded: what changes from here on is loaded again.
  loaded_generation_ = ReadGeneration(*db_);
  blobs_ = storage::BlobStore::OpenLocal(data_ / "blobs");
  accounts_ = std::make_unique<Accounts>(*db_, *clock_);
  repos_ = std::make_unique<Repos>(*db_, *accounts_, *clock_, data_ / "git");
  xorbs_ = storage::XorbStore::OpenLocal(data_ / "xet" / "xorbs");
  xet_index_ = std::make_unique<XetIndex>(*db_, *xorbs_, *clock_);
  objects_ = std::make_unique<Objects>(
      Objects::Parts{*db_, *blobs_, *xet_index_, sweep_lock_, *repos_, *clock_},
      data_ / "tmp" / "uploads");
  xet_ = std::make_unique<Xet>(
      Xet::Parts{*db_, *xet_index_, *objects_, *repos_, *accounts_, *clock_, sweep_lock_,
                 data_ / "xet" / "store.id", options.reserve_bytes},
      secret_);
  buckets_ = std::make_unique<Buckets>(
      Buckets::Parts{*db_, *accounts_, *repos_, *objects_, *xet_index_, *clock_});
  xet_->SetBucketGate([buckets = buckets_.get()](int64_t bucket_id, int64_t user_id, bool write) {
    return buckets->May(bucket_id, user_id, write ? Right::kWrite : Right::kReadContent);
  });
  commits_ = std::make_unique<Commits>(*repos_, *objects_, *accounts_, *clock_);
  catalog_ = std::make_unique<Catalog>(*db_, *repos_, *objects_, *clock_, options.judge);
  repos_->AddObserver(catalog_.get());
  // Only one process may write the index; the others do not search.
  if (exclusive) {
    full_text_ = std::make_unique<FullText>(data_ / "search", *db_, *repos_, *catalog_);
    repos_->AddObserver(full_text_.get());
    catalog_->AddFactsListener([this](const RepoHandle& repo, const RepoFacts& facts) {
      full_text_->OnFacts(repo, facts);
    });
  }
  tensors_ = std::make_unique<TensorIndex>(TensorIndex::Parts{*db_, *repos_, *objects_, *clock_});
  repos_->AddObserver(tensors_.get());
  weight_jobs_ = std::make_unique<WeightJobs>(db_.get());
  storage_counter_ = std::make_unique<StorageCounter>(*this);
  inspections_ = std::make_unique<Inspections>(*db_, *repos_, *objects_);
  repos_->AddObserver(inspections_.get());
  inspections_->OnListed([catalog = catalog_.get()](int64_t repo_id, const ListedReading& reading) {
    catalog->SetReading(repo_id, reading);
  });
  safety_ = std::make_unique<Safety>(Safety::Parts{*db_, *repos_, *objects_, *clock_},
                                     options.quarantine);
  repos_->AddObserver(safety_.get());
  converts_ = options.xet_convert_after.has_value();
  xet_converter_ = std::make_unique<XetConverter>(
      XetConverter::Parts{*db_, *blobs_, *xet_index_, sweep_lock_, *repos_, *accounts_, *clock_,
                          options.reserve_bytes},
      options.xet_convert_after.value_or(std::chrono::seconds(0)));
#if defined(__GLIBC__)
  // Loading leaves much freed memory between what stays.
  malloc_trim(0);
#endif
}

Hub::~Hub() {
  StopBackground();
  weight_jobs_->Stop();
  storage_counter_->WaitIdle();
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

std::string Hub::Sign(std::string_view purpose, std::string_view text) const {
  std::string message(purpose);
  message += '\0';
  message += text;
  return HexEncode(HmacSha256(secret_, message));
}

void Hub::StartBackground() {
  catalog_->Start();
  if (full_text_) full_text_->Start();
  tensors_->Start();
  inspections_->Start();
  safety_->Start();
  if (converts_) xet_converter_->Start();
  background_ = std::make_unique<Background>();
  background_->thread = std::thread([this] {
    std::optional<int64_t> seen;
    auto last_flush = std::chrono::steady_clock::now();
    std::unique_lock lock(background_->mutex);
    while (!background_->stopping) {
      background_->wake.wait_for(lock, kWatchInterval);
      lock.unlock();
      try {
        int64_t now = db_->ChangeCounter();
        if (now != seen) {
          // `hearth admin` sets a new generation with each change: our own writes do not.
          std::string current = ReadGeneration(*db_);
          if (current != loaded_generation_) {
            accounts_->Reload();
            repos_->Reload();
            loaded_generation_ = current;
          }
          // Only now: what failed half-way (a token that ends, say) must be tried again.
          seen = now;
        }
        if (background_->stopping ||
            std::chrono::steady_clock::now() - last_flush > kFlushInterval) {
          last_flush = std::chrono::steady_clock::now();
          accounts_->FlushLastUsed();
          repos_->FlushCounters();
          objects_->ExpireUploads(clock_->Now() - kUploadLifetime);
        }
      } catch (const std::exception& fault) {
        log::Warning("background work failed; it will be tried again", {{"reason", fault.what()}});
      }
      lock.lock();
    }
  });
}

void Hub::TellServer() {
  db_->Write([](storage::Connection& c) {
    c.Exec(
        "INSERT INTO meta (key, value) VALUES ('generation', ?) ON CONFLICT (key) DO UPDATE SET "
        "value = excluded.value",
        {RandomAlphanumeric(16)});
  });
}

void Hub::StopBackground() {
  if (!background_) return;
  {
    std::lock_guard lock(background_->mutex);
    background_->stopping = true;
  }
  background_->wake.notify_all();
  background_->thread.join();
  background_.reset();
  catalog_->Stop();
  if (full_text_) full_text_->Stop();
  tensors_->Stop();
  inspections_->Stop();
  safety_->Stop();
  xet_converter_->Stop();
  try {
    accounts_->FlushLastUsed();
    repos_->FlushCounters();
  } catch (const std::exception& fault) {
    log::Warning("counters could not be saved at shutdown", {{"reason", fault.what()}});
  }
}

}  // namespace hearth::hub
