// CSV as other tools write it.
#include <catch2/catch.hpp>

#include "sim/validation/csv_table.h"

using namespace tessera::sim;
using Cells = std::vector<std::string>;

namespace {

std::string message_of(const std::string& text) {
  try {
    parse_csv(text, "figures.csv");
  } catch (const ReferenceError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a table is a header and rows with their lines") {
  const CsvTable table = parse_csv("a,b\n1,2\n\n3,4\n", "figures.csv");
  CHECK(table.header == Cells{"a", "b"});
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0].cells == Cells{"1", "2"});
  CHECK(table.rows[0].line == 2);
  CHECK(table.rows[1].cells == Cells{"3", "4"});
  CHECK(table.rows[1].line == 4);
  CHECK(table.column("b") == 1);
  CHECK(table.column("c") == -1);
}

TEST_CASE("a quoted cell holds commas quotes and line ends") {
  const CsvTable table = parse_csv("a,b\n\"x, \"\"y\"\"\",\"1\n2\"\n,last", "figures.csv");
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0].cells == Cells{"x, \"y\"", "1\n2"});
  CHECK(table.rows[1].cells == Cells{"", "last"});
  CHECK(table.rows[1].line == 4);  // the row above took two lines
}

TEST_CASE("lines may end as on another system and the last one not at all") {
  const CsvTable table = parse_csv("a,b\r\n1,\"2\"\r\n3,4", "figures.csv");
  REQUIRE(table.rows.size() == 2);
  CHECK(table.rows[0].cells == Cells{"1", "2"});
  CHECK(table.rows[1].cells == Cells{"3", "4"});
}

TEST_CASE("a malformed table names the file and the line") {
  CHECK(message_of("") == "figures.csv:1: error: the file is empty");
  CHECK(message_of("\n\n") == "figures.csv:1: error: the file is empty");
  CHECK(message_of("a,b\n1,2\n1,2,3\n") ==
        "figures.csv:3: error: 3 cells, but the header has 2 columns");
  CHECK(message_of("a,b\n1\n") == "figures.csv:2: error: 1 cells, but the header has 2 columns");
  CHECK(message_of("a,b\n1,\"2\n3,4\n") == "figures.csv:2: error: a quote is not closed");
  CHECK(message_of("a,b\n\"1\"x,2\n") == "figures.csv:2: error: text behind a closing quote");
  CHECK(message_of("a,b\n1\"x,2\n") ==
        "figures.csv:2: error: a quote inside a cell: quote the whole cell");
}
