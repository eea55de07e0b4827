#include "compiler/diag/diag.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/base/code_points.h"
#include "runtime/base/names.h"
#include "runtime/base/utf8.h"

namespace sgl::compiler {

const DiagInfo& diag_info(DiagKind kind) {
  static constexpr auto kTable = std::to_array<DiagInfo>({
#define SGL_ROW(name, code, title) {DiagKind::name, code, title},
      SGL_DIAGNOSTICS(SGL_ROW)
#undef SGL_ROW
  });
  return kTable[static_cast<std::size_t>(kind)];
}

Diagnostic& Diagnostics::add(DiagKind kind, SourceRange range, std::string message) {
  Diagnostic diagnostic{kind, range, std::move(message), {}, {}};
  if (diagnostic.is_error() && ++errors_ > kMaxErrors) {
    overflow_ = std::move(diagnostic);
    return overflow_;
  }
  all_.push_back(std::move(diagnostic));
  return all_.back();
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> out = all_;
  std::stable_sort(out.begin(), out.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::pair(a.range.file, a.range.begin) < std::pair(b.range.file, b.range.begin);
  });
  return out;
}

namespace {

// A line for display: tabs become one space so that columns line up with the underline.
std::string display_line(std::string_view line) {
  std::string out(line);
  std::replace(out.begin(), out.end(), '\t', ' ');
  return out;
}

struct Style {
  std::string_view error, warning, note, bold, off;
};
constexpr Style kPlain{};
constexpr Style kColor{"\x1b[1;31m", "\x1b[1;33m", "\x1b[1;36m", "\x1b[1m", "\x1b[0m"};

// Columns [from, to) of a line, with a sign where something is left out.
std::string excerpt(std::string_view line, std::size_t from, std::size_t to, std::size_t width) {
  std::string out(base::code_point_range(line, static_cast<std::int64_t>(from), static_cast<std::int64_t>(to)));
  if (from > 0) out.insert(0, "…");
  if (to < width) out += "…";
  return out;
}

// The source line of a range with the range underlined, and a text after the underline. Of a very long line what lies
// around the range.
void render_snippet(const SourceFile& file, SourceRange range, std::string_view color, const Style& style,
                    std::string_view after, std::string& out) {
  constexpr std::size_t kShown = 160, kBefore = 60;  // columns
  const LineColumn begin = file.position(range.begin);
  const LineColumn end = file.position(range.end);
  const std::string line = display_line(file.line_text(begin.line));
  const std::size_t width = base::count_code_points(line), first = begin.column - 1;
  std::size_t length = 1;
  if (end.line == begin.line && end.column > begin.column) {
    length = end.column - begin.column;
  } else if (end.line > begin.line) {
    length = width > first ? width - first : 1;
  }
  std::size_t from = 0, to = width;
  if (width > kShown) {
    from = std::min(first > kBefore ? first - kBefore : 0, width - kShown);
    to = from + kShown;
    length = std::clamp<std::size_t>(length, 1, std::max(to, first + 1) - first);
  }
  const std::string number = std::to_string(begin.line);
  out += fmt::format("  {} | {}\n", number, excerpt(line, from, to, width));
  out += fmt::format("  {} | {}{}{}", std::string(number.size(), ' '),
                     std::string(first - from + (from > 0 ? 1 : 0), ' '), color, std::string(length, '^'));
  if (!after.empty()) out += fmt::format(" {}", after);
  out += fmt::format("{}\n", style.off);
}

}  // namespace

std::string render_text(const SourceSet& sources, const std::vector<Diagnostic>& diagnostics, bool color) {
  const Style& style = color ? kColor : kPlain;
  std::string out;
  for (const Diagnostic& d : diagnostics) {
    const SourceFile& file = sources.file(d.range.file);
    const LineColumn at = file.position(d.range.begin);
    const std::string_view tint = d.is_error() ? style.error : style.warning;
    out += fmt::format("{}{}:{}:{}:{} {}{}[{}]{}: {}{}{}\n", style.bold, file.path(), at.line, at.column, style.off,
                       tint, d.is_error() ? "error" : "warning", diag_info(d.kind).code, style.off, style.bold,
                       d.message, style.off);
    render_snippet(file, d.range, tint, style, "", out);
    for (const Label& label : d.labels) {
      const SourceFile& other = sources.file(label.range.file);
      const LineColumn where = other.position(label.range.begin);
      out += fmt::format("  {}note{}: {} at {}:{}:{}\n", style.note, style.off, label.text, other.path(), where.line,
                         where.column);
      render_snippet(other, label.range, style.note, style, "", out);
    }
    if (!d.help.empty()) out += fmt::format("  {}help{}: {}\n", style.note, style.off, d.help);
  }
  return out;
}

std::string render_json(const SourceSet& sources, const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  const auto place = [&](nlohmann::ordered_json& object, SourceRange range) {
    const SourceFile& file = sources.file(range.file);
    const LineColumn begin = file.position(range.begin), end = file.position(range.end);
    object["file"] = file.path();
    object["line"] = begin.line;
    object["column"] = begin.column;
    object["end_line"] = end.line;
    object["end_column"] = end.column;
    object["begin"] = range.begin;
    object["end"] = range.end;
  };
  for (const Diagnostic& d : diagnostics) {
    nlohmann::ordered_json object;
    object["code"] = diag_info(d.kind).code;
    object["severity"] = d.is_error() ? "error" : "warning";
    object["title"] = diag_info(d.kind).title;
    object["message"] = d.message;
    place(object, d.range);
    if (!d.help.empty()) object["help"] = d.help;
    for (const Label& label : d.labels) {
      nlohmann::ordered_json related;
      related["message"] = label.text;
      place(related, label.range);
      object["related"].push_back(std::move(related));
    }
    // Invalid UTF-8 in a message (from a file that is not UTF-8) is replaced, never thrown on.
    out += object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }
  return out;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const auto nearest = base::nearest_name(name, candidates);
  return nearest ? fmt::format("did you mean '{}'?", *nearest) : "";
}

}  // namespace sgl::compiler
