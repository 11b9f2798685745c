// The JSON Schemas that editors read from docs/schemas are those of the program.
// After a change: tessera schema KIND > docs/schemas/KIND.schema.json
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "sim/config/config.h"
#include "sim/report/writers.h"
#include "sim/sweep/sweep_fields.h"

using namespace tessera;

namespace {

nlohmann::ordered_json shipped(const std::string& kind) {
  std::ifstream file(std::string(TESSERA_SOURCE_DIR) + "/docs/schemas/" + kind + ".schema.json");
  REQUIRE(file.good());
  return nlohmann::ordered_json::parse(file);
}

}  // namespace

TEST_CASE("the shipped schemas are the ones of the program") {
  CHECK(shipped("report") == sim::report_schema());
  CHECK(shipped("sweep") == sim::sweep_schema());
  for (const char* kind : {"run", "hardware", "model"}) {
    INFO(kind);
    CHECK(shipped(kind) == sim::config_schema(kind));
  }
}
