// The report of a sweep as text: first the answer, then the front, what the axes do, the knees.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "sim/report/format.h"
#include "sim/report/roofline.h"
#include "sim/sweep/sweep_report.h"

namespace tessera::sim {
namespace {

constexpr std::size_t kMostShown = 20;   // rows of the front, unless all are asked for
constexpr std::size_t kMostEffects = 8;  // values of an axis that are shown
constexpr std::size_t kMostFailures = 5;

enum class FigureKind { kTime, kTraffic, kCapacity, kCount };

bool ends_with(const std::string& text, const std::string& ending) {
  return text.size() >= ending.size() &&
         text.compare(text.size() - ending.size(), ending.size(), ending) == 0;
}

FigureKind kind_of(const std::string& figure) {
  if (ends_with(figure, "latency") || ends_with(figure, "time_s")) return FigureKind::kTime;
  if (ends_with(figure, "sram_bytes") || ends_with(figure, "capacity")) {
    return FigureKind::kCapacity;
  }
  return ends_with(figure, "bytes") ? FigureKind::kTraffic : FigureKind::kCount;
}

/// How the values of one figure are written, all in one unit.
class Writer {
 public:
  Writer(const std::string& figure, double largest) : kind_(kind_of(figure)), name_(figure) {
    if (kind_ == FigureKind::kTime) scale_ = time_scale(largest);
    if (kind_ == FigureKind::kTraffic) scale_ = byte_scale(largest);
  }
  std::string header() const {
    const bool scaled = kind_ == FigureKind::kTime || kind_ == FigureKind::kTraffic;
    return scaled ? name_ + " " + scale_.unit : name_;
  }
  std::string text(double value) const {
    if (kind_ == FigureKind::kCapacity) return capacity(value);
    if (kind_ != FigureKind::kCount) return scale_.text(value);
    const auto whole = static_cast<std::int64_t>(value);
    return static_cast<double>(whole) == value ? grouped(whole) : significant(value, 4);
  }
  std::string with_unit(double value) const {
    return kind_ == FigureKind::kTime || kind_ == FigureKind::kTraffic ? scale_.with_unit(value)
                                                                       : text(value);
  }

 private:
  /// Means are rounded.
  static std::string capacity(double value) {
    const auto whole = static_cast<std::int64_t>(value);
    const bool exact = static_cast<double>(whole) == value && whole % 1024 == 0;
    return exact ? capacity_text(whole) : significant(value / 1024, 3) + " KiB";
  }

  FigureKind kind_;
  std::string name_;
  Scale scale_;
};

struct Page {
  const Sweep& sweep;
  const SweepReport& report;
  const TextOptions& options;

