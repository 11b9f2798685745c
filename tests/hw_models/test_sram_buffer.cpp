// One scratchpad under its users: streams of the array and the vector unit, pieces of the DMA. What
// every bank grants is observed in the middle of every cycle, when all speeds have settled.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <tuple>

#include "hw_models/kernel/buffer_streams.h"
#include "hw_models/kernel/process.h"
#include "hw_models/sram_buffer.h"

using namespace tessera::hw;

namespace {

constexpr int kDmaQueues = 3;
constexpr Cycles kHorizon = 1'000'000;

struct Use {
  Region region;
  std::int64_t accesses = 0;
};

/// A stream of a unit: not before `start`, nor before the unit's last one has ended.
struct StreamJob {
  Cycles start = 0;
  Cycles cycles = 1;  // with nothing in its way
  std::vector<Use> uses;
};

/// A piece of a DMA queue.
struct PieceJob {
  Cycles start = 0;
  Cycles cycles = 1;
  Region region;
};

struct Script {
  std::vector<BufferConfig> buffers;
  std::vector<StreamJob> array, vector;
  std::vector<PieceJob> pieces[kDmaQueues];
};

struct Served {
  Cycles begin = 0, end = -1;
  Cycles delay = 0;                   // as told to the user
  std::map<int, std::int64_t> units;  // 2^-16 accesses granted, by bank + 1000 x buffer
};

/// User 0 the array, 1 the vector unit, 2.. the DMA queues; then the job.
using Who = std::pair<int, int>;

struct Log {
  std::map<Who, Served> served;
  Rate most_over = 0;  // granted beyond the ports of a bank, at worst
  std::int64_t conflict_cycles = 0;
};

BufferConfig one_bank(BankPolicy policy, int ports = 1) {
  BufferConfig buffer;
  buffer.name = "buffer";
  buffer.capacity = 4096;
  buffer.ports = ports;
  buffer.width = 32;
  buffer.policy = policy;
  return buffer;
}

HardwareConfig machine_of(const Script& script) {
  HardwareConfig machine;
  machine.buffers = script.buffers;
  return machine;
}

/// The buffers of a script and everybody who uses them.
class Bench : public sc_core::sc_module {
 public:
  Bench(sc_core::sc_module_name name, const Script& script)
      : sc_module(name), script_(script), machine_(machine_of(script)), grants_("grants") {
    counters_.operators.resize(1);
    counters_.operators[0].buffer_accesses.resize(script.buffers.size());
    counters_.buffers.resize(script.buffers.size());
    for (std::size_t b = 0; b < script.buffers.size(); ++b) {
      buffers_.push_back(std::make_unique<SramBuffer>(("buffer" + std::to_string(b)).c_str(),
                                                      static_cast<int>(b), script.buffers[b],
                                                      1'000'000'000, counters_.buffers[b]));
      all_.push_back(buffers_.back().get());
    }
    for (int u = 0; u < kStreamingUnits; ++u) units_[u] = make_unit(u);
    for (SramBuffer* buffer : all_) {
      for (int u = 0; u < kStreamingUnits; ++u) buffer->bind(u, units_[u]->notices);
      buffer->bind_dma(grants_);
    }
    spawn_step([this] { step_dma(); }, {&dma_alarm_.event(), &grants_.arrived()});
    spawn_step([this] { observe(); }, {&probe_});
  }
  Log finish() {
    for (SramBuffer* buffer : all_) buffer->finish(now_cycle(clock_));
    for (const BufferCounters& buffer : counters_.buffers) {
      log_.conflict_cycles += buffer.conflict_cycles;
    }
    return log_;
  }

 private:
  /// A unit that does its streams one after the other.
  struct Unit {
    Unit(int index, const std::vector<StreamJob>& list, const HardwareConfig& machine,
         const std::vector<SramBuffer*>& buffers, Counters& counters, const Clock& clock)
        : number(index),
          jobs(list),
          notices(("notices" + std::to_string(index)).c_str()),
          streams(index, machine, buffers, counters),
          alarm(clock) {}
    int number;
    const std::vector<StreamJob>& jobs;
    Mailbox<StreamNotice> notices;
    BufferStreams streams;
    Alarm alarm;
    PacedWork work;
    std::size_t next = 0;
    bool running = false;
  };

  std::unique_ptr<Unit> make_unit(int index) {
    auto unit = std::make_unique<Unit>(index, index == kArrayUnit ? script_.array : script_.vector,
                                       machine_, all_, counters_, clock_);
    Unit* made = unit.get();
    spawn_step([this, made] { step_unit(*made); },
               {&made->alarm.event(), &made->notices.arrived()});
    return unit;
  }

  Served& of(int user, std::int64_t job) { return log_.served[{user, static_cast<int>(job)}]; }

  void step_unit(Unit& unit) {
    const Cycles now = now_cycle(clock_);
    unit.streams.apply(unit.notices.take(), unit.work, now);
    if (unit.running && now >= unit.work.end()) {
      Served& served = of(unit.number, static_cast<std::int64_t>(unit.next) - 1);
      served.end = now;
      served.delay = unit.work.finish(now);
      unit.streams.close();
      unit.running = false;
    }
    if (!unit.running && unit.next < unit.jobs.size()) start(unit, now);
    if (unit.running) unit.alarm.set(unit.work.end());
  }
  void start(Unit& unit, Cycles now) {
    const StreamJob& job = unit.jobs[unit.next];
    if (now < job.start) return unit.alarm.set(job.start);
    of(unit.number, static_cast<std::int64_t>(unit.next++)).begin = now;
    for (const Use& use : job.uses) {
      unit.streams.add(use.region, use.accesses, job.cycles, counters_.operators[0]);
    }
    unit.work.start(now, job.cycles);
    unit.running = true;
    unit.streams.open();
    probe_.notify(sc_core::sc_time(500, sc_core::SC_PS));
  }

  void step_dma() {
    const Cycles now = now_cycle(clock_);
    for (const DmaGrant& grant : grants_.take()) {
      Served& served = of(kStreamingUnits + grant.requester, grant.sequence);
      CHECK(served.end == -1);  // granted once
      served.end = now;
      served.delay = grant.delay;
    }
    for (int q = 0; q < kDmaQueues; ++q) post_pieces(q, now);
  }
  void post_pieces(int q, Cycles now) {
    for (; posted_[q] < script_.pieces[q].size(); ++posted_[q]) {
      const PieceJob& job = script_.pieces[q][posted_[q]];
      if (now < job.start) return dma_alarm_.set(job.start);
      BufferMessage message;
      message.unit = q;
      message.sequence = static_cast<std::int64_t>(posted_[q]);
      message.region = job.region;
      message.cycles = job.cycles;
      of(kStreamingUnits + q, message.sequence).begin = now;
      all_[static_cast<std::size_t>(job.region.buffer)]->messages.post(message);
      probe_.notify(sc_core::sc_time(500, sc_core::SC_PS));
    }
  }

  /// Half a cycle behind every edge at which somebody uses a buffer.
  void observe() {
    bool busy = false;
    for (std::size_t b = 0; b < all_.size(); ++b) {
      std::map<int, Rate> by_bank;
      for (const BankGrant& grant : all_[b]->granted()) {
        busy = true;
        by_bank[grant.bank] += grant.rate;
        const bool dma = grant.user == BankUser::kDma;
        const int user = dma ? kStreamingUnits + grant.unit : grant.unit;
        const std::int64_t job = dma ? grant.sequence : grant.sequence - 1;
        of(user, job).units[grant.bank + 1000 * static_cast<int>(b)] += grant.rate;
      }
      for (const auto& [bank, rate] : by_bank) {
        const Rate capacity = kFullRate * script_.buffers[b].ports;
        log_.most_over = std::max(log_.most_over, rate - capacity);
      }
    }
    if (busy) probe_.notify(sc_core::sc_time(1, sc_core::SC_NS));
  }

  const Script& script_;
  HardwareConfig machine_;
  Clock clock_;
  Counters counters_;
  std::vector<std::unique_ptr<SramBuffer>> buffers_;
  std::vector<SramBuffer*> all_;
  std::unique_ptr<Unit> units_[kStreamingUnits];
  Mailbox<DmaGrant> grants_;
  Alarm dma_alarm_{clock_};
  std::size_t posted_[kDmaQueues] = {};
  sc_core::sc_event probe_;
  Log log_;
};

/// Events on the edges of the clock that have nothing to do with the buffers.
class Noise : public sc_core::sc_module {
 public:
  Noise(sc_core::sc_module_name name, unsigned seed) : sc_module(name), random_(seed) {
    for (sc_core::sc_event& event : events_) {
      spawn_step([this, &event] { rouse(event); }, {&event});
    }
  }

 private:
  void rouse(sc_core::sc_event& event) {
    if (left_-- > 0) event.notify(sc_core::sc_time(double(random_() % 20), sc_core::SC_NS));
  }
  std::mt19937 random_;
  sc_core::sc_event events_[8];
  int left_ = 4000;
};

void append(std::vector<std::int64_t>& flat, const Log& log) {
  flat.insert(flat.end(),
              {log.most_over, log.conflict_cycles, static_cast<std::int64_t>(log.served.size())});
  for (const auto& [who, served] : log.served) {
    flat.insert(flat.end(), {who.first, who.second, served.begin, served.end, served.delay,
                             static_cast<std::int64_t>(served.units.size())});
    for (const auto& [bank, units] : served.units) flat.insert(flat.end(), {bank, units});
  }
}

std::vector<Log> parse(const std::vector<std::int64_t>& flat) {
  std::vector<Log> logs;
  std::size_t at = 0;
  const auto take = [&] { return flat.at(at++); };
  while (at < flat.size()) {
    Log log;
    log.most_over = take();
    log.conflict_cycles = take();
    for (std::int64_t left = take(); left > 0; --left) {
      const int user = static_cast<int>(take()), job = static_cast<int>(take());
      Served& served = log.served[{user, job}];
      served.begin = take();
      served.end = take();
      served.delay = take();
      for (std::int64_t banks = take(); banks > 0; --banks) {
        const int bank = static_cast<int>(take());
        served.units[bank] = take();
      }
    }
    logs.push_back(std::move(log));
  }
  return logs;
}

std::vector<std::int64_t> simulate_here(const std::vector<Script>& scripts, unsigned noise) {
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  // A bench has several processes of one name.
  sc_core::sc_report_handler::set_actions(sc_core::SC_ID_INSTANCE_EXISTS_, sc_core::SC_DO_NOTHING);
  sc_core::sc_set_time_resolution(1, sc_core::SC_FS);
  std::vector<std::unique_ptr<Bench>> benches;
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    benches.push_back(std::make_unique<Bench>(("bench" + std::to_string(i)).c_str(), scripts[i]));
  }
  const auto unrelated = noise > 0 ? std::make_unique<Noise>("noise", noise) : nullptr;
  sc_core::sc_start(sc_core::sc_time(double(kHorizon), sc_core::SC_NS));
  std::vector<std::int64_t> flat;
  for (auto& bench : benches) append(flat, bench->finish());
  return flat;
}

/// All scripts side by side in one simulation, in a child: SystemC elaborates once per process.
std::vector<Log> simulate(const std::vector<Script>& scripts, unsigned noise = 0) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::vector<std::int64_t> flat = simulate_here(scripts, noise);
    const char* bytes = reinterpret_cast<const char*>(flat.data());
    std::size_t left = flat.size() * sizeof(std::int64_t);
    for (ssize_t put = 0; left > 0 && (put = write(ends[1], bytes, left)) > 0;) {
      bytes += put;
      left -= static_cast<std::size_t>(put);
    }
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char block[65536];
  for (ssize_t got = 0; (got = read(ends[0], block, sizeof block)) > 0;) {
    text.append(block, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  waitpid(child, nullptr, 0);
  std::vector<std::int64_t> flat(text.size() / sizeof(std::int64_t));
  std::copy(text.begin(), text.end(), reinterpret_cast<char*>(flat.data()));
  std::vector<Log> logs = parse(flat);
  REQUIRE(logs.size() == scripts.size());
  return logs;
}

Log simulate(const Script& script) { return simulate(std::vector<Script>{script}).front(); }

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
  }

