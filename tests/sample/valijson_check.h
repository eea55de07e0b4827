// Whether a text is valid for valijson, an independent validator (Debian's libvalijson-dev). Without it, and for
// schemas that use what it does not know or knows differently, nothing is checked.
#pragma once

#include <memory>
#include <string>

namespace sgl::tests {

class ValijsonCheck {
 public:
  explicit ValijsonCheck(const std::string& schema);
  ~ValijsonCheck();
  ValijsonCheck(const ValijsonCheck&) = delete;
  ValijsonCheck& operator=(const ValijsonCheck&) = delete;

  bool usable() const { return impl_ != nullptr; }
  // Its JSON parser reads the text: numbers beyond a double's range it does not.
  static bool readable(const std::string& text);
  // Precondition: usable(), and readable.
  bool valid(const std::string& text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sgl::tests
