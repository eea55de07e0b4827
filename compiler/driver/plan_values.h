// What the registers of a plan's function hold, in the words of the language: for `sglc explain`. Internal to
// compiler/driver.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/plan/plan.h"

namespace sgl::compiler {

// A value as far as the plan tells it.
struct Known {
  enum class Kind : std::uint8_t {
    kUnknown,
    kText,  // `text` is a string's content, with {expression} where it depends on something
    kExpr,  // `text` is an expression
  } kind = Kind::kUnknown;
  std::string text;
  bool compound = false;             // an expression that needs parentheses inside another
  std::optional<plan::TypeId> type;  // where it helps to name fields

  static Known expr(std::string text, bool compound = false, std::optional<plan::TypeId> type = {});
  static Known content(std::string text);
  bool known() const { return kind != Kind::kUnknown; }
  friend bool operator==(const Known& a, const Known& b) { return a.kind == b.kind && a.text == b.text; }
};

// As a person would write it: a string quoted, "…" when unknown; at most about `limit` bytes.
std::string shown(const Known& value, std::size_t limit = 72);
// Cut to about `limit` bytes with "…", never inside a character.
std::string shortened(std::string_view text, std::size_t limit);

class Values {
 public:
  // `params`: what the caller passes, one per parameter or fewer.
  Values(const plan::Plan& plan, const plan::Function& function, std::vector<Known> params);

  const Known& get(plan::Reg reg) const { return regs_[reg]; }
  void set(plan::Reg reg, Known value) { regs_[reg] = std::move(value); }
  // The effect of instruction `index` on its destination; unknown for all that is not computation.
  void apply(std::size_t index);
  // Forgets whatever instructions [begin, end) may write.
  void forget(std::size_t begin, std::size_t end);
  // Joins the two outcomes of a condition: `*this` holds what is known after the `then` side, `other` after the other.
  void join(const Values& other, const std::string& condition);

  // Registers of instruction `index`'s operand list.
  std::vector<plan::Reg> args(std::size_t index) const;
  // "f(a, b)".
  std::string call_text(std::string_view name, const std::vector<plan::Reg>& args) const;

 private:
  Known computed(std::size_t index) const;
  Known constant(plan::ConstId id) const;
  Known binary(const plan::Inst& inst, std::string_view op) const;
  Known record(const plan::Inst& inst, const std::vector<plan::Reg>& fields) const;
  Known field(const plan::Inst& inst) const;
  Known concatenated(const std::vector<plan::Reg>& parts) const;
  Known formatted(const plan::Inst& inst) const;
  std::string operand(plan::Reg reg) const;  // in parentheses if need be

  const plan::Plan* plan_;  // pointers, so that what is known can be copied and assigned
  const plan::Function* function_;
  std::vector<Known> regs_;
};

}  // namespace sgl::compiler