 private:
  std::mt19937_64 engine_;
};

Region region_in(const BufferConfig& b, int index, Bytes most, Random& random) {
  Region region{index, 0, random.pick(1, std::min(most, b.capacity))};
  region.offset = random.pick(0, b.capacity - region.bytes);
  return region;
}

BufferConfig random_buffer(Random& random, int most_banks) {
  BufferConfig b =
      one_bank(static_cast<BankPolicy>(random.pick(0, 2)), static_cast<int>(random.pick(1, 2)));
  b.banks = static_cast<int>(random.pick(1, most_banks));
  b.width = Bytes{8} << random.pick(0, 3);
  if (random.pick(0, 1) != 0) {
    b.bank_mapping = BankMapping::kInterleaved;
    b.interleave = Bytes{16} << random.pick(0, 3);
  }
  return b;
}

StreamJob random_stream(const Script& script, Random& random) {
  StreamJob job;
  job.start = random.pick(0, 300);
  job.cycles = random.pick(1, 200);
  for (std::int64_t uses = random.pick(1, 3); uses > 0; --uses) {
    const int index = static_cast<int>(random.pick(0, std::int64_t(script.buffers.size()) - 1));
    const BufferConfig& b = script.buffers[static_cast<std::size_t>(index)];
    job.uses.push_back({region_in(b, index, 4096, random), random.pick(1, 2 * job.cycles)});
  }
  return job;
}

Script random_script(Random& random, int buffers, int most_banks) {
  Script script;
  for (int b = 0; b < buffers; ++b) script.buffers.push_back(random_buffer(random, most_banks));
  for (std::int64_t i = random.pick(0, 3); i > 0; --i) {
    script.array.push_back(random_stream(script, random));
  }
  for (std::int64_t i = random.pick(0, 3); i > 0; --i) {
    script.vector.push_back(random_stream(script, random));
  }
  for (auto& queue : script.pieces) {
    for (std::int64_t i = random.pick(0, 4); i > 0; --i) {
      const int index = static_cast<int>(random.pick(0, buffers - 1));
      const BufferConfig& b = script.buffers[static_cast<std::size_t>(index)];
      queue.push_back({random.pick(0, 400), random.pick(0, 60), region_in(b, index, 2048, random)});
    }
    std::sort(queue.begin(), queue.end(),
              [](const PieceJob& a, const PieceJob& b) { return a.start < b.start; });
  }
  return script;
}

std::vector<Script> random_scripts(unsigned seed, int count, int buffers, int most_banks) {
  Random random(seed);
  std::vector<Script> scripts;
  for (int i = 0; i < count; ++i) scripts.push_back(random_script(random, buffers, most_banks));
  return scripts;
}

std::size_t jobs_of(const Script& script) {
  std::size_t jobs = script.array.size() + script.vector.size();
  for (const auto& queue : script.pieces) jobs += queue.size();
  return jobs;
}

/// Accesses that a job makes, by bank + 1000 x buffer; and its cycles with nothing in its way.
struct Wanted {
  std::map<int, double> accesses;
  Cycles cycles = 1;
};

void want(Wanted& wanted, const Script& script, const Region& region, std::int64_t accesses) {
  const BufferConfig& b = script.buffers[static_cast<std::size_t>(region.buffer)];
  for (const BankShare& share : bank_shares(b, region)) {
    wanted.accesses[share.bank + 1000 * region.buffer] +=
        double(accesses) * double(share.bytes) / double(region.bytes);
  }
}

Wanted wanted_by(const Script& script, const Who& who) {
  Wanted wanted;
  const auto job = static_cast<std::size_t>(who.second);
  if (who.first >= kStreamingUnits) {
    const PieceJob& piece = script.pieces[who.first - kStreamingUnits][job];
    const BufferConfig& b = script.buffers[static_cast<std::size_t>(piece.region.buffer)];
    want(wanted, script, piece.region, ceil_div(piece.region.bytes, b.width));
    wanted.cycles = std::max<Cycles>(1, piece.cycles);
    return wanted;
  }
  const StreamJob& stream = (who.first == kArrayUnit ? script.array : script.vector)[job];
  for (const Use& use : stream.uses) want(wanted, script, use.region, use.accesses);
  wanted.cycles = stream.cycles;
  return wanted;
}

/// Every access of a job within the rounding: a unit of 2^-16 a cycle and use, and the last cycle,
/// of which the job may need a part.
void check_served(const Script& script, const Who& who, const Served& served) {
  const Wanted wanted = wanted_by(script, who);
  INFO("user " << who.first << " job " << who.second);
  CHECK(served.end >= served.begin + wanted.cycles);
  CHECK(served.delay == served.end - served.begin - wanted.cycles);
  for (const auto& [bank, accesses] : wanted.accesses) {
    const auto found = served.units.find(bank);
    const double got =
        found == served.units.end() ? 0.0 : double(found->second) / double(kFullRate);
    const double rounding = 4.0 * double(served.end - served.begin) / double(kFullRate);
    const double a_cycle = accesses / double(wanted.cycles);
    INFO("bank " << bank << " wants " << accesses << " got " << got);
    CHECK(got >= accesses - rounding - 1e-9);
    CHECK(got <= accesses + a_cycle + 1e-9);
  }
}

}  // namespace

