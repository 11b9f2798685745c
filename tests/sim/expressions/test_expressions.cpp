// Arithmetic, units, comparisons and what is wrong with a text.
#include <catch2/catch.hpp>
#include <map>

#include "sim/expressions/expression.h"

using namespace tessera::sim::expressions;
using Catch::Contains;

namespace {

/// Names of figures and what they are.
class Figures : public Environment {
 public:
  std::optional<Datum> lookup(const Path& path) const override {
    const std::string name = to_text(path);
    if (name == "nothing") return std::nullopt;
    const auto found = known.find(name);
    if (found == known.end()) throw ExpressionError(path.front().column, "there is no " + name);
    return found->second;
  }
  std::map<std::string, Datum> known{{"latency", number_of(0.03, {1})},
                                     {"a.cycles", number_of(120, {0, 0, 1})},
                                     {"size", number_of(1 << 20, {0, 1})},
                                     {"share", number_of(0.25)},
                                     {"clock", number_of(1e9, {-1, 0, 1})},
                                     {"a.bound", word_of("dram")},
                                     {"a.\"x.y\"", number_of(7)}};
};

double value(const std::string& text) { return evaluate_number(parse_expression(text), Figures()); }
bool holds(const std::string& text) { return check(parse_comparison(text), Figures()).holds; }

/// The error of a text: "COLUMN message; hint".
std::string error_of(const std::string& text) {
  try {
    check(parse_comparison(text), Figures());
  } catch (const ExpressionError& error) {
    return std::to_string(error.column()) + " " + error.what() + "; " + error.hint();
  }
  return "no error";
}

}  // namespace

TEST_CASE("arithmetic has the usual precedence") {
  CHECK(value("1 + 2 * 3") == 7);
  CHECK(value("(1 + 2) * 3") == 9);
  CHECK(value("8 / 4 / 2") == 1);
  CHECK(value("10 - 4 - 3") == 3);
  CHECK(value("-2 * -3") == 6);
  CHECK(value("1/8 * 16") == 2);
  CHECK(value("1.5e3") == 1500);
  CHECK(value("25 %") == 0.25);
  CHECK(value("share*4") == 1);
  CHECK(value("a.\"x.y\" + 1") == 8);
}

