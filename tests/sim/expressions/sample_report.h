// A report.json document with the parts that expressions read, small enough to know by heart.
#pragma once

#include <nlohmann/json.hpp>

namespace tessera::test {

inline nlohmann::ordered_json sample_traffic(int read, int write) {
  return {{"dram",
           {{"weights", {{"read_bytes", read}, {"write_bytes", 0}}},
            {"outputs", {{"read_bytes", 0}, {"write_bytes", write}}},
            {"bus_bytes", read + write}}}};
}

inline nlohmann::ordered_json sample_operator(const char* name, int layer, int cycles,
                                              double utilization) {
  return {{"name", name},
          {"phase", "vision"},
          {"layer", layer < 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(layer)},
          {"m", 64},
          {"cycles", cycles},
          {"time_s", cycles * 1e-9},
          {"macs", 1000},
          {"utilization", utilization},
          {"attribution", {{"compute", cycles - 10}, {"tail", 10}}},
          {"traffic", sample_traffic(100, 20)},
          {"mapping", {{"dataflow", "weight_stationary"}, {"dram_bytes", 120}}}};
}

inline nlohmann::ordered_json sample_report() {
  using Json = nlohmann::ordered_json;
  const Json hardware{{"name", "tiny"},
                      {"clocks", {{"core", "1 GHz"}}},
                      {"array", {{"rows", 16}, {"cols", 8}}},
                      {"buffers",
                       {{"weights", {{"capacity", "64 KiB"}, {"latency", "2 cycles"}}},
                        {"activations", {{"capacity", "1 MiB"}, {"latency", "1 cycle"}}}}},
                      {"dram", {{"channels", 2}, {"bandwidth", "25.6 GB/s"}}}};
  Json report;
  report["schema"] = "tessera-report/1";
  report["hardware"] = "tiny";
  report["config"] = {{"name", "sample"},
                      {"hardware", hardware},
                      {"workload", {{"tokens", 50}}},
                      {"fusion", {{"attention", true}}}};
  report["totals"] = {{"units", 3},
                      {"cycles", 30'000'000},
                      {"time_s", 0.03},
                      {"energy_j", nullptr},
                      {"utilization", 0.5},
                      {"roofline", {{"bound", "dram"}}},
                      {"traffic", sample_traffic(1000, 200)}};
  report["phases"] = Json::array({{{"name", "vision"},
                                   {"units", 1},
                                   {"repeat", 3},
                                   {"cycles", 10'000'000},
                                   {"time_s", 0.01},
                                   {"traffic", sample_traffic(600, 100)}}});
  report["operators"] = Json::array(
      {sample_operator("Embed", -1, 100, 0.25), sample_operator("MLP_FC1", 0, 200, 0.5),
       sample_operator("MLP_FC1", 1, 300, 0.75), sample_operator("MLP_FC2", 1, 400, 0.75)});
  report["dram"] = {{"row_hit_rate", nullptr}, {"peak_bytes_per_second", 25.6e9}};
  report["array"] = {{"core_hz", 1e9}};
  return report;
}

}  // namespace tessera::test
