// One matrix product C[m,n] = A[m,k] B[k,n] without a workload file: values in, values out.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "hw_models/array_timing.h"
#include "sim/pipeline.h"

namespace tessera::sim {

/// The product cannot run as asked; says what would be allowed.
class GemmError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

constexpr std::int64_t kMostGemmSide = std::int64_t{1} << 20;  // of m, k and n
constexpr std::int64_t kMostGemmMacs = 10'000'000'000'000;     // 10^13: hours of commands
constexpr std::int64_t kMostPeMacs = 1'000'000'000;            // 10^9: every MAC is computed

/// "64x96x128": m, k, n. Throws GemmError.
hw::GemmShape parse_gemm_shape(const std::string& text);
/// "64x96x128"
std::string shape_text(const hw::GemmShape& shape);
/// A dataflow by its name or as ws, os, is. Throws GemmError.
hw::Dataflow parse_dataflow(const std::string& text);

struct GemmRequest {
  RunConfig machine;  // as load_machine_run() gives it
  hw::GemmShape shape;
  std::optional<hw::Dataflow> dataflow;  // none: the mapper's choice; resident: the array's first
  /// Starts with the operands in the scratchpads and leaves the result in the accumulators: one
  /// Gemm command, no loads, no stores, no epilogue, no launch. Otherwise memory to memory.
  bool resident = false;
  bool accumulate = false;  // resident only: adds to what the accumulators hold
  bool computed = false;    // for pe_gemm(): REQUIRES resident, checks what the PEs can run
};

/// A product up to the point where the machine takes over.
struct PreparedGemm {
  PreparedRun run;                      // a graph of the one operator and its plan
  std::optional<hw::Command> resident;  // the whole program of a resident product
};

/// Checks the request and maps it (memory to memory), or places it (resident): A from the bottom of
/// its buffer, C behind it where one buffer holds both, B at the top of its own, so that A and B
/// lie in different banks where one buffer holds both. Throws GemmError when the array cannot run
/// it or a buffer is too small (bytes needed and bytes there), MappingError as the mapper.
PreparedGemm prepare_gemm(GemmRequest request);

/// Its commands. `gemm` must outlive them.
std::unique_ptr<hw::CommandSource> gemm_program(const PreparedGemm& gemm);

/// Simulates in this process: once only. `host` may be null.
Report simulate_gemm(const PreparedGemm& gemm, HostFigures* host = nullptr);
/// In a child of its own, beside others. `gemm` must outlive the start only.
IsolatedSimulation start_gemm(const PreparedGemm& gemm);
/// Joins the counters of either.
Report gemm_report(const PreparedGemm& gemm, const hw::Counters& counters);

/// In closed form, without a machine: cycles, bounds and mapping; nothing that only a simulation
/// knows (attribution, traffic, units).
Report analytical_gemm(const PreparedGemm& gemm);

/// Throws GemmError with an estimate of the time when `shape` has more MACs than kMostPeMacs.
void check_pe_size(const hw::ArrayConfig& array, hw::Dataflow dataflow, const hw::GemmShape& shape);
/// The same product PE by PE and clock by clock, with numbers: random operands, results held
/// against a plain product. Throws WrongProduct when they differ. Dispatch, start-up and the
/// buffers' latencies are added; banks are never short. What a closed form knows, and `computed`.
/// Once per process, beside no simulation. REQUIRES: prepared from a request that is `computed`.
Report pe_gemm(const PreparedGemm& gemm);

}  // namespace tessera::sim