TEST_CASE("quantities are read as configurations write them, in base units") {
  CHECK(value("30 ms") == 0.03);
  CHECK(value("30ms") == 0.03);
  CHECK(value("100 ns") == 1e-7);
  CHECK(value("1.5 MiB") == 1'572'864);
  CHECK(value("25.6 GB/s") == 25.6e9);
  CHECK(value("1 GHz") == 1e9);
  CHECK(value("13 cycles") == 13);
  CHECK(value("2.5 mJ") == 0.0025);
  CHECK(value("250 mW") == 0.25);
  CHECK(value("1 MiB / 2") == 524'288);
}

TEST_CASE("sums and comparisons join what counts the same") {
  CHECK(holds("latency <= 30 ms"));
  CHECK_FALSE(holds("latency < 30 ms"));
  CHECK(holds("a.cycles / clock == 120 ns within 1 fs"));
  CHECK(holds("a.cycles <= 120"));  // a number may stand for a count
  CHECK(holds("size >= 1048576"));
  CHECK(holds("latency > 0"));
  CHECK(holds("size / latency > 34 MB/s"));
  CHECK(error_of("latency <= 30") ==
        "11 a time (s) and a number do not go together; a number needs a unit here: 30 ms, "
        "25.6 GB/s");
  CHECK_THAT(error_of("latency <= 1 MiB"), Contains("a time (s) and bytes do not go together"));
  CHECK_THAT(error_of("latency + size <= 1 s"), Contains("8 a time (s) and bytes"));
  CHECK_THAT(error_of("a.cycles <= share"), Contains("cycles and a number"));
}

TEST_CASE("every relation compares") {
  CHECK(holds("1 < 2"));
  CHECK_FALSE(holds("2 < 2"));
  CHECK(holds("2 <= 2"));
  CHECK(holds("3 > 2"));
  CHECK_FALSE(holds("2 > 2"));
  CHECK(holds("2 >= 2"));
  CHECK(holds("2 == 2"));
  CHECK_FALSE(holds("2 == 3"));
  CHECK(holds("2 != 3"));
  CHECK(holds("a.bound == 'dram'"));
  CHECK_FALSE(holds("a.bound == 'compute'"));
  CHECK(holds("a.bound != 'compute'"));
  CHECK(holds("'true' == true"));
}

TEST_CASE("a tolerance is a share or an amount") {
  CHECK(holds("a.cycles == 121 within 1 %"));
  CHECK_FALSE(holds("a.cycles == 122 within 1 %"));
  CHECK(holds("a.cycles == 125 within 5 cycles"));
  CHECK_FALSE(holds("a.cycles == 126 cycles within 5 cycles"));
  CHECK(holds("latency == 31 ms within 1 ms"));
  CHECK_THAT(error_of("latency == 31 ms within 0.1"), Contains("a number needs a unit"));
  CHECK_FALSE(holds("share == 0.5 within 0.01"));
  CHECK(holds("share == 0.5 within 0.25"));
  CHECK_THAT(error_of("latency == 31 ms within 1 MiB"), Contains("do not go together"));
  CHECK_THAT(error_of("latency == 31 ms within -1 %"), Contains("not negative"));
  CHECK_THAT(error_of("latency <= 31 ms within 1 %"), Contains("17 'within' belongs behind '=='"));
  CHECK_THAT(error_of("a.bound == 'dram' within 1 %"), Contains("words have no tolerance"));
}

TEST_CASE("a check tells both sides and the margin") {
  const Check failed = check(parse_comparison("a.cycles * 2 <= 200"), Figures());
  CHECK_FALSE(failed.holds);
  CHECK(failed.margin == -40);
  CHECK(to_text(failed.left) == "240 cycles");
  CHECK(to_text(failed.right) == "200 cycles");
  CHECK(check(parse_comparison("a.cycles >= 100"), Figures()).margin == 20);
  CHECK(check(parse_comparison("a.cycles == 100 within 30"), Figures()).margin == Approx(10));
}

TEST_CASE("a condition continues a value") {
  const Expression left = parse_expression("a.cycles");
  const auto verdict = [&](const std::string& text) {
    return check(parse_condition("a.cycles", left, text), Figures()).holds;
  };
  CHECK(verdict("<= 120"));
  CHECK(verdict("120"));
  CHECK_FALSE(verdict("121"));
  CHECK(verdict("121 within 1 %"));
  CHECK(parse_condition("a.cycles", left, "<= 2 * 60").text == "a.cycles <= 2 * 60");
  CHECK(parse_condition("a.cycles", left, "120").text == "a.cycles == 120");
}

TEST_CASE("what is wrong with a text is told with its column") {
  CHECK(error_of("latency") ==
        "7 a comparison is missing; write latency <= 30 ms; allowed: <, <=, >, >=, ==, !=");
  CHECK_THAT(error_of("latency = 30 ms"), Contains("8 '=' has no meaning here; did you mean '=='"));
  CHECK_THAT(error_of("latency <="), Contains("10 a value is missing at the end"));
  CHECK_THAT(error_of("<= 3"), Contains("0 a value is missing here"));
  CHECK_THAT(error_of("latency <= 30 msec"), Contains("14 'msec' is not a unit"));
  CHECK_THAT(error_of("size <= 30 KB"), Contains("11 'KB' is not a unit; did you mean 'KiB'?"));
  CHECK_THAT(error_of("size <= 1e3 KiB"), Contains("8 1e3 with an exponent takes no unit"));
  CHECK_THAT(error_of("1 < 2 < 3"), Contains("6 a second '<'; write two comparisons"));
  CHECK_THAT(error_of("1 < 2 3"), Contains("6 an operator is missing here"));
  CHECK_THAT(error_of("(1 + 2 < 3"), Contains("7 a ')' is missing"));
  CHECK_THAT(error_of("1 / (2 - 2) < 3"), Contains("2 division by zero"));
  CHECK_THAT(error_of("a.cycles*2 < 3"), Contains("8 '*' inside a path is no multiplication"));
  CHECK_THAT(error_of("a. < 3"), Contains("2 a key is missing"));
  CHECK_THAT(error_of("a.\"x < 3"), Contains("2 the quote is not closed"));
  CHECK_THAT(error_of("a.bound == 'x"), Contains("11 the quote is not closed"));
  CHECK_THAT(error_of("1 < 2 $"), Contains("6 '$' has no meaning here"));
  CHECK_THAT(error_of("a.bound < 'x'"), Contains("only == and != compare it"));
  CHECK_THAT(error_of("a.bound + 1 < 2"), Contains("8 'dram' is a word"));
  CHECK_THAT(error_of("1 < cycles"), Contains("4 there is no cycles"));
  CHECK_THAT(error_of(std::string(60, '(') + "1 < 2"), Contains("nested too deeply"));
  CHECK_THAT(error_of(std::string(1001, ' ')), Contains("longer than 1000 characters"));
  CHECK_THAT(error_of("1e999 < 2"), Contains("0 1e999 is out of range"));
  CHECK_THROWS_AS(parse_expression("1 < 2"), ExpressionError);
  CHECK_THROWS_AS(parse_expression("latency within 2"), ExpressionError);
}

TEST_CASE("a figure that is null is no verdict") {
  CHECK_THROWS_AS(check(parse_comparison("nothing <= 3"), Figures()), UnknownFigure);
  CHECK_THAT(error_of("1 <= nothing"), Contains("5 nothing is not known here"));
}

TEST_CASE("an expression names its paths") {
  const auto paths = parse_expression("1.05 * a.cycles + (size / latency)").paths();
  REQUIRE(paths.size() == 3);
  CHECK(to_text(paths[0]) == "a.cycles");
  CHECK(paths[1][0].column == 19);
  CHECK(to_text(paths[2]) == "latency");
}

TEST_CASE("values print for people and for configurations") {
  const auto shown = [](const std::string& text) {
    return to_text(evaluate(parse_expression(text), Figures()));
  };
  CHECK(shown("latency") == "30 ms");
  CHECK(shown("1 us * 2.5") == "2.5 us");
  CHECK(shown("size") == "1,048,576 B");
  CHECK(shown("share / 3") == "0.0833333333");
  CHECK(shown("a.bound") == "'dram'");
  CHECK(shown("size * latency") == "31457.28 B s");
  const auto written = [](const std::string& text) {
    return config_text(evaluate(parse_expression(text), Figures()));
  };
  CHECK(written("size / 2") == "524288 B");
  CHECK(written("30 ms") == "30000000000000 fs");
  CHECK(written("a.cycles") == "120 cycles");
  CHECK(written("25.6 GB/s") == "25600000000 B/s");
  CHECK(written("6 * 2") == "12");
  CHECK(written("share") == "0.25");
  CHECK_THROWS_WITH(written("size / 3"), Contains("is not a whole number of B"));
  CHECK_THROWS_WITH(written("size * size"), Contains("no configuration takes B^2"));
}
