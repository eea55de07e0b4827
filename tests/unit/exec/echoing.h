// A model that repeats what it is asked, for tests of forks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/unit/exec/scripted_port.h"

namespace sgl::exec::test {

// Repeats the item; "bad" for an item that ends in x.
inline ScriptedPort::Options echoing(ScriptedPort::Delivery delivery, std::uint64_t order = 1) {
  ScriptedPort::Options options;
  options.delivery = delivery;
  options.order = order;
  options.answer = [](std::string_view prompt) {
    return prompt.ends_with('x') ? std::string("bad") : std::string(prompt.substr(prompt.find(':') + 1));
  };
  return options;
}

// Answers the held request for this item; false when it is not there (cancelled).
inline bool answer_item(ScriptedPort& port, const std::string& item) {
  for (std::size_t place = 0; place < port.held(); ++place) {
    if (port.held_prompt(place) == "All:" + item) {
      port.answer(place);
      return true;
    }
  }
  return false;
}

}  // namespace sgl::exec::test