TEST_CASE("a bank never grants more than its ports in any cycle") {
  for (const int banks : {1, 4}) {
    for (const Log& log : simulate(random_scripts(1, 150, 1, banks))) CHECK(log.most_over <= 0);
  }
  // Units that use two buffers at once: what one of them holds up leaves the other room.
  for (const Log& log : simulate(random_scripts(2, 150, 2, 3))) CHECK(log.most_over <= 0);
}

TEST_CASE("every access of every stream and piece is served exactly once") {
  for (const int banks : {1, 5}) {
    const std::vector<Script> scripts = random_scripts(3, 150, 1, banks);
    const std::vector<Log> logs = simulate(scripts);
    for (std::size_t i = 0; i < scripts.size(); ++i) {
      INFO("script " << i);
      CHECK(logs[i].served.size() == jobs_of(scripts[i]));
      for (const auto& [who, served] : logs[i].served) check_served(scripts[i], who, served);
    }
  }
}

TEST_CASE("a user of a bank loses no more cycles than the others make accesses beside it") {
  // On one bank, under every policy: the bank is busy while somebody waits, and nobody starves. A
  // job's last cycle may be needed in part.
  const std::vector<Script> scripts = random_scripts(4, 300, 1, 1);
  const std::vector<Log> logs = simulate(scripts);
  int held_up = 0;
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    const double ports = scripts[i].buffers[0].ports;
    for (const auto& [who, served] : logs[i].served) {
      double others = 0;
      int jobs = 0;
      for (const auto& [other, theirs] : logs[i].served) {
        if (other == who || theirs.end <= served.begin || theirs.begin >= served.end) continue;
        others += wanted_by(scripts[i], other).accesses.at(0);
        ++jobs;
      }
      const Wanted wanted = wanted_by(scripts[i], who);
      const double alone = std::max(double(wanted.cycles), wanted.accesses.at(0) / ports);
      INFO("script " << i << " user " << who.first << " job " << who.second);
      CHECK(double(served.end - served.begin) <= alone + others / ports + 2 + jobs);
      held_up += served.delay > 0 ? 1 : 0;
    }
  }
  CHECK(held_up > 300);  // the scripts do contend
}

