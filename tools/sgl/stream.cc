#include "tools/sgl/stream.h"

#include <unistd.h>

#include <fmt/format.h>

#include "tools/common/terminal.h"

namespace sgl::tools {
namespace {

void put(std::string_view text) { (void)write_all(STDERR_FILENO, text); }

}  // namespace

std::string StreamPrinter::prefix(const std::string& label, const std::string& name) const {
  // Labels of parallel loops bring their own brackets ("[2]"), those of branches do not ("good").
  const std::string shown = label.empty() || label.front() == '[' ? label : fmt::format("[{}]", label);
  const std::string text = fmt::format("{}{}{}: ", shown, shown.empty() ? "" : " ", name);
  return color_ ? fmt::format("\x1b[2m{}\x1b[0m", text) : text;
}

void StreamPrinter::main_text(const std::string& name, std::string_view text) {
  if (!main_begun_) {
    put(prefix("", name));
    main_begun_ = true;
    main_at_line_start_ = false;
  }
  put(printable(text));
  if (!text.empty()) main_at_line_start_ = text.back() == '\n';
}

void StreamPrinter::end_main() {
  if (main_begun_ && !main_at_line_start_) put("\n");
  main_begun_ = false;
  main_at_line_start_ = true;
}

void StreamPrinter::text(const std::string& label, const std::string& name, std::string_view text) {
  if (label.empty() && terminal_) return main_text(name, text);
  std::string& line = pending_[{label, name}];
  line += text;
  std::string out;
  for (std::size_t end = line.find('\n'); end != std::string::npos; end = line.find('\n')) {
    out += prefix(label, name) + printable(std::string_view(line).substr(0, end)) + "\n";
    line.erase(0, end + 1);
  }
  if (!out.empty()) put(out);
}

void StreamPrinter::step(const std::string& label, const std::string& name) {
  if (label.empty() && terminal_) {
    main_text(name, "");
    return end_main();
  }
  const auto node = pending_.extract({label, name});
  // A generation of nothing is shown too: the reader follows the program's steps.
  const bool shown_before = !node.empty() && node.mapped().empty();
  if (!shown_before) put(prefix(label, name) + (node.empty() ? "" : printable(node.mapped())) + "\n");
}

void StreamPrinter::finish() {
  end_main();
  for (const auto& [key, line] : pending_) {
    if (!line.empty()) put(prefix(key.first, key.second) + printable(line) + "\n");
  }
  pending_.clear();
}

}  // namespace sgl::tools
