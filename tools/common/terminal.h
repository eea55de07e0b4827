// Standard streams: what they are connected to, and writing to them.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/expected.h"

namespace sgl::tools {

bool is_terminal(int fd);

// A terminal that shows colours, whose user has not set NO_COLOR (no-color.org).
bool use_color(int fd);

// Writes everything, also through short writes and interruptions. False: an error, in errno.
bool write_all(int fd, std::string_view bytes);

// Writes to standard output and returns the exit code: kOk, or kUsage after a message.
int print_out(std::string_view text);

// "sgl: message" on standard error.
void complain(std::string_view message);

base::Expected<std::string> read_stdin();

// Text of a model made safe for a terminal: control characters other than line feed and tab, which could move the
// cursor or change the title, become U+FFFD.
std::string printable(std::string_view text);

}  // namespace sgl::tools