TEST_CASE("users of one kind that ask alike end together") {
  for (const BankPolicy policy :
       {BankPolicy::kDmaFirst, BankPolicy::kRoundRobin, BankPolicy::kArrayFirst}) {
    Script script;
    script.buffers = {one_bank(policy)};
    for (auto& queue : script.pieces) queue.push_back({10, 32, {0, 0, 32 * 32}});
    const Log log = simulate(script);
    for (int q = 0; q < kDmaQueues; ++q) {
      // Three times 32 accesses on one port.
      const Served& served = log.served.at({kStreamingUnits + q, 0});
      CHECK(served.end >= 10 + 3 * 32);
      CHECK(served.end <= 10 + 3 * 32 + 1);
    }
  }
}

TEST_CASE("round robin gives each side of a busy bank half of it") {
  Script script;
  script.buffers = {one_bank(BankPolicy::kRoundRobin)};
  script.array = {{0, 64, {{{0, 0, 2048}, 64}}}};
  script.pieces[0] = {{0, 64, {0, 2048, 2048}}};
  const Log log = simulate(script);
  CHECK(log.served.at({0, 0}).end == 128);
  CHECK(log.served.at({2, 0}).end == 128);
  CHECK(log.conflict_cycles == 64);
}

namespace {

/// The array from cycle 0 on and a piece of 16 accesses from cycle 20 on, both at full rate.
Log stream_and_piece(BankPolicy policy) {
  Script script;
  script.buffers = {one_bank(policy)};
  script.array = {{0, 100, {{{0, 0, 2048}, 100}}}};
  script.pieces[0] = {{20, 16, {0, 2048, 16 * 32}}};
  return simulate(script);
}

}  // namespace

