#include "sim/cli/options.h"

#include <algorithm>
#include <sstream>

#include <boost/program_options.hpp>

#include "sim/dram/traffic.h"

namespace tessera::sim {
namespace {

namespace po = boost::program_options;
using namespace std::string_literals;

/// A verb and what it accepts.
struct Verb {
  std::string name, summary, usage;
  std::vector<std::string> formats;
  std::size_t least_subjects, most_subjects;
  std::string subject;             // what is missing, in messages
  std::vector<std::string> kinds;  // the only subjects; empty: any
};

const std::vector<Verb>& verbs() {
  static const std::string run_subject = "a run: a name (tessera list runs), a file, or -";
  static const std::vector<Verb> all{{"run",
                                      "simulate a run and report cycles, limits and traffic",
                                      "SUBJECT [options]",
                                      {"text", "json", "csv"},
                                      1,
                                      1,
                                      run_subject,
                                      {}},
                                     {"describe",
                                      "print a stage of a run without simulating it",
                                      "SUBJECT [--stage graph|plan|program] [options]",
                                      {"text", "json", "csv", "yaml"},
                                      1,
                                      1,
                                      run_subject,
                                      {}},
                                     {"compare",
                                      "what changed between two runs or reports",
                                      "A B [options] | A --set KEY=VALUE [options]",
                                      {"text", "json"},
                                      1,
                                      2,
                                      "two of: report.json files, runs; or one run and --set",
                                      {}},
                                     {"check",
                                      "decide whether a run's program computes the right thing",
                                      "SUBJECT [options]",
                                      {"text", "json"},
                                      1,
                                      1,
                                      run_subject,
                                      {}},
                                     {"list",
                                      "configurations on the search path",
                                      "hardware|models|runs [options]",
                                      {"text", "json"},
                                      1,
                                      1,
                                      "hardware, models or runs",
                                      {"hardware", "models", "runs"}},
                                     {"schema",
                                      "JSON Schema of a configuration file or of report.json",
                                      "run|hardware|model|report",
                                      {"json"},
                                      1,
                                      1,
                                      "run, hardware, model or report",
                                      {"run", "hardware", "model", "report"}},
                                     {"import",
                                      "a model of another format as a model file",
                                      "hf CONFIG.json | onnx MODEL.onnx [options]",
                                      {"yaml"},
                                      2,
                                      2,
                                      "a format and a file: hf CONFIG.json or onnx MODEL.onnx",
                                      {"hf", "onnx"}},
                                     {"gemm",
                                      "one matrix product, without a workload file",
                                      "MxKxN --hardware NAME|FILE [options]",
                                      {"text", "json"},
                                      1,
                                      1,
                                      "a product: MxKxN, for example 64x256x96",
                                      {}},
                                     {"dram",
                                      "one access pattern on a machine's DRAM alone",
                                      "PATTERN --hardware NAME|FILE [options]",
                                      {"text", "json", "csv"},
                                      1,
                                      1,
                                      "a pattern, for example seq_rd_4194304",
                                      {}},
                                     {"validate",
                                      "rerun the reference engines' products and show the errors",
                                      "[options]",
                                      {"text", "json", "markdown"},
                                      0,
                                      0,
                                      "no subject",
                                      {}}};
  return all;
}

std::vector<std::string> verb_names() {
  std::vector<std::string> names;
  for (const Verb& verb : verbs()) names.push_back(verb.name);
  return names;
}

std::string joined(const std::vector<std::string>& words, const std::string& separator) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string near = nearest(word, candidates);
  return near.empty() ? "" : "; did you mean '" + near + "'?";
}

const Verb& find_verb(const std::string& name) {
  for (const Verb& verb : verbs()) {
    if (verb.name == name) return verb;
  }
  throw UsageError("unknown verb '" + name + "'" + suggestion(name, verb_names()) +
                   "\nverbs: " + joined(verb_names(), ", ") + " (tessera --help)");
}

void add_gemm_options(po::options_description& options, CommandLine& line) {
  auto add = options.add_options();
  add("hardware", po::value(&line.hardware)->composing()->value_name("NAME"),
      "the machine: a name (tessera list hardware) or a file");
  add("dataflow", po::value(&line.dataflow)->value_name("FLOW"),
      "weight_stationary (ws) | output_stationary (os) | input_stationary (is); default: the "
      "mapper's choice, resident: the array's first");
  add("precision", po::value(&line.precision)->value_name("PAIR"),
      "widths of weights and activations (default: w8a8)");
  add("resident", po::bool_switch(&line.resident),
      "operands start in the scratchpads, the result stays in the accumulators");
  add("accumulate", po::bool_switch(&line.accumulate),
      "add to what the accumulators hold (with --resident)");
  add("fidelity", po::value(&line.fidelity)->value_name("FIDELITY"),
      "transaction | pe (PE by PE, with numbers; implies --resident) | analytical (default: "
      "transaction)");
}

void add_dram_options(po::options_description& options, CommandLine& line) {
  auto add = options.add_options();
  add("hardware", po::value(&line.hardware)->composing()->value_name("NAME"),
      "the machine: a name (tessera list hardware) or a file, with dram.model timing");
  add("outstanding", po::value(&line.outstanding)->value_name("N"),
      "reads, and writes, that the requester has outstanding per channel (default: 32)");
  add("offers", po::value(&line.offers)->value_name("N"),
      "bursts it offers per DRAM clock, over all channels (default: 2 per command bus)");
}

void add_validate_options(po::options_description& options, CommandLine& line) {
  auto add = options.add_options();
  add("reference", po::value(&line.references)->composing()->value_name("FILE"),
      "figures to compare with, CSV; may be repeated (default: the ones that ship)");
  add("hardware", po::value(&line.hardware)->composing()->value_name("ENGINE=NAME"),
      "run the engines that match ENGINE on this machine; may be repeated");
  add("engine", po::value(&line.engine)->value_name("PATTERN"), "only engines that match");
  add("all", po::bool_switch(&line.all), "every row");
}

void add_import_options(po::options_description& options, CommandLine& line) {
  auto add = options.add_options();
  add("output", po::value(&line.output)->value_name("FILE"),
      "where the model file goes, also -o FILE (default: standard output)");
  add("vlm", po::value(&line.vlm)->value_name("FILE"),
      "hf: config.json of SmolVLA's vlm_model_name (default: a known one)");
  add("part", po::value(&line.part)->value_name("PART"),
      "hf: vision | text, that part of a model of several (default: all)");
  add("image-size", po::value(&line.image_size)->value_name("N"),
      "hf: run the image encoder at N x N pixels (default: the config's)");
  add("bind", po::value(&line.binds)->composing()->value_name("SYMBOL=SIZE"),
      "onnx: the size of a symbolic dimension, e.g. batch=1; may be repeated");
  add("allow-unknown", po::bool_switch(&line.allow_unknown),
      "onnx: cost what has no cost model as one elementwise pass over its first input");
  add("title", po::value(&line.title)->value_name("TEXT"),
      "onnx: for the head of a report (default: the file's name)");
}

void add_check_options(po::options_description& options, CommandLine& line) {
  auto add = options.add_options();
  add("max-macs", po::value(&line.max_macs)->value_name("N"),
      "compute values for runs of at most N MACs (default: 2000000000)");
  add("orders", po::value(&line.orders)->value_name("N"),
      "compute them in N legal orders besides program order (default: 2)");
  add("numbers", po::value(&line.numbers)->value_name("KIND"),
      "what 16-bit elements are: integer | bf16 | fp16 (default: integer)");
}

po::options_description visible_options(const Verb& verb, CommandLine& line) {
  po::options_description options("Options");
  auto add = options.add_options();
  if (verb.formats.size() > 1) {
    add("format", po::value(&line.format)->value_name("FORMAT"),
        (joined(verb.formats, " | ") + " (default: text)").c_str());
  }
  if (verb.name == "check") add_check_options(options, line);
  if (verb.name == "import") add_import_options(options, line);
  if (verb.name == "gemm") add_gemm_options(options, line);
  if (verb.name == "dram") add_dram_options(options, line);
  if (verb.name == "validate") add_validate_options(options, line);
  if (verb.name == "run" || verb.name == "describe" || verb.name == "compare" ||
      verb.name == "check" || verb.name == "gemm" || verb.name == "dram") {
    add("set", po::value(&line.sets)->composing()->value_name("KEY=VALUE"),
        "change the resolved configuration, e.g. hardware.dram.channels=2; may be repeated");
  }
  if (verb.name == "describe") {
    add("stage", po::value(&line.stage)->value_name("STAGE"),
        "graph | plan | program (default: plan)");
  }
  if (verb.name == "run") {
    add("out", po::value(&line.out)->value_name("DIR"),
        "also write report.txt, report.json, report.csv and host.json to DIR");
    add("what-if", po::bool_switch(&line.what_if),
        "simulate what would help: each line is a run of its own");
  }
  if (verb.name != "list" && verb.name != "schema" && verb.name != "import") {
    add("width", po::value(&line.width)->value_name("N"),
        "columns of the text, 80 to 160 (default: the terminal's, else 100)");
  }
  if (verb.name == "run" || verb.name == "compare") {
    add("all", po::bool_switch(&line.all), "every operator and layer, not the largest only");
  }
  add("help", po::bool_switch(&line.help), "this text");
  return options;
}

std::vector<std::string> option_names(const Verb& verb) {
  CommandLine unused;
  const po::options_description visible = visible_options(verb, unused);
  std::vector<std::string> names;
  for (const auto& option : visible.options()) names.push_back("--" + option->long_name());
  return names;
}

void check_format(const Verb& verb, CommandLine& line) {
  if (verb.formats.size() == 1) line.format = verb.formats.front();
  if (std::find(verb.formats.begin(), verb.formats.end(), line.format) == verb.formats.end()) {
    throw UsageError("--format '" + line.format + "': '" + verb.name + "' prints " +
                     joined(verb.formats, ", ") + suggestion(line.format, verb.formats));
  }
  const std::vector<std::string> stages{"graph", "plan", "program"};
  if (std::find(stages.begin(), stages.end(), line.stage) == stages.end()) {
    throw UsageError("--stage '" + line.stage + "': stages are " + joined(stages, ", ") +
                     suggestion(line.stage, stages));
  }
}

void check_compared(const Verb& verb, const CommandLine& line) {
  const auto& subjects = line.subjects;
  if (subjects.size() == 1 && line.sets.empty()) {
    throw UsageError("'tessera compare' needs " + verb.subject);
  }
  if (subjects.size() == 2 && !line.sets.empty()) {
    throw UsageError("'tessera compare A --set ...' changes A: leave out '" + subjects[1] +
                     "' or --set");
  }
  if (subjects.front() == "-" && subjects.back() == "-") {
    throw UsageError("standard input is read once: give 'tessera compare' a file, not '-', for " +
                     std::string(subjects.size() == 1 ? "A" : "A or B"));
  }
}

void check_subjects(const Verb& verb, const CommandLine& line) {
  for (const auto& word : line.subjects) {
    if (word.size() > 1 && word.front() == '-') {
      throw UsageError("unknown option '" + word + "' (tessera " + verb.name + " --help)");
    }
  }
  if (line.subjects.size() < verb.least_subjects) {
    throw UsageError("'tessera " + verb.name + "' needs " + verb.subject);
  }
  if (line.subjects.size() > verb.most_subjects) {
    const std::string most =
        verb.most_subjects == 0 ? verb.subject : std::to_string(verb.most_subjects);
    throw UsageError("'tessera " + verb.name + "' takes " + most + ": what is '" +
                     line.subjects[verb.most_subjects] + "'?");
  }
  const auto& kinds = verb.kinds;
  if (kinds.empty()) return verb.name == "compare" ? check_compared(verb, line) : void();
  const std::string& subject = line.subjects[0];
  if (std::find(kinds.begin(), kinds.end(), subject) == kinds.end()) {
    throw UsageError("'tessera " + verb.name + "' needs " + verb.subject + ", not '" + subject +
                     "'" + suggestion(subject, kinds));
  }
}

void check_check(const CommandLine& line) {
  const std::vector<std::string> kinds{"integer", "bf16", "fp16"};
  if (std::find(kinds.begin(), kinds.end(), line.numbers) == kinds.end()) {
    throw UsageError("--numbers '" + line.numbers + "': 16-bit elements are " +
                     joined(kinds, ", ") + suggestion(line.numbers, kinds));
  }
  if (line.max_macs < 0) throw UsageError("--max-macs must not be negative");
  if (line.orders < 0) throw UsageError("--orders must not be negative");
}

void check_import(const po::variables_map& values, const CommandLine& line) {
  const std::vector<std::string> parts{"vision", "text"};
  if (values.count("part") > 0 && std::find(parts.begin(), parts.end(), line.part) == parts.end()) {
    throw UsageError("--part '" + line.part + "': parts are " + joined(parts, ", ") +
                     suggestion(line.part, parts));
  }
  if (values.count("image-size") > 0 && (line.image_size < 1 || line.image_size > 16'384)) {
    throw UsageError("--image-size " + std::to_string(line.image_size) +
                     " is not allowed (1 .. 16384)");
  }
  for (const char* option : {"output", "vlm"}) {
    if (values.count(option) > 0 && values[option].as<std::string>().empty()) {
      throw UsageError("--" + std::string(option) + " needs a file");
    }
  }
}

void check_width(const po::variables_map& values, int width) {
  if (values.count("width") == 0) return;
  if (width >= kLeastWidth && width <= kMostWidth) return;
  throw UsageError("--width " + std::to_string(width) + " is not allowed (" +
                   std::to_string(kLeastWidth) + " .. " + std::to_string(kMostWidth) + ")");
}

void check_offers(const po::variables_map& values, int offers) {
  if (values.count("offers") == 0 || offers != 0) return;
  throw UsageError("--offers 0 is not allowed: nothing would move");
}

void check_out(const Verb& verb, const po::variables_map& values) {
  if (verb.name == "run" && values.count("out") > 0 && values["out"].as<std::string>().empty()) {
    throw UsageError("--out needs a directory");
  }
}

/// Long options only: a lone `-` is a subject.
void parse_words(const Verb& verb, std::vector<std::string> words, CommandLine& line) {
  if (verb.name == "import") std::replace(words.begin(), words.end(), "-o"s, "--output"s);
  po::options_description all;
  all.add(visible_options(verb, line));
  all.add_options()("subject", po::value(&line.subjects));
  po::positional_options_description positional;
  positional.add("subject", -1);
  namespace style = po::command_line_style;
  const int form = style::allow_long | style::long_allow_adjacent | style::long_allow_next;
  po::variables_map values;
  po::store(po::command_line_parser(words).options(all).positional(positional).style(form).run(),
            values);
  po::notify(values);
  check_out(verb, values);
  check_width(values, line.width);
  if (verb.name == "import") check_import(values, line);
  check_offers(values, line.offers);
}

int edit_distance(const std::string& a, const std::string& b) {
  std::vector<int> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

std::string program_help() {
  std::string text =
      "tessera: cycles, limits and what would change them, of transformers on an NPU\n\n"
      "  tessera VERB SUBJECT [--options]\n\nVerbs\n";
  for (const Verb& verb : verbs()) {
    text += "  " + verb.name + std::string(11 - verb.name.size(), ' ') + verb.summary + "\n";
  }
  return text +
         "\n  tessera VERB --help   options of a verb\n"
         "  tessera --version     version of the program and of its timing model\n\n"
         "Exit codes: 0 done, 1 a check or an expectation failed or a target of `validate` is "
         "missed,\n"
         "2 usage or configuration error, 3 internal error.\n";
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  int least = 2 + static_cast<int>(word.size()) / 3;
  for (const auto& candidate : candidates) {
    const bool begins = !word.empty() && candidate.compare(0, word.size(), word) == 0;
    const int distance = begins ? 0 : edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string help_text(const std::string& name) {
  if (name.empty()) return program_help();
  const Verb& verb = find_verb(name);
  CommandLine unused;
  std::ostringstream text;
  text << "tessera " << verb.name << " " << verb.usage << "\n\n  " << verb.summary << "\n\n";
  if (verb.name == "dram") text << "Patterns\n" << traffic_forms() << "\n";
  text << visible_options(verb, unused);
  return text.str();
}

CommandLine parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (words.empty() || words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    line.help = true;
    if (words.size() > 1) line.verb = find_verb(words[1]).name;
    return line;
  }
  if (words[0] == "--version") {
    line.version = true;
    return line;
  }
  const Verb& verb = find_verb(words[0]);
  line.verb = verb.name;
  words.erase(words.begin());
  try {
    parse_words(verb, words, line);
  } catch (const po::unknown_option& error) {
    throw UsageError("unknown option '" + error.get_option_name() + "'" +
                     suggestion(error.get_option_name(), option_names(verb)) + " (tessera " +
                     verb.name + " --help)");
  } catch (const po::error& error) {
    throw UsageError(std::string(error.what()) + " (tessera " + verb.name + " --help)");
  }
  if (line.help) return line;
  check_format(verb, line);
  check_subjects(verb, line);
  check_check(line);
  return line;
}

}  // namespace tessera::sim
