#include "sim/validation/validate.h"

#include <algorithm>
#include <cctype>
#include <deque>
#include <memory>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "sim/gemm_run.h"
#include "sim/mapper/pins.h"
#include "sim/validation/dram_judging.h"

namespace tessera::sim {
namespace {

// ---------------------------------------------------------------------------------------- running

/// A figure whose child may still run.
struct Running {
  std::size_t index = 0;
  hw::Cycles printed_less = 0;
  std::unique_ptr<IsolatedSimulation> simulation;
};

void finish_front(std::deque<Running>& running, std::vector<CaseResult>& results) {
  Running front = std::move(running.front());
  running.pop_front();
  CaseResult& result = results[front.index];
  try {
    result.ours = front.simulation->wait().total - front.printed_less;
  } catch (const std::exception& error) {
    result.failed = true;
    result.reason = std::string("the simulation failed: ") + error.what();
  }
}

std::vector<CaseResult> run_all(const ValidateRequest& request) {
  const std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
  std::vector<CaseResult> results;
  for (const ReferenceCase& each : request.cases) {
    if (matches(request.engine, each.engine)) results.push_back({each, 0, "", false, {}});
  }
  Machines machines;
  std::deque<Running> running;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].reference.kind == ReferenceKind::kDram) continue;
    try {
      const CaseRun run = prepare_case(results[i].reference, request.overrides, machines);
      running.push_back({i, run.printed_less,
                         std::make_unique<IsolatedSimulation>(run.hardware, run.program, 1)});
    } catch (const NotComparable& error) {
      results[i].reason = error.what();
    }
    if (running.size() >= jobs) finish_front(running, results);
  }
  while (!running.empty()) finish_front(running, results);
  run_dram_rows(results);
  return results;
}

// ---------------------------------------------------------------------------------------- judging

std::string group_of(const ReferenceCase& reference) {
  if (reference.kind == ReferenceKind::kDram) {
    return reference.engine + " " + reference.memory.standard;
  }
  const EngineRule* rule = rule_of(reference);
  if (rule == nullptr || !rule->by_dataflow) return reference.engine;
  std::string flow = dataflow_of(reference);
  for (char& c : flow) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return reference.engine + " " + flow;
}

template <class Item, class Same>
Item& found_or_added(std::vector<Item>& items, const Same& same, Item fresh) {
  const auto found = std::find_if(items.begin(), items.end(), same);
  if (found != items.end()) return *found;
  items.push_back(std::move(fresh));
  return items.back();
}

std::vector<double> errors_of(const EngineResult& engine, const Limit& limit) {
  std::vector<double> errors;
  for (const CaseResult& each : engine.cases) {
    const bool applies = !limit.applies || limit.applies(each.reference);
    if (each.compared() && applies) errors.push_back(each.error());
  }
  return errors;
}

void judge_limit(const Limit& limit, EngineResult& engine) {
  const ErrorStatistics statistics = error_statistics(errors_of(engine, limit));
  if (statistics.count == 0) return;
  const std::string rows =
      limit.rows.empty() ? "" : fmt::format("{} ({}): ", limit.rows, statistics.count);
  const auto add = [&](const char* what, double found, double most) {
    if (most < 0) return;
    engine.limits.push_back(
        {fmt::format("{}{} {:.2f} % of {:g} %", rows, what, found, most), found <= most});
  };
  add("mean", statistics.mean, limit.mean);
  add("worst", statistics.worst, limit.worst);
}

void judge_exact(EngineResult& engine) {
  std::size_t equal = 0;
  for (const CaseResult& each : engine.cases) {
    if (each.compared() && each.ours == each.reference.cycles) ++equal;
  }
  engine.limits.push_back({fmt::format("{} of {} to the cycle", equal, engine.statistics.count),
                           equal == engine.statistics.count});
}

