// The graphs against the published shapes: operators.csv and totals.csv, row by row.
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/workloads/model_zoo.h"
#include "tests/workloads/operator_lines.h"
#include "workloads/graph.h"

namespace tessera::workloads {
namespace {

/// Which descriptor a model name of the reference stands for.
struct ReferenceModel {
  const char* name;
  ModelDescriptor model;
};

std::vector<ReferenceModel> shipped_models() {
  return {{"smolvlm2-500m/vision", zoo::siglip_b16(512)},
          {"vit-b16-224", zoo::vit_b16_224()},
          {"smollm2-360m", zoo::smollm2_360m()},
          {"bert-base", zoo::bert_base()}};
}

std::vector<ReferenceModel> further_models() {
  return {{"deit-s16-224", zoo::vit16("deit_s", 384, 12, 6, 224)},
          {"vit-b16-384", zoo::vit16("vit_b16_384", 768, 12, 12, 384)},
          {"vit-l16-224", zoo::vit16("vit_l", 1024, 24, 16, 224)},
          {"siglip-b16-224", zoo::siglip_b16(224)},
          {"siglip-b16-384", zoo::siglip_b16(384)},
          {"siglip-so400m14-384", zoo::siglip_so400m()},
          {"distilbert", zoo::distilbert()},
          {"smollm2-135m", zoo::llama("smollm2_135m", 576, 30, 9, 3, 1536)},
          {"smollm2-1.7b", zoo::llama("smollm2_1_7b", 2048, 24, 32, 32, 8192)},
          {"smolvlm2-500m/text", zoo::with_vocabulary(zoo::smollm2_360m(), 49280)},
          {"smolvlm2-256m/text",
           zoo::with_vocabulary(zoo::llama("smolvlm2_256m", 576, 30, 9, 3, 1536), 49280)},
          {"tinyllama-1.1b",
           zoo::with_vocabulary(zoo::llama("tinyllama", 2048, 22, 32, 4, 5632), 32000)},
          {"gemma-2b", zoo::gemma_2b()}};
}

/// Operators of the reference that are not of the towers built here, which have no pooling head.
bool is_left_out(const std::string& name) { return name.rfind("MAP_", 0) == 0; }

Graph graph_of_case(const ModelDescriptor& model, const Case& one) {
  return zoo::graph_of(model, one.first, model.family == Family::kVit ? 0 : one.second);
}

/// Reference lines of `model`, by case, in the order of the file.
std::map<Case, std::vector<Line>> reference_lines(const std::string& model) {
  std::map<Case, std::vector<Line>> lines;
  for (const Row& row : reference_rows("operators.csv", model)) {
    if (!is_left_out(row.at("operator"))) {
      lines[case_of(row)].push_back(line_of(row));
    }
  }
  return lines;
}

void check_operators(const ReferenceModel& reference) {
  const std::map<Case, std::vector<Line>> cases = reference_lines(reference.name);
  REQUIRE_FALSE(cases.empty());
  for (const auto& [one, expected] : cases) {
    INFO(reference.name << " batch " << one.first << " sequence " << one.second);
    const std::vector<Line> lines = lines_of(graph_of_case(reference.model, one));
    REQUIRE(lines.size() == expected.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      CHECK(lines[i] == expected[i]);
    }
  }
}

void check_totals(const ReferenceModel& reference) {
  const std::vector<Row> rows = reference_rows("totals.csv", reference.name);
  REQUIRE_FALSE(rows.empty());
  for (const Row& row : rows) {
    const Case one = case_of(row);
    INFO(reference.name << " batch " << one.first << " sequence " << one.second);
    for (const auto& [column, total] : totals_of(graph_of_case(reference.model, one))) {
      INFO(column);
      const double scale = column.find("gmacs") == std::string::npos ? 1e6 : 1e9;
      // The reference is rounded to four decimals.
      CHECK(std::abs(static_cast<double>(total) / scale - std::stod(row.at(column))) < 0.51e-4);
    }
  }
}

}  // namespace

TEST_CASE("shipped models have the operators of the reference") {
  for (const ReferenceModel& reference : shipped_models()) {
    check_operators(reference);
  }
}

TEST_CASE("further models of the same families have the operators of the reference") {
  for (const ReferenceModel& reference : further_models()) {
    check_operators(reference);
  }
}

TEST_CASE("shipped models have the totals of the reference") {
  for (const ReferenceModel& reference : shipped_models()) {
    check_totals(reference);
  }
}

TEST_CASE("the vision tower takes 106904 million multiply accumulates") {
  std::int64_t macs = 0;
  for (const Operator& op : zoo::graph_of(zoo::siglip_b16(512)).operators) {
    macs += effective_macs(op);
  }
  CHECK(macs == 106904420352);
}

TEST_CASE("sixteen layers have half the counts of all thirty two") {
  const std::vector<Line> half = lines_of(zoo::graph_of(zoo::smollm2_360m_l16(), 1, 50));
  const std::set<std::string> outside{"Token_Embed", "RMSNorm_final", "LM_Head"};
  std::vector<Line> expected;
  const std::vector<Line> all = reference_lines("smollm2-360m").at({1, 50});
  for (Line line : all) {
    if (outside.count(line.name) == 0) {
      for (std::int64_t* sum : {&line.count, &line.macs, &line.weights, &line.in, &line.out}) {
        REQUIRE(*sum % 2 == 0);
        *sum /= 2;
      }
      expected.push_back(line);
    }
  }
  REQUIRE(half.size() == expected.size() + 1);
  CHECK(half[0].name == "Token_Embed");
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(half[i + 1] == expected[i]);
  }
}

TEST_CASE("query heads that share a KV head form one group") {
  for (const Operator& op : zoo::graph_of(zoo::smollm2_360m(), 4, 50).operators) {
    const bool attention = op.kind == OperatorKind::kBatchedGemm;
    CHECK(op.group == (attention ? 3 : 1));
    CHECK(op.instances == (attention ? 60 : 1));
  }
  for (const Operator& op : zoo::graph_of(zoo::vit_b16_224()).operators) {
    CHECK(op.group == 1);
  }
}

TEST_CASE("only attention scores and softmax carry the mask") {
  for (const Operator& op : zoo::graph_of(zoo::smollm2_360m(), 1, 50).operators) {
    const bool masked = op.name == "Attn_Scores" || op.name == "Softmax";
    CHECK(op.mask == (masked ? Mask::kCausal : Mask::kNone));
  }
}

TEST_CASE("an LM head on all tokens has a row for every token") {
  ModelDescriptor model = zoo::smollm2_360m();
  model.lm_head = LmHead::kAllTokens;
  const Operator head = zoo::graph_of(model, 2, 50).operators.back();
  CHECK(head.name == "LM_Head");
  CHECK(head.m == 100);
}

}  // namespace tessera::workloads
