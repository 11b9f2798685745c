#include <map>

#include "sim/expressions/lexer.h"
#include "sim/expressions/node.h"

namespace tessera::sim::expressions {
namespace {

constexpr int kDeepest = 50;

using NodePointer = std::shared_ptr<const Node>;

NodePointer operation(NodeKind kind, std::size_t column, NodePointer left, NodePointer right) {
  auto node = std::make_shared<Node>();
  node->kind = kind;
  node->column = column;
  node->left = std::move(left);
  node->right = std::move(right);
  return node;
}

const std::map<std::string, Relation>& relations() {
  static const std::map<std::string, Relation> all{
      {"<", Relation::kLess},     {"<=", Relation::kAtMost}, {">", Relation::kMore},
      {">=", Relation::kAtLeast}, {"==", Relation::kEqual},  {"!=", Relation::kDifferent}};
  return all;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), tokens_(tokens_of(text)) {}

  Expression whole_expression() {
    Expression parsed(sum());
    expect_end();
    return parsed;
  }

  Comparison whole_comparison() {
    Expression left(sum());
    if (relations().count(token().text) == 0 || token().kind != TokenKind::kSymbol) {
      throw ExpressionError(token().column, "a comparison is missing",
                            "write latency <= 30 ms; allowed: <, <=, >, >=, ==, !=");
    }
    return rest(std::string(text_), left);
  }

  Comparison whole_condition(const std::string& name, const Expression& left) {
    const bool compares = token().kind == TokenKind::kSymbol && relations().count(token().text) > 0;
    return rest(name + (compares ? " " : " == ") + std::string(text_), left);
  }

 private:
  const Token& token() const { return tokens_[at_]; }
  bool is_symbol(const char* symbol) const {
    return token().kind == TokenKind::kSymbol && token().text == symbol;
  }
  bool take(const char* symbol) {
    if (!is_symbol(symbol)) return false;
    ++at_;
    return true;
  }

  [[noreturn]] void unexpected() const {
    if (token().kind == TokenKind::kEnd) {
      throw ExpressionError(token().column, "a value is missing at the end");
    }
    throw ExpressionError(token().column, "a value is missing here");
  }

  void expect_end() const {
    if (token().kind == TokenKind::kEnd) return;
    if (is_symbol("within")) {
      throw ExpressionError(token().column, "'within' belongs behind '=='");
    }
    if (token().kind == TokenKind::kSymbol && relations().count(token().text) > 0) {
      throw ExpressionError(token().column, "'" + token().text + "' compares, a value is wanted");
    }
    throw ExpressionError(token().column, "an operator is missing here",
                          "allowed: +, -, *, /, or the end");
  }

  Comparison rest(std::string text, const Expression& left) {
    Relation relation = Relation::kEqual;
    const auto named = relations().find(token().text);
    if (token().kind == TokenKind::kSymbol && named != relations().end()) {
      relation = named->second;
      ++at_;
    }
    Comparison comparison{std::move(text), left, relation, Expression(sum()), std::nullopt};
    if (relation == Relation::kEqual && take("within")) comparison.within = Expression(sum());
    expect_one_comparison();
    expect_end();
    return comparison;
  }

  void expect_one_comparison() const {
    if (token().kind != TokenKind::kSymbol || relations().count(token().text) == 0) return;
    throw ExpressionError(token().column, "a second '" + token().text + "'",
                          "write two comparisons");
  }

  NodePointer sum() {
    NodePointer left = product();
    while (is_symbol("+") || is_symbol("-")) {
      const NodeKind kind = is_symbol("+") ? NodeKind::kAdd : NodeKind::kSubtract;
      const std::size_t column = token().column;
      ++at_;
      left = operation(kind, column, left, product());
    }
    return left;
  }

  NodePointer product() {
    NodePointer left = factor();
    while (is_symbol("*") || is_symbol("/")) {
      const NodeKind kind = is_symbol("*") ? NodeKind::kMultiply : NodeKind::kDivide;
      const std::size_t column = token().column;
      ++at_;
      left = operation(kind, column, left, factor());
    }
    return left;
  }

  NodePointer factor() {
    const std::size_t column = token().column;
    if (++depth_ > kDeepest) throw ExpressionError(column, "nested too deeply");
    NodePointer found;
    if (take("-")) {
      found = operation(NodeKind::kNegate, column, factor(), nullptr);
    } else if (take("(")) {
      found = sum();
      if (!take(")")) throw ExpressionError(token().column, "a ')' is missing");
    } else {
      found = leaf();
    }
    --depth_;
    return found;
  }

  NodePointer leaf() {
    const Token& here = token();
    auto node = std::make_shared<Node>();
    node->column = here.column;
    if (here.kind == TokenKind::kPath) {
      node->kind = NodeKind::kPath;
      node->path = here.path;
    } else if (here.kind == TokenKind::kNumber) {
      node->literal = here.datum;
    } else if (here.kind == TokenKind::kWord) {
      node->literal = word_of(here.text);
    } else {
      unexpected();
    }
    ++at_;
    return node;
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

void collect_paths(const Node& node, std::vector<Path>& paths) {
  if (node.kind == NodeKind::kPath) paths.push_back(node.path);
  if (node.left) collect_paths(*node.left, paths);
  if (node.right) collect_paths(*node.right, paths);
}

}  // namespace

std::vector<Path> Expression::paths() const {
  std::vector<Path> all;
  collect_paths(*root_, all);
  return all;
}

const char* to_string(Relation relation) {
  for (const auto& [name, each] : relations()) {
    if (each == relation) return name.c_str();
  }
  return "?";
}

Expression parse_expression(std::string_view text) { return Parser(text).whole_expression(); }

Comparison parse_comparison(std::string_view text) { return Parser(text).whole_comparison(); }

Comparison parse_condition(const std::string& name, const Expression& left, std::string_view text) {
  return Parser(text).whole_condition(name, left);
}

}  // namespace tessera::sim::expressions
