#include "sim/regress/run_suites.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>

#include "sim/config/config.h"
#include "sim/expressions/document.h"
#include "sim/mapper/pins.h"
#include "sim/pipeline.h"
#include "sim/regress/invariants.h"
#include "sim/regress/judge_run.h"
#include "sim/report/writers.h"
#include "sim/simulation/isolated_call.h"
#include "sim/validation/validate.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr const char* kValidate = "validate";

bool selected(const RegressOptions& options, const Suite& suite, const std::string& name) {
  return matches(options.filter, name) || matches(options.filter, suite.name + "." + name);
}

// ---- simulating ---------------------------------------------------------------------------------

/// In a child: the report of a run as JSON, with what its file and the suite expect of it.
std::string simulate_entry(const SuiteRun& run, RunConfig config) {
  config.expectations = run.expectations;
  const PreparedRun prepared = prepare(std::move(config), Knees::kNone);
  Json answer;
  try {
    check_expectations(prepared);
    const Report report = simulate_run(prepared);
    answer["report"] = report_json(report);
    answer["broken"] = broken_invariants(report);
  } catch (const ConfigError& error) {
    answer["config_error"] = error.what();
  }
  return answer.dump();
}

/// One run to do, and where its outcome goes.
struct Task {
  const SuiteRun* run = nullptr;
  RunOutcome* outcome = nullptr;
};

class Running {
 public:
  Running(const Task& task, RunConfig config)
      : task_(task),
        start_(Clock::now()),
        call_([&] { return simulate_entry(*task.run, std::move(config)); }) {}

  int descriptor() const { return call_.descriptor(); }

  void finish() {
    try {
      take(Json::parse(call_.wait()));
    } catch (const ConfigError&) {
      throw;
    } catch (const std::exception& error) {
      task_.outcome->error = error.what();
    }
    task_.outcome->seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  }

 private:
  void take(Json answer) {
    if (answer.contains("config_error")) {
      throw ConfigError(answer["config_error"].get<std::string>());
    }
    task_.outcome->broken = answer["broken"].get<std::vector<std::string>>();
    task_.outcome->report = std::move(answer["report"]);
  }

  Task task_;
  Clock::time_point start_;
  IsolatedCall call_;
};

/// The position of a child that has answered or ended.
std::size_t wait_for_one(const std::vector<std::unique_ptr<Running>>& running) {
  std::vector<pollfd> descriptors;
  for (const auto& each : running) descriptors.push_back({each->descriptor(), POLLIN, 0});
  while (poll(descriptors.data(), descriptors.size(), -1) < 0) {
  }
  const auto ready = std::find_if(descriptors.begin(), descriptors.end(),
                                  [](const pollfd& each) { return each.revents != 0; });
  return static_cast<std::size_t>(ready - descriptors.begin());
}

void simulate_tasks(const std::vector<Task>& tasks, int jobs) {
  std::vector<std::unique_ptr<Running>> running;
  const auto finish_one = [&] {
    const std::size_t done = wait_for_one(running);
    const std::unique_ptr<Running> finished = std::move(running[done]);
    running.erase(running.begin() + static_cast<std::ptrdiff_t>(done));
    finished->finish();
  };
  for (const Task& task : tasks) {
    if (running.size() == static_cast<std::size_t>(std::max(jobs, 1))) finish_one();
    running.push_back(std::make_unique<Running>(task, task.run->run->resolve(task.run->settings)));
  }
  while (!running.empty()) finish_one();
}

// ---- judging ------------------------------------------------------------------------------------

/// Paths begin with the name of a run.
class RunsEnvironment : public expressions::Environment {
 public:
  explicit RunsEnvironment(const SuiteOutcome& outcome) {
    for (const RunOutcome& run : outcome.runs) {
      names_.push_back(run.name);
      if (run.error.empty()) reports_.emplace(run.name, run.report);
    }
  }

  std::optional<expressions::Datum> lookup(const expressions::Path& path) const override {
    const std::string& name = path.front().name;
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
      throw expressions::ExpressionError(path.front().column, "there is no run '" + name + "'",
                                         config::suggestion(name, names_));
    }
    if (path.size() == 1) {
      throw expressions::ExpressionError(path.front().column, "'" + name + "' is a run, no figure",
                                         "write " + name + ".latency");
    }
    const auto report = reports_.find(name);
    if (report == reports_.end()) return std::nullopt;
    return report->second.lookup({path.begin() + 1, path.end()});
  }

 private:
  std::vector<std::string> names_;
  std::map<std::string, expressions::ReportEnvironment> reports_;
};

void judge_run(const SuiteRun& run, const Goldens& goldens, RunOutcome& outcome) {
  if (!outcome.error.empty()) return;
  outcome.expectations =
      expressions::judge(run.expectations, expressions::ReportEnvironment(outcome.report));
  outcome.new_entry = golden_entry(run, outcome.report);
  const Json& runs = goldens.at("runs");
  const Json golden = runs.value(run.name, Json());
  outcome.changes = golden_changes(run, golden, outcome.report);
  if (outcome.changes.empty() || golden.is_null()) return;
  outcome.cause = cause_of(run.name, golden, outcome.new_entry);
}

