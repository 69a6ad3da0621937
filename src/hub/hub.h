// The hub as one object: opens the data folder and wires the parts together. Knows no HTTP.
// Thread-safe after construction.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "hub/accounts.h"
#include "hub/buckets.h"
#include "hub/catalog.h"
#include "hub/commits.h"
#include "hub/full_text.h"
#include "hub/inspections.h"
#include "hub/model_judge.h"
#include "hub/objects.h"
#include "hub/repos.h"
#include "hub/safety/safety.h"
#include "hub/sweep_lock.h"
#include "hub/xet.h"
#include "hub/xet_convert.h"
#include "hub/xet_index.h"
#include "storage/blob/blob_store.h"
#include "storage/db/database.h"
#include "storage/xet/xorb_store.h"

namespace hearth::hub {

class StorageCounter;
class TensorIndex;
class WeightJobs;

struct HubOptions {
  std::filesystem::path data;
  Clock* clock = nullptr;  // nullptr = system
  // Age at which whole objects are given the form of Xet files; nullopt = never.
  std::optional<std::chrono::seconds> xet_convert_after = std::chrono::minutes(10);
  // Free disk that Xet uploads and the conversion leave: Xet::Parts::reserve_bytes.
  std::optional<uint64_t> reserve_bytes = std::nullopt;
  // Says which models this hub can run; none = it runs no models.
  ModelJudge judge = {};
  // What happens to files that scans find dangerous.
  Quarantine quarantine = Quarantine::kWarn;
};

class Hub {
 public:
  // Creates the folder layout when missing, takes the data lock when `exclusive` (one server per
  // folder; throws kConflict), migrates the database, loads indexes.
  explicit Hub(const HubOptions& options, bool exclusive);
  ~Hub();

  storage::Database& db() { return *db_; }
  storage::BlobStore& blobs() { return *blobs_; }
  Accounts& accounts() { return *accounts_; }
  Repos& repos() { return *repos_; }
  Objects& objects() { return *objects_; }
  Commits& commits() { return *commits_; }
  XetIndex& xet_index() { return *xet_index_; }
  Xet& xet() { return *xet_; }
  Buckets& buckets() { return *buckets_; }
  XetConverter& xet_converter() { return *xet_converter_; }
  const SweepLock& sweep_lock() const { return sweep_lock_; }
  Catalog& catalog() { return *catalog_; }
  // Of a hub that is open exclusively only.
  FullText& full_text() { return *full_text_; }
  TensorIndex& tensors() { return *tensors_; }
  WeightJobs& weight_jobs() { return *weight_jobs_; }
  StorageCounter& storage_counter() { return *storage_counter_; }
  Inspections& inspections() { return *inspections_; }
  Safety& safety() { return *safety_; }
  const Safety& safety() const { return *safety_; }
  Clock& clock() { return *clock_; }
  const std::filesystem::path& data() const { return data_; }
  std::filesystem::path temp_folder() const { return data_ / "tmp"; }
  // 32 random bytes made at first start (<data>/secret.key, 0600): signs URLs and cookies.
  const std::string& secret() const { return secret_; }
  // Signs `text` for `purpose`; hex. Verify with ConstantTimeEqual.
  std::string Sign(std::string_view purpose, std::string_view text) const;

  // A server that runs on the same folder loads accounts and repositories again, within a second:
  // for a process beside it that has changed what the server remembers.
  void TellServer();

  // Indexers, scans, conversion to Xet, write-behind counters, upload expiry, and the watch for
  // changes made by another process.
  void StartBackground();
  void StopBackground();

 private:
  std::filesystem::path data_;
  Clock* clock_;
  int lock_fd_ = -1;
  SweepLock sweep_lock_;
  std::string secret_;
  std::unique_ptr<storage::Database> db_;
  // The state of the database that memory shows; of the background thread once that runs.
  std::string loaded_generation_;
  std::unique_ptr<storage::BlobStore> blobs_;
  std::unique_ptr<Accounts> accounts_;
  std::unique_ptr<Repos> repos_;
  std::unique_ptr<storage::XorbStore> xorbs_;
  std::unique_ptr<XetIndex> xet_index_;
  std::unique_ptr<Objects> objects_;
  std::unique_ptr<Xet> xet_;
  std::unique_ptr<Buckets> buckets_;
  std::unique_ptr<Commits> commits_;
  std::unique_ptr<FullText> full_text_;  // outlives the catalog, which tells it of facts
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<TensorIndex> tensors_;
  std::unique_ptr<Inspections> inspections_;
  std::unique_ptr<Safety> safety_;
  std::unique_ptr<XetConverter> xet_converter_;
  std::unique_ptr<WeightJobs> weight_jobs_;  // its jobs use what is above
  std::unique_ptr<StorageCounter> storage_counter_;
  bool converts_ = false;
  struct Background;
  std::unique_ptr<Background> background_;
};

}  // namespace hearth::hub
