#include "sim/sweep/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tessera::sim {
namespace {

constexpr int kSchemaVersion = 1;
constexpr int kBusyMilliseconds = 10'000;

constexpr const char* kSchema = R"(
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE points (id INTEGER PRIMARY KEY, key TEXT NOT NULL, settings TEXT NOT NULL);
CREATE TABLE results (
  key TEXT NOT NULL, fidelity TEXT NOT NULL, failure TEXT, figures TEXT,
  PRIMARY KEY (key, fidelity)) WITHOUT ROWID;
CREATE TABLE host (
  key TEXT NOT NULL, fidelity TEXT NOT NULL, wall_s REAL NOT NULL, peak_bytes INTEGER NOT NULL,
  PRIMARY KEY (key, fidelity)) WITHOUT ROWID;
CREATE INDEX points_by_key ON points (key);
CREATE VIEW figures AS
  SELECT points.id, points.key, results.fidelity, points.settings, results.failure,
         json_extract(results.figures, '$.time_s') AS time_s,
         json_extract(results.figures, '$.cycles') AS cycles,
         json_extract(results.figures, '$.dram_bytes') AS dram_bytes,
         results.figures
  FROM points JOIN results USING (key);
)";

/// A prepared statement; its texts are bound by position from 1.
class Statement {
 public:
  Statement(sqlite3* database, const std::string& sql) {
    if (sqlite3_prepare_v2(database, sql.c_str(), -1, &statement_, nullptr) != SQLITE_OK) {
      throw StoreError(sqlite3_errmsg(database));
    }
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(int at, const std::string& text) {
    sqlite3_bind_text(statement_, at, text.c_str(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
  }
  /// Empty: NULL.
  void bind_or_null(int at, const std::string& text) {
    text.empty() ? static_cast<void>(sqlite3_bind_null(statement_, at)) : bind(at, text);
  }
  void bind(int at, std::int64_t number) { sqlite3_bind_int64(statement_, at, number); }
  void bind(int at, double number) { sqlite3_bind_double(statement_, at, number); }

  /// True when there is a row.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
      throw StoreError(sqlite3_errmsg(sqlite3_db_handle(statement_)));
    }
    return code == SQLITE_ROW;
  }
  void reset() { sqlite3_reset(statement_); }

  std::string text(int column) const {
    const unsigned char* const found = sqlite3_column_text(statement_, column);
    return found == nullptr ? "" : reinterpret_cast<const char*>(found);
  }
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  double real(int column) const { return sqlite3_column_double(statement_, column); }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

std::map<std::string, std::string> texts_of(const StoreHead& head) {
  return {{"sweep", head.sweep},
          {"fingerprint", head.fingerprint},
          {"tool_version", head.tool_version},
          {"model_version", head.model_version},
          {"file", head.file},
          {"fidelity", head.fidelity},
          {"sets", nlohmann::json(head.sets).dump()},
          {"points", std::to_string(head.points)}};
}

PointResult result_of(const Statement& row) {
  PointResult result;
  result.id = row.integer(0);
  result.key = row.text(1);
  result.settings = row.text(2);
  result.fidelity = row.text(3);
  result.failure = row.text(4);
  result.figures = row.text(5);
  result.wall_s = row.real(6);
  result.peak_bytes = row.integer(7);
  return result;
}

/// What succeeded once stays.
constexpr const char* kAddResult =
    "INSERT INTO results VALUES (?, ?, ?, ?) ON CONFLICT (key, fidelity) DO UPDATE SET"
    " failure = excluded.failure, figures = excluded.figures WHERE results.failure IS NOT NULL";

constexpr const char* kResults =
    "SELECT points.id, points.key, points.settings, results.fidelity, results.failure,"
    " results.figures, host.wall_s, host.peak_bytes"
    " FROM points JOIN results USING (key) LEFT JOIN host USING (key, fidelity)";

}  // namespace

Store::Store(Store&& other) noexcept
    : path_(std::move(other.path_)),
      head_(std::move(other.head_)),
      database_(std::exchange(other.database_, nullptr)),
      lock_(std::exchange(other.lock_, -1)) {}

Store::~Store() {
  if (database_ != nullptr && lock_ >= 0) {  // without a log beside it, a read-only copy opens
    sqlite3_exec(database_, "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr);
  }
  if (database_ != nullptr) sqlite3_close_v2(database_);
  if (lock_ >= 0) close(lock_);
}

void Store::fail(const std::string& what) const { throw StoreError(path_ + ": " + what); }

void Store::execute(const std::string& sql) const {
  char* message = nullptr;
  if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, &message) == SQLITE_OK) return;
  const std::string reason = message != nullptr ? message : "unknown error";
  sqlite3_free(message);
  fail(reason);
}