/// Relations are judged when all of the suite's runs are there.
void judge_suite(const Suite& suite, SuiteOutcome& outcome) {
  const Goldens goldens = read_goldens_file(golden_path(suite.path));
  for (RunOutcome& run : outcome.runs) {
    const auto spec = std::find_if(suite.runs.begin(), suite.runs.end(),
                                   [&](const SuiteRun& each) { return each.name == run.name; });
    judge_run(*spec, goldens, run);
  }
  if (outcome.runs.size() != suite.runs.size()) return;
  outcome.relations = expressions::judge(suite.relations, RunsEnvironment(outcome));
}

// ---- engines ------------------------------------------------------------------------------------

EngineOutcome engine_outcome(const EngineResult& engine) {
  EngineOutcome outcome{engine.name, engine.target, engine.verdict == Verdict::kHolds, {}};
  for (const LimitResult& limit : engine.limits) {
    if (!limit.holds) outcome.missed.push_back(limit.text);
  }
  if (engine.verdict == Verdict::kNoTarget) outcome.missed.push_back("no target is set");
  return outcome;
}

/// The engines that the suite's patterns name, each once, in the order of the tables.
std::vector<EngineOutcome> validate_engines(const Suite& suite) {
  ValidateRequest request;
  for (const std::string& file : shipped_references()) {
    for (ReferenceCase& each : read_reference(file)) request.cases.push_back(std::move(each));
  }
  const Validation validation = validate(request);
  for (const std::string& pattern : suite.validated) {
    const auto& engines = validation.engines;
    const bool any = std::any_of(engines.begin(), engines.end(), [&](const EngineResult& each) {
      return matches(pattern, each.name);
    });
    if (!any) config::fail({}, suite.file, "validate: '" + pattern + "' matches no engine");
  }
  std::vector<EngineOutcome> outcomes;
  for (const EngineResult& each : validation.engines) {
    const bool wanted =
        std::any_of(suite.validated.begin(), suite.validated.end(),
                    [&](const std::string& pattern) { return matches(pattern, each.name); });
    if (wanted) outcomes.push_back(engine_outcome(each));
  }
  return outcomes;
}

/// An empty outcome for what `options` select.
SuiteOutcome begin(const Suite& suite, const RegressOptions& options) {
  SuiteOutcome outcome{suite.name, suite.file, suite.path, {}, {}, {}};
  for (const SuiteRun& run : suite.runs) {
    if (!selected(options, suite, run.name)) continue;
    outcome.runs.emplace_back();
    outcome.runs.back().name = run.name;
  }
  return outcome;
}

void add_tasks(const Suite& suite, SuiteOutcome& outcome, std::vector<Task>& tasks) {
  for (RunOutcome& run : outcome.runs) {
    for (const SuiteRun& spec : suite.runs) {
      if (spec.name == run.name) tasks.push_back({&spec, &run});
    }
  }
}

bool validates(const Suite& suite, const RegressOptions& options) {
  return !suite.validated.empty() && selected(options, suite, kValidate);
}

}  // namespace

bool RunOutcome::holds(bool with_goldens) const {
  const bool all = std::all_of(expectations.begin(), expectations.end(),
                               [](const auto& each) { return each.holds; });
  return error.empty() && broken.empty() && all && (changes.empty() || !with_goldens);
}

bool SuiteOutcome::holds(bool with_goldens) const {
  const auto all = [](const auto& list) {
    return std::all_of(list.begin(), list.end(), [](const auto& each) { return each.holds; });
  };
  const auto run_holds = [&](const RunOutcome& run) { return run.holds(with_goldens); };
  return std::all_of(runs.begin(), runs.end(), run_holds) && all(relations) && all(engines);
}

std::vector<SuiteOutcome> run_suites(const std::vector<Suite>& suites,
                                     const RegressOptions& options) {
  std::vector<SuiteOutcome> outcomes;
  bool any = false;
  for (const Suite& suite : suites) {
    outcomes.push_back(begin(suite, options));
    any = any || !outcomes.back().runs.empty() || validates(suite, options);
  }
  if (!any) throw std::invalid_argument("--filter '" + options.filter + "' matches no run");
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < suites.size(); ++i) add_tasks(suites[i], outcomes[i], tasks);
  simulate_tasks(tasks, options.jobs);
  for (std::size_t i = 0; i < suites.size(); ++i) {
    judge_suite(suites[i], outcomes[i]);
    if (validates(suites[i], options)) outcomes[i].engines = validate_engines(suites[i]);
  }
  return outcomes;
}

Goldens updated_goldens(const Suite& suite, const SuiteOutcome& outcome) {
  Goldens goldens = read_goldens_file(golden_path(suite.path));
  const Json before = goldens.at("runs");
  Json runs = Json::object();
  for (const SuiteRun& run : suite.runs) {
    const auto ran = std::find_if(outcome.runs.begin(), outcome.runs.end(),
                                  [&](const RunOutcome& each) { return each.name == run.name; });
    const bool is_new = ran != outcome.runs.end() && ran->error.empty();
    if (is_new) {
      runs[run.name] = ran->new_entry;
    } else if (before.contains(run.name)) {
      runs[run.name] = before.at(run.name);
    }
  }
  goldens["runs"] = std::move(runs);
  return goldens;
}

}  // namespace tessera::sim