  const SweepSpec& spec() const { return sweep.spec(); }
  int width() const { return options.width; }
  std::string heading(const std::string& text) const {
    return options.color ? "\x1b[1m" + text + "\x1b[0m" : text;
  }
  const Choices& choices(const PointRow& row) const {
    return sweep.points()[static_cast<std::size_t>(row.id)];
  }
  std::string label(const PointRow& row, std::size_t axis) const {
    const std::string text = value_label(spec(), choices(row), axis);
    return text.empty() ? "-" : text;
  }
};

std::string head(const Page& page) {
  const SweepReport& report = page.report;
  std::string counts =
      fmt::format("{} of {} points", grouped(static_cast<std::int64_t>(report.rows.size())),
                  grouped(report.head.points));
  std::string text =
      flow("", {page.heading(report.head.sweep), counts, to_string(page.spec().fidelity)},
           page.width()) +
      repeated("─", page.width()) + "\n";
  if (!page.spec().title.empty()) text += wrap(" " + page.spec().title, 1, page.width());
  return text;
}

std::string needs_lines(const Page& page) {
  std::string text;
  for (const Need& need : page.report.needs) {
    text += flow(
        " needs       ",
        {need.requirement + ":",
         fmt::format("at least {} MACs a cycle (the first point has {})",
                     significant(need.macs_per_cycle, 4), significant(need.has_macs_per_cycle, 4)),
         fmt::format("{} GB/s of DRAM ({})", significant(1e-9 * need.bytes_per_second, 3),
                     significant(1e-9 * need.has_bytes_per_second, 3))},
        page.width());
  }
  return text;
}

double largest_objective(const std::vector<const PointRow*>& rows, std::size_t objective) {
  double largest = 0;
  for (const PointRow* row : rows) {
    largest = std::max(largest, row->figures.answers.objectives[objective]);
  }
  return largest;
}

std::string outcome(const Page& page) {
  const SweepReport& report = page.report;
  std::vector<std::string> parts{fmt::format(
      "{} of them meet{} every requirement",
      report.feasible == 0 ? "none" : grouped(report.feasible), report.feasible == 1 ? "s" : "")};
  if (page.spec().require.empty()) {
    parts = {grouped(report.feasible) + " points done"};
  }
  if (report.failed > 0) parts.push_back(grouped(report.failed) + " failed");
  if (!report.front.empty()) {
    parts.push_back(fmt::format("{} on the Pareto front", report.front.size()));
  }
  if (report.hypervolume > 0) {
    parts.push_back("hypervolume " + significant(report.hypervolume, 3));
  }
  return flow(" ", parts, page.width());
}

/// "infeasible": the point that comes nearest, and what it misses.
std::string nearest_line(const Page& page) {
  if (!page.report.nearest) return "";
  const PointRow& row = page.report.rows[*page.report.nearest];
  std::vector<std::string> parts{fmt::format("point {}", row.id)};
  for (std::size_t a = 0; a < page.spec().axes.size(); ++a) {
    parts.push_back(page.spec().axes[a].name + " " + page.label(row, a));
  }
  for (std::size_t r = 0; r < page.spec().require.size(); ++r) {
    const Requirement& requirement = page.spec().require[r];
    const double value = row.figures.answers.requirements[r];
    const double miss = row.figures.answers.misses[r];
    if (miss == 0) continue;
    parts.push_back(fmt::format("misses {}: it is {} ({} off)", requirement.comparison.text,
                                Writer(requirement.figure.text, value).with_unit(value),
                                percent(miss)));
  }
  return flow(" infeasible  nearest: ", parts, page.width());
}

/// Rows of the front by the first objective, else of all rows that are done.
std::vector<const PointRow*> shown_rows(const Page& page) {
  std::vector<const PointRow*> rows;
  const auto& front = page.report.front;
  for (const PointRow& row : page.report.rows) {
    if (std::binary_search(front.begin(), front.end(), row.id)) rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const PointRow* a, const PointRow* b) {
    return a->objectives < b->objectives;
  });
  return rows;
}

bool varies(const Page& page, const std::vector<const PointRow*>& rows, std::size_t axis) {
  return std::any_of(rows.begin(), rows.end(), [&](const PointRow* row) {
    return page.label(*row, axis) != page.label(*rows.front(), axis);
  });
}

void add_figures(const Page& page, const std::vector<const PointRow*>& rows,
                 std::vector<Column>& columns) {
  for (std::size_t o = 0; o < page.spec().objectives.size(); ++o) {
    const Writer writer(page.spec().objectives[o].figure.text, largest_objective(rows, o));
    Column column{writer.header(), Align::kRight, 0, {}};
    for (const PointRow* row : rows) {
      column.cells.push_back(writer.text(row->figures.answers.objectives[o]));
    }
    columns.push_back(std::move(column));
  }
  double slowest = 0, most = 0;
  for (const PointRow* row : rows) {
    slowest = std::max(slowest, row->figures.time_s);
    most = std::max(most, static_cast<double>(row->figures.dram_bytes));
  }
  const Scale time = time_scale(slowest), bytes = byte_scale(most);
  const auto asked = [&](const char* figure) {
    const auto& all = page.spec().objectives;
    return std::any_of(all.begin(), all.end(),
                       [&](const SweepObjective& each) { return each.figure.text == figure; });
  };
  Column latency{"latency " + time.unit, Align::kRight, 1, {}};
  Column dram{"DRAM " + bytes.unit, Align::kRight, 3, {}};
  Column least{"bound " + bytes.unit, Align::kRight, 4, {}};
  Column used{"array", Align::kRight, 2, {}}, limit{"limit", Align::kLeft, 2, {}};
  for (const PointRow* row : rows) {
    latency.cells.push_back(time.text(row->figures.time_s));
    dram.cells.push_back(bytes.text(static_cast<double>(row->figures.dram_bytes)));
    least.cells.push_back(bytes.text(static_cast<double>(row->figures.lower_bound_bytes)));
    used.cells.push_back(percent(row->figures.utilization));
    limit.cells.push_back(row->figures.bound == "compute" ? "array" : row->figures.bound);
  }
  if (!asked("latency")) columns.push_back(std::move(latency));
  if (!asked("dram_bytes")) columns.push_back(std::move(dram));
  columns.push_back(std::move(least));
  columns.push_back(std::move(used));
  columns.push_back(std::move(limit));
}

std::string front_table(const Page& page) {
  std::vector<const PointRow*> rows = shown_rows(page);
  if (rows.empty()) return "";
  const std::size_t all = rows.size();
  if (!page.options.all && all > kMostShown) rows.resize(kMostShown);
  std::vector<Column> columns{{"FRONT: point", Align::kRight, 0, {}}};
  for (const PointRow* row : rows) columns[0].cells.push_back(std::to_string(row->id));
  std::vector<std::string> common;
  for (std::size_t a = 0; a < page.spec().axes.size(); ++a) {
    if (!varies(page, rows, a)) {
      common.push_back(page.spec().axes[a].name + " " + page.label(*rows.front(), a));
      continue;
    }
    Column column{page.spec().axes[a].name, Align::kRight, 0, {}};
    for (const PointRow* row : rows) column.cells.push_back(page.label(*row, a));
    columns.push_back(std::move(column));
  }
  add_figures(page, rows, columns);
  std::string text = table(columns, page.width());
  if (rows.size() < all) text += fmt::format(" ... {} more (--all)\n", all - rows.size());
  if (!common.empty()) text += flow(" all: ", common, page.width());
  return text + "\n";
}

std::string value_with_mean(const Page& page, const Effect& effect, std::size_t value,
                            std::size_t objective) {
  double largest = 0;
  for (const auto& means : effect.means) largest = std::max(largest, means[objective]);
  const Writer writer(page.spec().objectives[objective].figure.text, largest);
  return effect.values[value] + ": " + writer.with_unit(effect.means[value][objective]);
}

/// For each objective the axes by what they explain of it, with the mean at each value.
std::string effects_section(const Page& page) {
  std::string text;
  for (std::size_t o = 0; o < page.spec().objectives.size(); ++o) {
    std::vector<const Effect*> effects;
    for (const Effect& effect : page.report.effects) {
      if (effect.values.size() > 1 && effect.shares[o] > 0) effects.push_back(&effect);
    }
    if (effects.empty()) continue;
    std::stable_sort(effects.begin(), effects.end(),
                     [o](const Effect* a, const Effect* b) { return a->shares[o] > b->shares[o]; });
    text += page.heading(" MEAN " + page.spec().objectives[o].figure.text) +
            "   share of its variance that the axis alone explains\n";
    for (const Effect* effect : effects) {
      std::vector<std::string> parts;
      const std::size_t count = effect->values.size();
      for (std::size_t v = 0; v < count; ++v) {
        const bool skipped = count > kMostEffects && v >= kMostEffects - 1 && v + 1 < count;
        if (!skipped) parts.push_back(value_with_mean(page, *effect, v, o));
        if (skipped && v == kMostEffects - 1) parts.emplace_back("...");
      }
      const std::string label =
          pad_right(effect->axis, 14) + pad_left(percent(effect->shares[o]), 8) + "   ";
      text += flow("   " + label, parts, page.width());
    }
  }
  return text.empty() ? text : text + "\n";
}

/// "weights of Attn_Q, Attn_K (11 of 12)": knees of one kind at one size, and in how many
/// combinations of the other axes they lie somewhere on the axis.
std::vector<std::string> knee_parts(const Page& page, const std::vector<const Knee*>& knees) {
  const bool one_phase = page.sweep.first().phases.size() == 1;
  std::vector<std::string> order;
  std::map<std::string, std::string> operators, suffixes;
  for (const Knee* knee : knees) {
    const std::size_t space = knee->operand.find(' ');
    std::string name = knee->operand.substr(0, space);
    if (one_phase) name = name.substr(name.find('.') + 1);
    const std::string kind = knee->operand.substr(space + 1);
    const std::string suffix = knee->combinations < knee->of
                                   ? fmt::format(" ({} of {})", knee->combinations, knee->of)
                                   : "";
    const std::string group = kind + suffix;
    if (operators.count(group) == 0) order.push_back(group);
    std::string& names = operators[group];
    if (names.empty()) names = kind + " of ";
    names += (names.size() > kind.size() + 4 ? ", " : "") + name;
    suffixes[group] = suffix;
  }
  std::vector<std::string> parts;
  for (const std::string& group : order) parts.push_back(operators[group] + suffixes[group]);
  return parts;
}

std::string knees_section(const Page& page) {
  if (page.report.knees.empty()) return "";
  std::string text =
      page.heading(" ON CHIP") + "   the smallest size from which an operand moves once\n";
  std::vector<std::string> order;
  std::map<std::string, std::vector<const Knee*>> at_size;
  for (const Knee& knee : page.report.knees) {
    const std::string at = knee.axis + " " + knee.value;
    if (at_size.count(at) == 0) order.push_back(at);
    at_size[at].push_back(&knee);
  }
  for (const std::string& at : order) {
    text += flow("   " + pad_right(at, 20) + " ", knee_parts(page, at_size[at]), page.width());
  }
  return text + "\n";
}

std::string judgement_section(const Page& page) {
  if (!page.report.judgement) return "";
  const Judgement& j = *page.report.judgement;
  std::string text = flow(
      " estimates   ",
      {fmt::format("{} points simulated", grouped(j.simulated)),
       fmt::format("{} out of reach by their bounds", grouped(j.selection.out_of_reach)),
       fmt::format("{} left out: estimated far from the front", grouped(j.selection.left_out))},
      page.width());
  return text + flow("             ",
                     {fmt::format("{} of {} on the estimated front are not on the front",
                                  j.not_on_front, j.selection.front.size()),
                      fmt::format("{} on the front were not on the estimated one", j.missed),
                      fmt::format("{} requirements misjudged", j.wrong_feasible),
                      fmt::format("time off by {} on average, {} at most", percent(j.mean_error),
                                  percent(j.largest_error))},
                     page.width());
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string failures_section(const Page& page) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::int64_t>> by_reason;
  for (const PointRow& row : page.report.rows) {
    if (row.done()) continue;
    const std::string reason = first_line(row.failure);
    if (by_reason.count(reason) == 0) order.push_back(reason);
    by_reason[reason].push_back(row.id);
  }
  if (order.empty()) return "";
  std::string text = page.heading(" FAILED") + "\n";
  for (std::size_t i = 0; i < std::min(order.size(), kMostFailures); ++i) {
    const auto& ids = by_reason[order[i]];
    text += wrap(fmt::format("   {} point{} (first {}): {}", ids.size(), ids.size() > 1 ? "s" : "",
                             ids.front(), order[i]),
                 6, page.width());
  }
  if (order.size() > kMostFailures) {
    text += fmt::format("   ... {} more reasons\n", order.size() - kMostFailures);
  }
  return text + "\n";
}

}  // namespace

std::string sweep_text(const Sweep& sweep, const SweepReport& report, const TextOptions& options) {
  const Page page{sweep, report, options};
  std::string text = head(page) + outcome(page) + nearest_line(page) + needs_lines(page) +
                     judgement_section(page) + "\n";
  text += front_table(page) + effects_section(page) + knees_section(page) + failures_section(page);
  while (ends_with(text, "\n\n")) text.pop_back();
  return text;
}

}  // namespace tessera::sim