Store Store::open(const std::string& path, StoreMode mode, const StoreHead& head) {
  Store store;
  store.path_ = path;
  const bool exists = std::filesystem::exists(path);
  if (mode != StoreMode::kCreate && !exists) store.fail("there is no such store");
  if (mode != StoreMode::kRead) {
    const std::string lock = path + ".lock";
    store.lock_ = ::open(lock.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (store.lock_ < 0) store.fail(std::string("cannot be written: ") + std::strerror(errno));
    if (flock(store.lock_, LOCK_EX | LOCK_NB) != 0) {
      store.fail("another tessera sweep is writing to it");
    }
  }
  const int flags =
      mode == StoreMode::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (sqlite3_open_v2(path.c_str(), &store.database_, flags, nullptr) != SQLITE_OK) {
    store.fail(std::string("cannot be opened: ") + sqlite3_errmsg(store.database_));
  }
  sqlite3_busy_timeout(store.database_, kBusyMilliseconds);
  try {
    if (mode != StoreMode::kRead) store.configure();
    // A sweep that was killed before its first result may leave an empty file.
    const bool begins =
        mode == StoreMode::kCreate || (mode == StoreMode::kResume && store.is_empty());
    begins ? store.create(head) : store.read_head();
  } catch (const StoreError& error) {
    const std::string what = error.what();
    if (what.compare(0, path.size(), path) == 0) throw;
    store.fail(what);
  }
  if (mode == StoreMode::kResume) store.require_same(head);
  return store;
}

/// Write-ahead log: a transaction is an append, and whoever is killed leaves whole ones.
void Store::configure() { execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"); }

bool Store::is_empty() const {
  Statement tables(database_, "SELECT count(*) FROM sqlite_master");
  tables.step();
  return tables.integer(0) == 0;
}

void Store::create(const StoreHead& head) {
  if (!is_empty()) {
    fail("holds a sweep already: go on with --resume, or choose another --out");
  }
  head_ = head;
  execute("BEGIN IMMEDIATE");
  execute(kSchema);
  execute(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
  Statement insert(database_, "INSERT INTO meta VALUES (?, ?)");
  for (const auto& [key, value] : texts_of(head)) {
    insert.bind(1, key);
    insert.bind(2, value);
    insert.step();
    insert.reset();
  }
  execute("COMMIT");
}

void Store::read_head() {
  Statement version(database_, "PRAGMA user_version");
  version.step();
  if (version.integer(0) != kSchemaVersion) {
    fail(fmt::format("is no store of this version (schema {}, expected {})", version.integer(0),
                     kSchemaVersion));
  }
  std::map<std::string, std::string> found;
  Statement rows(database_, "SELECT key, value FROM meta");
  while (rows.step()) found[rows.text(0)] = rows.text(1);
  head_.sweep = found["sweep"];
  head_.fingerprint = found["fingerprint"];
  head_.tool_version = found["tool_version"];
  head_.model_version = found["model_version"];
  head_.file = found["file"];
  head_.fidelity = found["fidelity"];
  head_.sets = nlohmann::json::parse(found["sets"]).get<std::vector<std::string>>();
  head_.points = std::stoll(found["points"]);
}

void Store::require_same(const StoreHead& head) const {
  if (head_.model_version != head.model_version) {
    fail(fmt::format("was begun with timing model {}, this is {}: results would not compare",
                     head_.model_version, head.model_version));
  }
  if (head_.fingerprint != head.fingerprint) {
    fail("holds another sweep: axes, questions, the run or --set have changed since");
  }
}

void Store::add(const std::vector<PointResult>& results) {
  if (results.empty()) return;
  try {
    execute("BEGIN IMMEDIATE");
    Statement point(database_, "INSERT OR REPLACE INTO points VALUES (?, ?, ?)");
    Statement result(database_, kAddResult);
    Statement host(database_, "INSERT OR REPLACE INTO host VALUES (?, ?, ?, ?)");
    for (const PointResult& each : results) {
      point.bind(1, each.id);
      point.bind(2, each.key);
      point.bind(3, each.settings);
      result.bind(1, each.key);
      result.bind(2, each.fidelity);
      result.bind_or_null(3, each.failure);
      result.bind_or_null(4, each.figures);
      host.bind(1, each.key);
      host.bind(2, each.fidelity);
      host.bind(3, each.wall_s);
      host.bind(4, each.peak_bytes);
      for (Statement* statement : {&point, &result, &host}) {
        statement->step();
        statement->reset();
      }
    }
    execute("COMMIT");
  } catch (const StoreError& error) {
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    const std::string what = error.what();
    const bool named = what.compare(0, path_.size(), path_) == 0;
    throw StoreError((named ? what : path_ + ": " + what) +
                     "\nwhat was done before is kept: go on with --resume");
  }
}

std::set<std::int64_t> Store::done(const std::string& fidelity, const std::string& again) const {
  Statement rows(database_,
                 "SELECT points.id FROM points JOIN results USING (key) WHERE fidelity = ?1 AND "
                 "(failure IS NULL OR substr(failure, 1, length(?2)) <> ?2)");
  rows.bind(1, fidelity);
  rows.bind(2, again);
  std::set<std::int64_t> ids;
  while (rows.step()) ids.insert(rows.integer(0));
  return ids;
}

void Store::each(const std::string& fidelity,
                 const std::function<void(const PointResult&)>& visit) const {
  Statement rows(database_, std::string(kResults) + " WHERE fidelity = ? ORDER BY points.id");
  rows.bind(1, fidelity);
  while (rows.step()) visit(result_of(rows));
}

void Store::merge(const Store& other) {
  require_same(other.head_);
  constexpr std::size_t kBlock = 1000;
  std::vector<PointResult> block;
  const auto take = [&](const PointResult& result) {
    block.push_back(result);
    if (block.size() < kBlock) return;
    add(block);
    block.clear();
  };
  for (const char* fidelity : {"analytical", "transaction"}) other.each(fidelity, take);
  add(block);
}

}  // namespace tessera::sim
