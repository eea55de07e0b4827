// Where the stages of the parser report mistakes: one file's diagnostics, by byte offset.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "compiler/diag/diag.h"

namespace sgl::compiler::parsing {

class Reporter {
 public:
  Reporter(FileId file, std::string_view text, Diagnostics& diagnostics)
      : file_(file), text_(text), diagnostics_(diagnostics) {}

  std::string_view source() const { return text_; }
  SourceRange range(std::uint32_t begin, std::uint32_t end) const { return {file_, begin, end}; }
  std::string_view text(std::uint32_t begin, std::uint32_t end) const {
    if (begin >= end || end > text_.size()) return {};
    return text_.substr(begin, end - begin);
  }

  Diagnostic& add(DiagKind kind, std::uint32_t begin, std::uint32_t end, std::string message) {
    places_.insert(begin);
    return diagnostics_.add(kind, range(begin, end), std::move(message));
  }
  Diagnostic& add(DiagKind kind, SourceRange where, std::string message) {
    return add(kind, where.begin, where.end, std::move(message));
  }
  // Whether something was reported that begins here: what the parser then says about the place is a consequence.
  bool reported(std::uint32_t begin) const { return places_.contains(begin); }

  // Something open reached to the end of the file, or the text was cut off: errors there are consequences.
  void silence_end() { end_silenced_ = true; }
  bool end_silenced() const { return end_silenced_; }

 private:
  FileId file_;
  std::string_view text_;
  Diagnostics& diagnostics_;
  std::unordered_set<std::uint32_t> places_;
  bool end_silenced_ = false;
};

}  // namespace sgl::compiler::parsing
