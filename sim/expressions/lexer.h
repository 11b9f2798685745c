// The words of an expression.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sim/expressions/expression.h"

namespace tessera::sim::expressions {

enum class TokenKind { kNumber, kPath, kWord, kSymbol, kEnd };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::size_t column = 0;
  std::string text;  // symbols: "<=", "(", "within"; words: without quotes
  Datum datum;       // numbers
  Path path;
};

/// Ends with kEnd. Throws ExpressionError.
std::vector<Token> tokens_of(std::string_view text);

}  // namespace tessera::sim::expressions
