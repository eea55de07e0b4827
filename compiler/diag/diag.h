// Diagnostics: what is wrong, exactly where, and how to mend it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/diag/kinds.h"
#include "compiler/source/source.h"

namespace sgl::compiler {

struct Label {
  SourceRange range;
  std::string text;  // "declared here"
};

struct Diagnostic {
  DiagKind kind;
  SourceRange range;
  std::string message;        // one sentence, no full stop
  std::vector<Label> labels;  // related places
  std::string help;           // how to mend it, "" when there is nothing to say

  bool is_error() const { return diag_info(kind).code.front() == 'E'; }
  Diagnostic& label(SourceRange where, std::string text) {
    labels.push_back({where, std::move(text)});
    return *this;
  }
  Diagnostic& suggest(std::string text) {
    help = std::move(text);
    return *this;
  }
};

// Collects the diagnostics of one compilation. Stops collecting errors at kMaxErrors: what follows a hundred mistakes
// is noise.
class Diagnostics {
 public:
  static constexpr std::size_t kMaxErrors = 100;
  // The reference is valid until the next call.
  Diagnostic& add(DiagKind kind, SourceRange range, std::string message);
  bool has_errors() const { return errors_ > 0; }
  std::size_t errors() const { return errors_; }
  // In order of file and position.
  std::vector<Diagnostic> sorted() const;

 private:
  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
  Diagnostic overflow_{};
};

// For people:
//   judge.sgl:12:7: error[E0101]: unknown name 'esay'
//     12 |   user "{esay}"
//        |          ^^^^ did you mean 'essay'?
// `color` adds ANSI colours.
std::string render_text(const SourceSet& sources, const std::vector<Diagnostic>& diagnostics, bool color);

// For editors: one object per line {"code", "severity", "message", "file", "line", "column", "end_line", "end_column",
// "begin", "end" (bytes), "help", "related": […]}; lines and columns from 1.
std::string render_json(const SourceSet& sources, const std::vector<Diagnostic>& diagnostics);

// "did you mean 'x'?" with the nearest candidate (base/names.h), or "".
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace sgl::compiler
