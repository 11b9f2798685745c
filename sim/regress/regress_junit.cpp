#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/regress/regress_writers.h"

namespace tessera::sim {
namespace {

/// Text inside XML: markup escaped, control characters left out.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\n':
        safe += "&#10;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) safe += c;
    }
  }
  return safe;
}

struct Case {
  std::string name;
  double seconds = 0;
  std::vector<std::string> failures;
};

std::vector<Case> cases_of(const SuiteOutcome& suite) {
  std::vector<Case> cases;
  for (const RunOutcome& run : suite.runs) {
    cases.push_back({run.name, run.seconds, failure_lines(run)});
  }
  for (const auto& relation : suite.relations) {
    cases.push_back({relation.text, 0, {}});
    if (!relation.holds) cases.back().failures.push_back(expressions::to_text(relation));
  }
  for (const EngineOutcome& engine : suite.engines) {
    cases.push_back({"validate " + engine.name, 0, engine.missed});
  }
  return cases;
}

std::string case_xml(const SuiteOutcome& suite, const Case& test) {
  const std::string head = fmt::format(R"(    <testcase classname="{}" name="{}" time="{:.3f}")",
                                       escaped(suite.name), escaped(test.name), test.seconds);
  if (test.failures.empty()) return head + "/>\n";
  return fmt::format("{}>\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n", head,
                     escaped(test.failures.front()),
                     escaped(fmt::format("{}", fmt::join(test.failures, "\n"))));
}

}  // namespace

std::string regress_junit(const std::vector<SuiteOutcome>& outcomes) {
  std::string body;
  std::size_t all = 0, all_failed = 0;
  for (const SuiteOutcome& suite : outcomes) {
    std::string inner;
    std::size_t failed = 0;
    const std::vector<Case> cases = cases_of(suite);
    for (const Case& test : cases) {
      inner += case_xml(suite, test);
      failed += test.failures.empty() ? 0 : 1;
    }
    body +=
        fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n{}  </testsuite>\n",
                    escaped(suite.name), cases.size(), failed, inner);
    all += cases.size();
    all_failed += failed;
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{}\" failures=\"{}\">\n{}"
      "</testsuites>\n",
      all, all_failed, body);
}

}  // namespace tessera::sim
