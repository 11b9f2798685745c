// The results of a sweep in one SQLite file: see docs/sweeps.md for its tables.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

struct sqlite3;

namespace tessera::sim {

/// The store cannot be opened, read or written: which file, and why.
class StoreError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What came out of a point at one fidelity.
struct PointResult {
  std::int64_t id = 0;   // place among the sweep's points
  std::string key;       // hash of the resolved configuration
  std::string settings;  // JSON: axis -> value
  std::string fidelity;  // "analytical", "transaction"
  std::string failure;   // why there are no figures; empty: there are
  std::string figures;   // JSON; empty when it failed
  double wall_s = 0;     // of the host: no table shows them
  std::int64_t peak_bytes = 0;
};

/// What tells one sweep from another.
struct StoreHead {
  std::string sweep;        // name
  std::string fingerprint;  // of axes, questions, base run and model version
  std::string tool_version, model_version;
  std::string file;               // the sweep file
  std::string fidelity;           // "analytical", "transaction", "both"
  std::vector<std::string> sets;  // --set
  std::int64_t points = 0;
};

enum class StoreMode { kCreate, kResume, kRead };

/// One writer at a time; readers may look on. What was added stays: a process that is killed loses
/// nothing that add() returned for.
class Store {
 public:
  /// kCreate: the file must not hold a sweep yet; kResume: it must hold the sweep of `head`, and
  /// kRead takes any. Throws StoreError.
  static Store open(const std::string& path, StoreMode mode, const StoreHead& head = {});
  Store(Store&&) noexcept;
  ~Store();

  const StoreHead& head() const { return head_; }
  /// One transaction. A result that is there already is replaced. Throws StoreError; what was there
  /// before stays.
  void add(const std::vector<PointResult>& results);
  /// Points that have a result of `fidelity`; without those whose failure begins with `again`.
  std::set<std::int64_t> done(const std::string& fidelity, const std::string& again) const;
  /// Every result of `fidelity` in the order of points. Not while adding.
  void each(const std::string& fidelity,
            const std::function<void(const PointResult&)>& visit) const;
  /// Takes over what `other` holds of the same sweep. Throws StoreError when it is another sweep.
  void merge(const Store& other);

 private:
  Store() = default;
  void execute(const std::string& sql) const;
  [[noreturn]] void fail(const std::string& what) const;
  void configure();
  bool is_empty() const;
  void create(const StoreHead& head);
  void read_head();
  void require_same(const StoreHead& head) const;

  std::string path_;
  StoreHead head_;
  sqlite3* database_ = nullptr;
  int lock_ = -1;  // a locked file beside the store, of writers
};

}  // namespace tessera::sim