/// The same product of the same tile, in slower memory.
bool is_slower_twin(const ReferenceCase& fast, const ReferenceCase& slow) {
  const auto same = [&](const char* key) { return fast.notes.value(key) == slow.notes.value(key); };
  return fast.engine == slow.engine && fast.shape.m == slow.shape.m &&
         fast.shape.k == slow.shape.k && fast.shape.n == slow.shape.n && same("tile") &&
         same("cycles_per_beat") &&
         fast.notes.integer("mem_lat", 0) < slow.notes.integer("mem_lat", 0);
}

/// Pairs whose slower memory makes the reference faster by more than `share`: in ours, too?
void judge_sign(double share, EngineResult& engine) {
  if (share <= 0) return;
  int pairs = 0, agreeing = 0;
  for (const CaseResult& fast : engine.cases) {
    for (const CaseResult& slow : engine.cases) {
      if (!fast.compared() || !slow.compared()) continue;
      if (!is_slower_twin(fast.reference, slow.reference)) continue;
      const double gain = 1.0 - static_cast<double>(slow.reference.cycles) /
                                    static_cast<double>(fast.reference.cycles);
      if (gain <= share) continue;
      ++pairs;
      if (slow.ours < fast.ours) ++agreeing;
    }
  }
  if (pairs == 0) return;
  engine.limits.push_back(
      {fmt::format("slower memory faster: {} of {} pairs", agreeing, pairs), agreeing == pairs});
}

void judge(EngineResult& engine) {
  const EngineRule* rule = rule_of(engine.cases.front().reference);
  engine.statistics = error_statistics(errors_of(engine, {}));
  if (rule != nullptr) {
    engine.target = rule->target.text;
    if (rule->target.exact && engine.statistics.count > 0) judge_exact(engine);
    for (const Limit& limit : rule->target.limits) judge_limit(limit, engine);
    judge_sign(rule->target.slower_is_faster, engine);
  }
  judge_dram(engine);
  const bool holds = std::all_of(engine.limits.begin(), engine.limits.end(),
                                 [](const LimitResult& limit) { return limit.holds; });
  const bool failed = std::any_of(engine.cases.begin(), engine.cases.end(),
                                  [](const CaseResult& each) { return each.failed; });
  engine.verdict = failed || !holds        ? Verdict::kMissed
                   : engine.limits.empty() ? Verdict::kNoTarget
                                           : Verdict::kHolds;
}

}  // namespace

double CaseResult::error() const {
  if (dram) return error_percent(dram->made.sustained_fraction, reference.memory.fraction);
  return error_percent(static_cast<double>(ours), static_cast<double>(reference.cycles));
}

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHolds:
      return "holds";
    case Verdict::kMissed:
      return "MISSED";
    case Verdict::kNoTarget:
      return "no target";
  }
  return "?";
}

bool Validation::holds() const {
  return std::none_of(engines.begin(), engines.end(), [](const EngineResult& engine) {
    return engine.verdict == Verdict::kMissed;
  });
}

Validation judge_results(const std::vector<CaseResult>& results) {
  Validation validation;
  for (const CaseResult& result : results) {
    if (!result.compared() && !result.failed) {
      const auto same = [&](const Omission& each) {
        return each.engine == result.reference.engine && each.reason == result.reason;
      };
      Omission fresh{result.reference.engine, result.reason, 0};
      ++found_or_added(validation.omissions, same, std::move(fresh)).count;
      continue;
    }
    const std::string name = group_of(result.reference);
    const auto same = [&](const EngineResult& each) { return each.name == name; };
    EngineResult fresh;
    fresh.name = name;
    found_or_added(validation.engines, same, std::move(fresh)).cases.push_back(result);
    if (result.compared()) ++validation.compared;
  }
  for (EngineResult& engine : validation.engines) judge(engine);
  return validation;
}

Validation validate(const ValidateRequest& request) { return judge_results(run_all(request)); }

}  // namespace tessera::sim
