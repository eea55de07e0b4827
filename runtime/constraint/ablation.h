// Switches parts of the engine off, so that a benchmark shows what each is worth. Not for use: nothing gets better.
#pragma once

#include "runtime/constraint/constraint.h"

namespace sgl::constraint {

struct Ablation {
  bool memo = true;       // masks are kept by state, and those of string automata by place
  bool slices = true;     // inside strings, what is known of plain tokens is used; else the trie is walked
  bool interning = true;  // masks with the same tokens are one; patterns and formats are compiled once a process
};

// Precondition: nobody uses the vocabulary yet. `interning` of patterns is set for the whole process.
void ablate(const Vocabulary& vocabulary, const Ablation& ablation);

}  // namespace sgl::constraint
