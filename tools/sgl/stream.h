// Generated text on standard error while it comes: the main line of a program token by token on a terminal, everything
// else line by line with a prefix that names the fork, so that forks do not mix.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace sgl::tools {

class StreamPrinter {
 public:
  StreamPrinter(bool terminal, bool color) : terminal_(terminal), color_(color) {}
  // As exec::RunEvents: `label` is "" for the main line.
  void text(const std::string& label, const std::string& name, std::string_view text);
  void step(const std::string& label, const std::string& name);
  // Prints what is left of generations that did not end.
  void finish();

 private:
  std::string prefix(const std::string& label, const std::string& name) const;
  void main_text(const std::string& name, std::string_view text);
  void end_main();

  bool terminal_, color_;
  bool main_begun_ = false;     // the main line has begun a step and not ended it
  bool main_at_line_start_ = true;
  std::map<std::pair<std::string, std::string>, std::string> pending_;  // by label and name: the unfinished line
};

}  // namespace sgl::tools
