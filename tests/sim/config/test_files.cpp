// Files that are no configurations, and where names are found.
#include <catch2/catch.hpp>

#include "tests/sim/config/config_fixture.h"

namespace tessera::sim {

TEST_CASE("a file of ten megabytes is refused before it is read") {
  ConfigFolder folder;
  folder.write("hw.yaml", "# " + std::string(10 << 20, 'x'));
  CHECK(error_of("case.yaml") ==
        "error: hw.yaml: the file is larger than 1 MiB: not a configuration");
}

TEST_CASE("a binary file and text in another encoding are refused without showing them") {
  ConfigFolder folder;
  folder.write("hw.yaml", std::string("\x7f"
                                      "ELF\x02\x01\x01\x00",
                                      8));
  CHECK(error_of("case.yaml") ==
        "hw.yaml:1:1: error: not a text file: byte 0x7F is a control character");
  folder.write("hw.yaml", kHardware + "name: t\xffny\n");
  CHECK(error_of("case.yaml") == "hw.yaml:5:8: error: not a text file: byte 0xFF is not UTF-8");
  folder.write("hw.yaml", kHardware + "name: \xc0\xaf\n");  // an overlong slash
  CHECK(error_of("case.yaml") == "hw.yaml:5:7: error: not a text file: byte 0xC0 is not UTF-8");
}

TEST_CASE("endless brackets and deep nesting are refused") {
  ConfigFolder folder;
  folder.write("hw.yaml", "name: " + std::string(100'000, '['));
  CHECK(error_of("case.yaml") == "hw.yaml:1:71: error: brackets are nested too deeply\n  name: " +
                                     std::string(114, '[') + "\n  " + std::string(70, ' ') + "^");
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += std::string(i, ' ') + "a:\n";
  folder.write("hw.yaml", deep);
  CHECK(error_of("case.yaml") == "hw.yaml:33:33: error: nested too deeply (32 levels)\n  " +
                                     std::string(32, ' ') + "a:\n  " + std::string(32, ' ') + "^");
}

TEST_CASE("a directory and an unknown run are refused on the command line") {
  ConfigFolder folder;
  folder.write("folder.yaml/x", "");
  CHECK(error_of("./folder.yaml") == "error: './folder.yaml' is a directory, not a file");
  CHECK(error_of("siglip_edgy") ==
        "error: there is no run called 'siglip_edgy'\ndid you mean 'siglip_edge'?");
}

TEST_CASE("carets count characters and columns are one-based") {
  ConfigFolder folder;
  folder.write("hw.yaml", "{name: \"\xc3\xa9\xe2\x82\xac\", rows: 8}\n");
  CHECK(error_of("case.yaml") ==
        "hw.yaml:1:14: error: hardware.rows: unknown key\n"
        "  {name: \"\xc3\xa9\xe2\x82\xac\", rows: 8}\n"
        "               ^\n"
        "did you mean 'hardware.array.rows'?");
}

TEST_CASE("a byte order mark and carriage returns are no obstacle") {
  ConfigFolder folder;
  folder.write("hw.yaml", "\xEF\xBB\xBF" + replaced(kHardware, "\n", "\r\n"));
  CHECK(load_run("case.yaml").hardware.array.rows == 8);
}

TEST_CASE("a name beside the naming file hides one on the search path and the shipped one") {
  ConfigFolder folder;
  folder.write("far/hardware/mine.yaml", array_of("rows: 2"));
  folder.write("far/m.yaml", kModel);
  folder.write("far/tiny_8x8.yaml", array_of("rows: 3"));
  folder.write("case.yaml", "hardware: mine\nworkload: m\n");
  ::setenv("TESSERA_CONFIG_PATH", "far", 1);
  CHECK(load_run("case.yaml").hardware.array.rows == 2);
  CHECK(load_run("case.yaml", {"hardware=tiny_8x8"}).hardware.array.rows == 3);
  folder.write("mine.yaml", array_of("rows: 4"));
  CHECK(load_run("case.yaml").hardware.array.rows == 4);
  ::unsetenv("TESSERA_CONFIG_PATH");
  CHECK(load_run("case.yaml", {"hardware=tiny_8x8"}).hardware.array.rows == 8);
}

TEST_CASE("a path is relative to the file that names it") {
  ConfigFolder folder;
  folder.write("runs/case.yaml", "hardware: ../parts/hw.yaml\nworkload: m\n");
  folder.write("parts/hw.yaml", array_of("rows: 5"));
  CHECK(load_run("runs/case.yaml").hardware.array.rows == 5);
  CHECK(load_run("runs/case.yaml").hardware.name == "hw");
}

TEST_CASE("a name never means the file it stands in") {
  ConfigFolder folder;
  folder.write("tiny_8x8.yaml", "base: tiny_8x8\narray: {rows: 6}\n");
  CHECK(load_hardware("tiny_8x8").array.rows == 6);
  CHECK(load_hardware("tiny_8x8").dma.outstanding == 8);  // from the shipped file
}

TEST_CASE("lists show each shipped file with its question") {
  for (const char* kind : {"hardware", "models", "runs"}) {
    const std::vector<ListEntry> entries = list_configs(kind);
    CHECK(entries.size() >= 3);
    for (const ListEntry& entry : entries) {
      INFO(entry.path);
      CHECK(entry.question.size() > 10);
    }
  }
  CHECK_THROWS_AS(list_configs("studies"), ConfigError);
}

}  // namespace tessera::sim
