// Each operator in the forms in which exporters spell it out.
#include <catch2/catch.hpp>
#include <functional>

#include "tests/import/onnx_builder.h"
#include "tests/support/command_line.h"
#include "workloads/import/onnx/import_onnx.h"
#include "workloads/import/onnx/read_model.h"

using namespace tessera;
using test::Ints;
using test::Names;
using test::OnnxBuilder;
namespace from_onnx = tessera::workloads::onnx;

namespace {

using Spell = std::function<std::string(OnnxBuilder&, const std::string&)>;

/// Kinds of the operators behind a projection with bias, [1, 20, 96].
Names kinds_of(const Spell& spell) {
  OnnxBuilder onnx;
  const std::string product =
      onnx.node("MatMul", {onnx.input("x", {"1", "20", "48"}), onnx.weight({48, 96})});
  onnx.output(spell(onnx, onnx.node("Add", {product, onnx.weight({96})})));
  const test::TemporaryFolder folder;
  onnx.save((folder / "model.onnx").string());
  const auto import =
      from_onnx::import_model(from_onnx::read_model((folder / "model.onnx").string()), {});
  Names kinds;
  for (const auto& op : import.graph.operators) kinds.push_back(workloads::to_string(op.kind));
  REQUIRE(kinds.front() == "Gemm");
  kinds.erase(kinds.begin());
  return kinds;
}

std::string mul(OnnxBuilder& onnx, const std::string& x, double factor) {
  return onnx.node("Mul", {x, onnx.scalar(factor)});
}
std::string plus_one(OnnxBuilder& onnx, const std::string& x) {
  return onnx.node("Add", {onnx.scalar(1), x});
}
std::string erf(OnnxBuilder& onnx, const std::string& x) {
  return onnx.node("Erf", {mul(onnx, x, std::sqrt(0.5))});
}
std::string tanh(OnnxBuilder& onnx, const std::string& x, bool power) {
  const std::string cube = power ? onnx.node("Pow", {x, onnx.scalar(3)})
                                 : onnx.node("Mul", {x, onnx.node("Mul", {x, x})});
  const std::string sum = onnx.node("Add", {x, mul(onnx, cube, 0.044715)});
  return onnx.node("Tanh", {mul(onnx, sum, 0.7978845608)});
}
std::string mean(OnnxBuilder& onnx, const std::string& x) {
  const std::string out = onnx.node("ReduceMean", {x});
  onnx.attribute("axes", Ints{2});
  return out;
}
std::string root(OnnxBuilder& onnx, const std::string& variance) {
  return onnx.node("Sqrt", {onnx.node("Add", {onnx.scalar(1e-6), variance})});
}
std::string scale_and_shift(OnnxBuilder& onnx, const std::string& x) {
  return onnx.node("Add", {onnx.node("Mul", {onnx.weight({96}), x}), onnx.weight({96})});
}

}  // namespace

TEST_CASE("GELU is recognised in every order of its products") {
  const std::vector<Spell> spells{
      [](auto& onnx, const auto& x) {
        return mul(onnx, onnx.node("Mul", {x, plus_one(onnx, erf(onnx, x))}), 0.5);
      },
      [](auto& onnx, const auto& x) {
        return onnx.node("Mul", {mul(onnx, x, 0.5), plus_one(onnx, erf(onnx, x))});
      },
      [](auto& onnx, const auto& x) {
        return onnx.node("Mul", {x, mul(onnx, plus_one(onnx, erf(onnx, x)), 0.5)});
      },
      [](auto& onnx, const auto& x) {
        return onnx.node("Mul", {mul(onnx, x, 0.5), plus_one(onnx, tanh(onnx, x, true))});
      },
      [](auto& onnx, const auto& x) {
        return mul(onnx, onnx.node("Mul", {x, plus_one(onnx, tanh(onnx, x, false))}), 0.5);
      }};
  for (std::size_t i = 0; i < spells.size(); ++i) {
    INFO(i);
    CHECK(kinds_of(spells[i]) == Names{"GELU"});
  }
}

TEST_CASE("what only looks like a GELU stays what it is") {
  CHECK(kinds_of([](auto& onnx, const auto& x) {
          return mul(onnx, onnx.node("Mul", {x, plus_one(onnx, erf(onnx, x))}), 0.7);
        }).size() > 1);
  CHECK(kinds_of([](auto& onnx, const auto& x) { return onnx.node("Tanh", {x}); }) ==
        Names{"Tanh"});
}

TEST_CASE("other activations are recognised") {
  CHECK(kinds_of([](auto& onnx, const auto& x) {
          return onnx.node("Mul", {x, onnx.node("Sigmoid", {x})});
        }) == Names{"SiLU"});
  CHECK(kinds_of([](auto& onnx, const auto& x) {
          return onnx.node("Mul", {x, onnx.node("Sigmoid", {mul(onnx, x, 1.702)})});
        }) == Names{"QuickGELU"});
}

TEST_CASE("norms are recognised in every spelling") {
  const std::vector<Spell> layer_norms{
      [](auto& onnx, const auto& x) {  // two differences
        const std::string m = mean(onnx, x);
        const std::string a = onnx.node("Sub", {x, m}), b = onnx.node("Sub", {x, m});
        const std::string v = mean(onnx, onnx.node("Pow", {a, onnx.scalar(2)}));
        return scale_and_shift(onnx, onnx.node("Div", {b, root(onnx, v)}));
      },
      [](auto& onnx, const auto& x) {  // a square as product, a reciprocal root
        const std::string d = onnx.node("Sub", {x, mean(onnx, x)});
        const std::string v = mean(onnx, onnx.node("Mul", {d, d}));
        const std::string inverse = onnx.node("Reciprocal", {root(onnx, v)});
        return scale_and_shift(onnx, onnx.node("Mul", {d, inverse}));
      },
      [](auto& onnx, const auto& x) {  // a power of 0.5, no scale
        const std::string d = onnx.node("Sub", {x, mean(onnx, x)});
        const std::string v = mean(onnx, onnx.node("Pow", {d, onnx.scalar(2)}));
        const std::string sum = onnx.node("Add", {v, onnx.scalar(1e-6)});
        return onnx.node("Div", {d, onnx.node("Pow", {sum, onnx.scalar(0.5)})});
      }};
  for (std::size_t i = 0; i < layer_norms.size(); ++i) {
    INFO(i);
    CHECK(kinds_of(layer_norms[i]) == Names{"LayerNorm"});
  }
  CHECK(kinds_of([](auto& onnx, const auto& x) {
          const std::string v = mean(onnx, onnx.node("Pow", {x, onnx.scalar(2)}));
          const std::string inverse = onnx.node("Div", {onnx.scalar(1), root(onnx, v)});
          return onnx.node("Mul", {onnx.weight({96}), onnx.node("Mul", {x, inverse})});
        }) == Names{"RMSNorm"});
}

TEST_CASE("a mean along another axis is no norm and has no cost") {
  const Spell spell = [](OnnxBuilder& onnx, const std::string& x) {
    const std::string out = onnx.node("ReduceMean", {x});
    onnx.attribute("axes", Ints{1});
    return onnx.node("Sub", {x, out});
  };
  CHECK_THROWS_AS(kinds_of(spell), from_onnx::ImportError);
}
