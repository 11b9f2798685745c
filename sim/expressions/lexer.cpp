#include "sim/expressions/lexer.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

#include "sim/config/codecs.h"

namespace tessera::sim::expressions {
namespace {

constexpr std::size_t kLongest = 1000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_key_character(char c) { return is_letter(c) || is_digit(c); }

Dimension dimension_of(config::Measure measure) {
  switch (measure) {
    case config::Measure::kBytes:
      return {0, 1, 0, 0};
    case config::Measure::kFrequency:
      return {-1, 0, 1, 0};
    case config::Measure::kBandwidth:
      return {-1, 1, 0, 0};
    case config::Measure::kTime:
      return {1, 0, 0, 0};
    case config::Measure::kCycles:
      return {0, 0, 1, 0};
    case config::Measure::kEnergy:
      return {0, 0, 0, 1};
    case config::Measure::kPower:
      return {-1, 0, 0, 1};
  }
  return {};
}

/// Base units of expressions per base unit of configurations; as a divisor, which stays exact.
double divisor_of(config::Measure measure) {
  const bool femto = measure == config::Measure::kTime || measure == config::Measure::kEnergy;
  return femto ? 1e15 : measure == config::Measure::kPower ? 1e6 : 1.0;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    if (text_.size() > kLongest) throw ExpressionError(0, "longer than 1000 characters");
    while (true) {
      skip_spaces();
      begin_ = at_;
      if (at_ == text_.size()) {
        add(TokenKind::kEnd, "");
        return std::move(tokens_);
      }
      next_token();
    }
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }
  Token& add(TokenKind kind, std::string text) {
    tokens_.emplace_back();
    tokens_.back().kind = kind;
    tokens_.back().column = begin_;
    tokens_.back().text = std::move(text);
    return tokens_.back();
  }

  void next_token() {
    if (is_digit(peek())) return number();
    if (is_letter(peek()) || peek() == '"') return path();
    if (peek() == '\'') return word();
    symbol();
  }

  void symbol() {
    static constexpr std::array<const char*, 12> kSymbols{"<=", ">=", "==", "!=", "<", ">",
                                                          "(",  ")",  "+",  "-",  "*", "/"};
    for (const char* const known : kSymbols) {
      const std::string_view candidate = known;
      if (text_.substr(at_, candidate.size()) != candidate) continue;
      at_ += candidate.size();
      add(TokenKind::kSymbol, known);
      return;
    }
    const std::string shown(1, peek());
    throw ExpressionError(at_, "'" + shown + "' has no meaning here",
                          peek() == '=' ? "did you mean '=='?" : "");
  }

  void word() {
    const std::size_t end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos) throw ExpressionError(at_, "the quote is not closed");
    const std::string inner(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    add(TokenKind::kWord, inner);
  }

  std::string_view digits() {
    const std::size_t first = at_;
    while (is_digit(peek())) ++at_;
    return text_.substr(first, at_ - first);
  }

  /// digits[.digits][e[+-]digits]; true when there is an exponent.
  bool scan_number() {
    digits();
    if (peek() == '.' && is_digit(peek(1))) {
      ++at_;
      digits();
    }
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((peek() != 'e' && peek() != 'E') || !is_digit(peek(1 + sign))) return false;
    at_ += 1 + sign;
    digits();
    return true;
  }

  void number() {
    const bool has_exponent = scan_number();
    const std::string digits_text(text_.substr(begin_, at_ - begin_));
    double plain = 0;
    const auto [end, error] =
        std::from_chars(digits_text.data(), digits_text.data() + digits_text.size(), plain);
    if (error != std::errc() || !std::isfinite(plain)) {
      throw ExpressionError(begin_, digits_text + " is out of range");
    }
    const std::size_t after = at_;
    skip_spaces();
    if (peek() == '%') {
      ++at_;
      Datum& datum = add(TokenKind::kNumber, "").datum;
      datum = bare(plain / 100);
      datum.percent = true;
    } else if (is_letter(peek()) && !is_keyword_ahead()) {
      with_unit(digits_text, has_exponent);
    } else {
      at_ = after;
      add(TokenKind::kNumber, "").datum = bare(plain);
    }
  }

  static Datum bare(double number) {
    Datum datum = number_of(number);
    datum.bare = true;
    return datum;
  }

  bool is_keyword_ahead() const {
    const std::string_view keyword = "within";
    return text_.substr(at_, keyword.size()) == keyword && !is_key_character(peek(keyword.size()));
  }

  /// Letters, and `/s` right behind them.
  std::string scan_unit() {
    const std::size_t first = at_;
    while (is_key_character(peek()) || static_cast<unsigned char>(peek()) >= 0x80) ++at_;
    if (peek() == '/' && peek(1) == 's' && !is_key_character(peek(2))) at_ += 2;
    return std::string(text_.substr(first, at_ - first));
  }

  void with_unit(const std::string& digits_text, bool has_exponent) {
    const std::size_t unit_column = at_;
    const std::string unit = scan_unit();
    const auto measured = config::read_quantity((has_exponent ? "1" : digits_text) + " " + unit);
    if (!measured) {
      throw ExpressionError(unit_column, "'" + unit + "' is not a unit", config::unit_hint(unit));
    }
    if (has_exponent) {
      throw ExpressionError(begin_, digits_text + " with an exponent takes no unit",
                            "write it in full: 1500000 B");
    }
    add(TokenKind::kNumber, "").datum = number_of(measured->amount / divisor_of(measured->measure),
                                                  dimension_of(measured->measure));
  }

  /// Keys with dots between them; the word `within`.
  void path() {
    if (is_keyword_ahead()) {
      at_ += 6;
      add(TokenKind::kSymbol, "within");
      return;
    }
    Path steps{key()};
    while (peek() == '.') {
      ++at_;
      steps.push_back(key());
    }
    const std::string only = steps.size() == 1 ? steps[0].name : "";
    if (only == "true" || only == "false") {
      add(TokenKind::kWord, only);
      return;
    }
    check_stars(steps);
    add(TokenKind::kPath, "").path = std::move(steps);
  }

  /// A star inside a path is part of an operator pattern.
  static void check_stars(const Path& steps) {
    bool in_operators = false;
    for (const PathStep& step : steps) {
      const std::size_t star = step.name.find('*');
      const bool is_last = &step == &steps.back();
      if (star != std::string::npos && (!in_operators || is_last)) {
        throw ExpressionError(step.column + star, "'*' inside a path is no multiplication",
                              "write spaces around it");
      }
      in_operators = in_operators || step.name == "operators";
    }
  }

  PathStep key() {
    PathStep step{"", at_};
    if (peek() == '"') {
      const std::size_t end = text_.find('"', at_ + 1);
      if (end == std::string_view::npos) throw ExpressionError(at_, "the quote is not closed");
      step.name = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
    } else {
      // The first key takes no star: `latency*2` multiplies.
      const bool first = at_ == begin_;
      while (is_key_character(peek()) || (peek() == '*' && !first)) ++at_;
      step.name = text_.substr(step.column, at_ - step.column);
    }
    if (step.name.empty()) throw ExpressionError(at_, "a key is missing: write path.to.figure");
    return step;
  }

  std::string_view text_;
  std::size_t at_ = 0, begin_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view text) { return Lexer(text).run(); }

}  // namespace tessera::sim::expressions