TEST_CASE("a stream that a piece blocks until t runs from t on") {
  // 20 cycles in front of the piece, none in its 16, the other 80 behind it.
  const Log log = stream_and_piece(BankPolicy::kDmaFirst);
  CHECK(log.served.at({2, 0}).end == 36);
  CHECK(log.served.at({2, 0}).delay == 0);
  CHECK(log.served.at({0, 0}).end == 116);
  CHECK(log.conflict_cycles == 16);
}

TEST_CASE("a piece that the array blocks until t runs from t on") {
  // One access of 64 while the array streams: the piece has 15 accesses and a bit left at the end
  // of the stream, which in turn lost one cycle of 64.
  const Log log = stream_and_piece(BankPolicy::kArrayFirst);
  const Cycles stream_end = log.served.at({0, 0}).end;
  CHECK(stream_end == 102);  // 80 cycles at 63/64
  const double left = 16.0 - double(stream_end - 20) / 64;
  CHECK(log.served.at({2, 0}).end == stream_end + Cycles(std::ceil(left)));
}

TEST_CASE("a piece that ends at t leaves the bank to one that comes at t") {
  Script script;
  script.buffers = {one_bank(BankPolicy::kDmaFirst)};
  for (Cycles begin : {39, 40, 41}) {
    script.pieces[0] = {{8, 32, {0, 0, 1024}}};  // until cycle 40
    script.pieces[1] = {{begin, 32, {0, 1024, 1024}}};
    const Log log = simulate(script);
    const Cycles shared = begin < 40 ? 1 : 0;  // an access of each is left when they meet
    CHECK(log.served.at({2, 0}).end == 40 + shared);
    CHECK(log.served.at({3, 0}).end == begin + 32 + shared);
  }
}

