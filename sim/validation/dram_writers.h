// Rows of memories as text, Markdown and JSON.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/validation/validate.h"

namespace tessera::sim {

bool is_memory(const EngineResult& engine);

/// "seq_rd_4194304 MOP4CLXOR ref+frfcfs", and channels and depth where they are not the usual ones.
std::string dram_case_text(const ReferenceCase& reference);

/// One figure of a group of rows, in percent: the mean of the absolute errors, and the worst error
/// with its sign.
struct DramErrors {
  int count = 0;
  double mean = 0, worst = 0;
  void add(double error);
  std::string text() const;  // "0.21 (-1.40)"; "-" of none
};

/// Errors of the rows of one pattern in one memory of one simulator.
struct DramGroup {
  std::string name;  // "dramsys ddr4-3200 tile"
  int rows = 0;
  DramErrors bandwidth, mean_latency, p99;
};
std::vector<DramGroup> dram_groups(const Validation& validation);

/// Every row of `engine`. REQUIRES: a memory.
std::string dram_case_table(const EngineResult& engine, int width);
std::string dram_case_markdown(const EngineResult& engine);
nlohmann::ordered_json dram_case_json(const CaseResult& result);

/// Errors by pattern.
std::string dram_group_table(const Validation& validation, int width);
std::string dram_group_markdown(const Validation& validation);

/// "dramsys ddr4-3200 rand_2097152 ...: p99 +6.20 % of 5 %", one a row that misses its target.
std::vector<std::string> dram_miss_lines(const Validation& validation);

}  // namespace tessera::sim
