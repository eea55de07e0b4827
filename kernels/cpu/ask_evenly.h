// Asking for memory beside arithmetic; part of vector_kernels.h and of quant/vector_quant.h, which say how these files
// are compiled.
#pragma once

#include <cstddef>

namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE {

// The lines that come next, asked for evenly over all steps of the work before them: the processor has only so many
// requests under way, and what comes after waits. Not further in than the second-level cache, since the first holds
// what is worked on.
struct AskEvenly {
  const char* next;
  std::size_t lines;       // left
  std::size_t due, whole;  // a line is due whenever `due`, which a step advances by `each`, reaches `whole`
  std::size_t each;

  // `lines` from `next` on over `steps`; none where nothing comes next.
  AskEvenly(const void* from, std::size_t count, std::size_t steps, bool more)
      : next(static_cast<const char*>(from)), lines(more ? count : 0), due(0), whole(steps), each(count) {}

  void operator()(std::size_t steps) {
    for (due += steps * each; due >= whole; due -= whole) {
      if (lines == 0) return;
      --lines;
      __builtin_prefetch(next, 0, 2);
      next += 64;
    }
  }
};

}  // namespace sgl::kernels::cpu::SGL_SIMD_NAMESPACE