TEST_CASE("the next stream of a unit has the bank from the cycle in which the last one ends") {
  Script script;
  script.buffers = {one_bank(BankPolicy::kDmaFirst)};
  script.array = {{0, 50, {{{0, 0, 1024}, 50}}}, {0, 50, {{{0, 1024, 1024}, 50}}}};
  const Log log = simulate(script);
  CHECK(log.served.at({0, 0}).end == 50);
  CHECK(log.served.at({0, 1}).begin == 50);
  CHECK(log.served.at({0, 1}).end == 100);
}

TEST_CASE("array and vector unit and DMA on one bank share it by the policy") {
  const auto ends = [](BankPolicy policy) {
    Script script;
    script.buffers = {one_bank(policy)};
    script.array = {{0, 64, {{{0, 0, 1024}, 64}}}};
    script.vector = {{0, 64, {{{0, 1024, 1024}, 64}}}};
    script.pieces[0] = {{0, 64, {0, 2048, 2048}}};
    const Log log = simulate(script);
    return std::tuple{log.served.at({0, 0}).end, log.served.at({1, 0}).end,
                      log.served.at({2, 0}).end};
  };
  CHECK(ends(BankPolicy::kDmaFirst) == std::tuple{192, 192, 64});
  // A quarter each for the units, half for the DMA; then the units share.
  CHECK(ends(BankPolicy::kRoundRobin) == std::tuple{192, 192, 128});
  // The array has 63 of 64 accesses, the others what it leaves, then half each.
  const auto [array, vector, dma] = ends(BankPolicy::kArrayFirst);
  CHECK(array == 66);
  CHECK(vector == dma);
  CHECK(vector >= 192);
  CHECK(vector <= 194);
}

TEST_CASE("a region in other banks costs nothing and interleaving spreads the loss") {
  Script script;
  script.buffers = {one_bank(BankPolicy::kDmaFirst)};
  script.buffers[0].banks = 4;
  script.array = {{0, 100, {{{0, 0, 1024}, 100}}}};
  script.pieces[0] = {{20, 32, {0, 1024, 1024}}};  // bank 1 of blocked ones
  CHECK(simulate(script).served.at({0, 0}).end == 100);
  // Interleaved, each bank has a quarter of both.
  script.buffers[0].bank_mapping = BankMapping::kInterleaved;
  script.buffers[0].interleave = 32;
  CHECK(simulate(script).served.at({0, 0}).end == 100);
  // Four times as many accesses of the array fill the banks: it loses what the piece takes.
  script.array[0].uses[0].accesses = 400;
  const Log full = simulate(script);
  CHECK(full.served.at({0, 0}).end == 108);
  CHECK(full.served.at({2, 0}).delay == 0);
}

TEST_CASE("unrelated events change nothing that a buffer grants") {
  std::vector<Script> scripts = random_scripts(7, 30, 1, 3);
  for (Script& script : random_scripts(8, 30, 2, 2)) scripts.push_back(std::move(script));
  const auto flat = [&](unsigned noise) {
    std::vector<std::int64_t> all;
    for (const Log& log : simulate(scripts, noise)) append(all, log);
    return all;
  };
  const std::vector<std::int64_t> quiet = flat(0);
  for (unsigned noise = 1; noise <= 6; ++noise) CHECK(flat(noise) == quiet);
}
