// `tessera import onnx` as its users see it: files, messages, exit codes.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/import/onnx_models.h"
#include "tests/support/command_line.h"

using namespace tessera;
using test::BlockShape;
using test::OnnxBuilder;
using test::Ran;
using test::Spelling;
using test::TemporaryFolder;

namespace {

const char* const kRun = "hardware: edge_32x32\nworkload: {model: model.yaml}\nprecision: w8a8\n";

Ran import_in(const TemporaryFolder& folder, const std::string& options = "") {
  return test::run_tessera("import onnx model.onnx " + options, folder.path());
}

/// Exit code 2, nothing on standard output and one message, which begins with the file's name.
void check_refused(const Ran& ran, const std::string& part) {
  INFO(ran.err);
  CHECK(ran.exit_code == 2);
  CHECK(ran.out.empty());
  CHECK(ran.err.compare(0, 20, "tessera: model.onnx:") == 0);
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
  CHECK(ran.err.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("an imported model runs and repeats itself byte for byte") {
  const TemporaryFolder folder;
  test::vit_model(BlockShape{}, 1, Spelling::kDecomposed).save((folder / "model.onnx").string());
  const Ran imported = import_in(folder, "--bind batch=1 -o model.yaml");
  INFO(imported.err);
  REQUIRE(imported.exit_code == 0);
  CHECK(imported.out.find("not covered: 0 (0.00 %)") != std::string::npos);
  CHECK(imported.out.find("3 x LayerNormalization") != std::string::npos);
  CHECK(imported.out.find("1 x Gelu") != std::string::npos);
  CHECK(import_in(folder, "--bind batch=1").out == test::read_text(folder / "model.yaml"));
  test::write_text(folder / "case.yaml", kRun);
  const Ran ran = test::run_tessera("run case.yaml --format json --out report", folder.path());
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(ran.out.find("\"model.L0.Attn_Q\"") == std::string::npos);  // names stand alone
  CHECK(ran.out.find("\"Attn_Scores\"") != std::string::npos);
  CHECK(test::run_tessera("check case.yaml", folder.path()).exit_code == 0);
  const auto report = nlohmann::ordered_json::parse(ran.out);
  test::write_text(folder / "again.yaml", report.at("config").dump());
  const Ran again = test::run_tessera("run again.yaml --format json", folder.path());
  INFO(again.err);
  CHECK(again.exit_code == 0);
  CHECK(nlohmann::ordered_json::parse(again.out).at("totals") == report.at("totals"));
  const Ran plan = test::run_tessera("describe case.yaml --format yaml >plan.yaml && '" +
                                         std::string(TESSERA_PROGRAM) +
                                         "' run case.yaml --set mapping.plan=plan.yaml",
                                     folder.path());
  INFO(plan.err);
  CHECK(plan.exit_code == 0);
}

TEST_CASE("sizes of an imported graph are those of its import") {
  const TemporaryFolder folder;
  test::vit_model(BlockShape{}, 1, Spelling::kOperators).save((folder / "model.onnx").string());
  REQUIRE(import_in(folder, "--bind batch=1 -o model.yaml").exit_code == 0);
  test::write_text(folder / "case.yaml", kRun);
  const Ran ran = test::run_tessera("run case.yaml --set workload.batch=2", folder.path());
  CHECK(ran.exit_code == 2);
  CHECK(ran.err.find("its sizes were bound by the import") != std::string::npos);
}

TEST_CASE("an edited graph that does not fit together is refused at its line") {
  const TemporaryFolder folder;
  test::vit_model(BlockShape{}, 1, Spelling::kOperators).save((folder / "model.onnx").string());
  REQUIRE(import_in(folder, "--bind batch=1 -o model.yaml").exit_code == 0);
  const std::string good = test::read_text(folder / "model.yaml");
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    test::write_text(folder / "model.yaml", text);
    test::write_text(folder / "case.yaml", kRun);
    return test::run_tessera("run case.yaml", folder.path());
  };
  for (const auto& [from, to, message] :
       {std::tuple{"tensor: L0.Attn_Q.out", "tensor: L0.Attn_R.out", "there is no tensor called"},
        std::tuple{"rows: 17", "rows: 18", "leaves"},
        std::tuple{"k: 768", "k: 767", "are no (16, 767) x (767, 96)"},
        std::tuple{"kind: Softmax", "kind: Softmin", "did you mean 'Softmax'?"},
        std::tuple{"shape: [96, 96]", "shape: [96, 0]", "is not allowed"}}) {
    const Ran ran = changed(from, to);
    INFO(from << " -> " << to << "\n" << ran.err);
    CHECK(ran.exit_code == 2);
    CHECK(ran.err.find("model.yaml:") == 0);
    CHECK(ran.err.find(message) != std::string::npos);
  }
}

TEST_CASE("unbound symbols are listed, all of them") {
  const TemporaryFolder folder;
  OnnxBuilder onnx;
  const std::string x = onnx.input("x", {"batch", "sequence", "?", "8"});
  onnx.output(onnx.node("Relu", {x}));
  onnx.save((folder / "model.onnx").string());
  check_refused(import_in(folder), "--bind batch=N --bind sequence=N --bind x.2=N");
  check_refused(import_in(folder, "--bind batch=1 --bind sequence=2"), "unbound symbols: x.2");
  check_refused(import_in(folder, "--bind batch=1 --bind sequence=2 --bind x.2=2 --bind y=3"),
                "no input has a dimension 'y'");
  check_refused(import_in(folder, "--bind batch=0 --bind sequence=2 --bind x.2=2"), "batch=0");
  CHECK(import_in(folder, "--bind batch=1 --bind sequence=2 --bind x.2=2").exit_code == 0);
  const Ran malformed = import_in(folder, "--bind batch");
  CHECK(malformed.exit_code == 2);
  CHECK(malformed.err.find("SYMBOL=SIZE") != std::string::npos);
}

TEST_CASE("external weights are never opened") {
  const TemporaryFolder folder;
  OnnxBuilder onnx;
  const std::string x = onnx.input("x", {"16", "32"});
  onnx.external_weights = true;
  onnx.output(onnx.node("MatMul", {x, onnx.weight({32, 64})}));
  onnx.save((folder / "model.onnx").string());
  const Ran ran = import_in(folder);
  CHECK(ran.exit_code == 0);
  CHECK(ran.err.find("32,768") != std::string::npos);
}

TEST_CASE("newer IR versions and opsets are read by the rules that are known") {
  const TemporaryFolder folder;
  test::vit_model(BlockShape{}, 1, Spelling::kOperators, 99, 42)
      .save((folder / "model.onnx").string());
  const Ran ran = import_in(folder, "--bind batch=1");
  CHECK(ran.exit_code == 0);
  CHECK(ran.err.find("IR 42, opset 99") != std::string::npos);
}

TEST_CASE("what cannot be costed is listed, or costed as stated and never free") {
  const TemporaryFolder folder;
  OnnxBuilder onnx;
  const std::string x = onnx.input("x", {"1", "3", "32", "32"});
  const std::string conv = onnx.node("Conv", {x, onnx.weight({8, 3, 3, 3})});
  const std::string odd = onnx.node("Frobnicate", {conv}, "org.example");
  const std::string rows = onnx.reshape(onnx.node("Relu", {odd}), {8, 900});
  onnx.output(onnx.node("MatMul",
                        {onnx.node("Frobnicate", {rows}, "org.example"), onnx.weight({900, 16})}));
  onnx.save((folder / "model.onnx").string());
  check_refused(import_in(folder), "1 x Conv (kernel 3x3, stride 1: no patch embedding)");
  check_refused(import_in(folder), "2 x org.example.Frobnicate");
  const Ran allowed = import_in(folder, "--allow-unknown -o model.yaml");
  INFO(allowed.err);
  CHECK(allowed.exit_code == 0);
  const std::int64_t conv_macs = 8 * 30 * 30 * 27;
  CHECK(conv_macs == 194'400);
  CHECK(allowed.out.find("not covered: 194,400 (62.79 %), and those of 2 operators") !=
        std::string::npos);
  CHECK(
      allowed.out.find("assumed       Conv '/Conv_1': one elementwise pass over [1, 3, 32, 32]") !=
      std::string::npos);
  test::write_text(folder / "case.yaml", kRun);
  CHECK(test::run_tessera("run case.yaml", folder.path()).exit_code == 0);
}

TEST_CASE("files that are no models are refused with one message") {
  const TemporaryFolder folder;
  const auto path = folder / "model.onnx";
  check_refused(import_in(folder), "cannot be opened");
  test::write_text(path, "");
  check_refused(import_in(folder), "is not an ONNX model");
  test::vit_model(BlockShape{}, 1, Spelling::kOperators).save(path.string());
  const std::string whole = test::read_text(path);
  for (const std::size_t size : {std::size_t{1}, whole.size() / 3, whole.size() - 1}) {
    test::write_text(path, whole.substr(0, size));
    check_refused(import_in(folder, "--bind batch=1"), "is not an ONNX model, or the file is");
  }
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    std::string noise(200, ' ');
    for (char& c : noise) c = static_cast<char>(random() & 0xff);
    test::write_text(path, noise);
    check_refused(import_in(folder), "");
  }
}

TEST_CASE("a damaged file ends in a message or a graph, never otherwise") {
  const TemporaryFolder folder;
  const auto path = folder / "model.onnx";
  test::bert_model(BlockShape{}, 1, Spelling::kDecomposed).save(path.string());
  const std::string whole = test::read_text(path);
  std::mt19937 random(7);
  for (int i = 0; i < 150; ++i) {
    std::string damaged = whole;
    for (int n = 0; n < 3; ++n) damaged[random() % damaged.size()] = static_cast<char>(random());
    test::write_text(path, damaged);
    const Ran ran = import_in(folder, "--bind batch=1 --bind sequence=8");
    INFO(i << ": " << ran.err);
    CHECK((ran.exit_code == 0 || ran.exit_code == 2));
  }
}

TEST_CASE("a node that fits no shape is named") {
  const TemporaryFolder folder;
  OnnxBuilder onnx;
  const std::string x = onnx.input("x", {"16", "32"});
  onnx.output(onnx.node("MatMul", {x, onnx.weight({33, 64})}));
  onnx.save((folder / "model.onnx").string());
  check_refused(import_in(folder), "MatMul '/MatMul_1': the inner dimensions of [16, 32]");
}

TEST_CASE("an ONNX file named in a run is told to be imported first") {
  const TemporaryFolder folder;
  test::write_text(folder / "case.yaml", "hardware: edge_32x32\nworkload: {model: ./model.onnx}\n");
  const Ran ran = test::run_tessera("run case.yaml", folder.path());
  CHECK(ran.exit_code == 2);
  CHECK(ran.err.find("case.yaml:2:19: error: workload.model: './model.onnx' has to be imported") ==
        0);
}

TEST_CASE("the shipped example imports as the guide shows") {
  const TemporaryFolder folder;
  const Ran ran = test::run_tessera("import onnx '" TESSERA_SOURCE_DIR
                                    "/workloads/models/vit_two_layers.onnx' --bind batch=1 "
                                    "-o model.yaml",
                                    folder.path());
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
  constexpr std::int64_t kRows = 17, kWidth = 768;
  constexpr std::int64_t kLayer = 12 * kRows * kWidth * kWidth + 2 * kRows * kRows * kWidth;
  static_assert(2 * kLayer + 16 * kWidth * kWidth + 10 * kWidth == 250'980'864);
  CHECK(ran.out.find("250,980,864, not covered: 0 (0.00 %)") != std::string::npos);
}

TEST_CASE("write the shipped example", "[.update]") {
  OnnxBuilder onnx;
  onnx.external_weights = true;
  test::build_vit(onnx, BlockShape{768, 12, 3072}, 2, Spelling::kDecomposed);
  onnx.save(TESSERA_SOURCE_DIR "/workloads/models/vit_two_layers.onnx");
}
