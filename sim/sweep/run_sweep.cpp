#include "sim/sweep/run_sweep.h"

#include <csignal>
#include <cstring>

#include "sim/report/version.h"
#include "sim/sweep/evaluate.h"
#include "sim/sweep/progress.h"
#include "sim/sweep/results.h"
#include "sim/sweep/selection.h"
#include "sim/sweep/store.h"

namespace tessera::sim {
namespace {

volatile std::sig_atomic_t stop_asked = 0;

extern "C" void ask_to_stop(int) { stop_asked = 1; }

/// Signals that ask for an end set a flag; a full disk is an error to report, not a signal.
class Signals {
 public:
  Signals() {
    stop_asked = 0;
    struct sigaction action {};
    action.sa_handler = ask_to_stop;
    sigaction(SIGINT, &action, &interrupt_);
    sigaction(SIGTERM, &action, &terminate_);
    action.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &action, &size_);
  }
  ~Signals() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGTERM, &terminate_, nullptr);
    sigaction(SIGXFSZ, &size_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  struct sigaction interrupt_ {
  }, terminate_{}, size_{};
};

StoreHead head_of(const Sweep& sweep, const SweepOptions& options) {
  StoreHead head;
  head.sweep = sweep.spec().name;
  head.fingerprint = sweep.fingerprint();
  head.tool_version = tool_version();
  head.model_version = model_version();
  head.file = sweep.spec().path;
  head.fidelity = to_string(sweep.spec().fidelity);
  head.sets = options.sets;
  head.points = sweep.size();
  return head;
}

class Runner {
 public:
  Runner(const Sweep& sweep, const SweepOptions& options)
      : sweep_(sweep),
        options_(options),
        store_(Store::open(options.store, options.resume ? StoreMode::kResume : StoreMode::kCreate,
                           head_of(sweep, options))) {}

  SweepEnd run() {
    const SweepFidelity fidelity = sweep_.spec().fidelity;
    if (fidelity == SweepFidelity::kTransaction) {
      return stage(share_of(all_points()), Fidelity::kTransaction);
    }
    // What is simulated follows from all estimates: every shard makes them.
    const bool both = fidelity == SweepFidelity::kBoth;
    const auto estimated = both ? all_points() : share_of(all_points());
    const SweepEnd end = stage(estimated, Fidelity::kAnalytical);
    if (end == SweepEnd::kStopped || !both) return end;
    const auto rows = read_rows(store_, sweep_.spec(), Fidelity::kAnalytical);
    return stage(share_of(select_points(sweep_, rows).simulate), Fidelity::kTransaction);
  }

 private:
  std::vector<std::int64_t> all_points() const {
    std::vector<std::int64_t> ids;
    for (std::int64_t id = 0; id < sweep_.size(); ++id) ids.push_back(id);
    return ids;
  }

  /// Every count-th of `ids`: neighbours, which take similar time, go to different shards.
  std::vector<std::int64_t> share_of(const std::vector<std::int64_t>& ids) const {
    std::vector<std::int64_t> share;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto turn = static_cast<std::int64_t>(i) % options_.shard.count;
      if (turn == options_.shard.index) share.push_back(ids[i]);
    }
    return share;
  }

  std::vector<std::int64_t> missing(const std::vector<std::int64_t>& ids, Fidelity fidelity) const {
    const auto done = store_.done(to_string(fidelity), options_.retry_failed ? "" : kKilled);
    std::vector<std::int64_t> missing;
    for (const std::int64_t id : ids) {
      if (done.count(id) == 0) missing.push_back(id);
    }
    return missing;
  }

  SweepEnd stage(const std::vector<std::int64_t>& ids, Fidelity fidelity) {
    const std::vector<std::int64_t> todo = missing(ids, fidelity);
    Progress progress(options_.shows_progress, to_string(fidelity), ids.size(),
                      ids.size() - todo.size());
    const Work work = [&](std::int64_t id) { return evaluate_point(sweep_, id, fidelity); };
    const OnEnds keep = [&](const std::vector<WorkEnd>& ends) {
      store_.add(results_of(ends, fidelity));
      for (const WorkEnd& end : ends) progress.add(end.failure.empty());
    };
    const Stop stop = [] { return stop_asked != 0; };
    const auto run = fidelity == Fidelity::kAnalytical ? run_in_threads : run_in_processes;
    return run(todo, options_.limits, work, keep, stop) ? SweepEnd::kDone : SweepEnd::kStopped;
  }

  std::vector<PointResult> results_of(const std::vector<WorkEnd>& ends, Fidelity fidelity) const {
    std::vector<PointResult> results;
    for (const WorkEnd& end : ends) {
      PointResult result;
      result.id = end.item;
      result.settings = sweep_.settings_text(end.item);
      result.fidelity = to_string(fidelity);
      result.failure = end.failure;
      result.wall_s = end.wall_s;
      result.peak_bytes = end.peak_bytes;
      const std::size_t line = end.answer.find('\n');
      result.key = end.failure.empty() ? end.answer.substr(0, line) : sweep_.key_of(end.item);
      if (end.failure.empty()) result.figures = end.answer.substr(line + 1);
      results.push_back(std::move(result));
    }
    return results;
  }

  const Sweep& sweep_;
  const SweepOptions& options_;
  Store store_;
};

}  // namespace

SweepEnd run_sweep(const Sweep& sweep, const SweepOptions& options) {
  const Signals signals;
  return Runner(sweep, options).run();
}

}  // namespace tessera::sim
