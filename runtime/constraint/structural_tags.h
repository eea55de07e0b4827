// Structural tags: free text in which a trigger, such as `<tool_call>`, opens a constrained region.
//
// A text is made of free text and of tags. A tag is its `begin`, a text of its content, and its `end`. Free text is any
// UTF-8 text in which no trigger occurs; where one does, one of the tags whose `begin` begins with it has come, and is
// gone through to its end. After a tag comes free text again, in which nothing of the tag counts.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/constraint/grammar.h"
#include "runtime/constraint/json_schema.h"

namespace sgl::constraint {

struct StructuralTag {
  std::string begin;
  std::shared_ptr<const Constraint> content;
  std::string end;  // may be empty: then whatever the content allows ends it
};

struct StructuralTags {
  std::vector<StructuralTag> tags;
  // Every tag begins with one of them, and every one begins a tag. None contains another: the longer one could never be
  // completed. Empty: each tag's whole `begin` is a trigger.
  std::vector<std::string> triggers;
  bool at_least_one = false;      // free text alone is not enough
  bool stop_after_first = false;  // the text ends with the first tag
};

// Errors: `invalid` (no tag, texts that are not UTF-8, triggers as above), `limit` (GrammarLimits::max_nodes; about one
// node per byte of triggers, begins and ends). O(bytes).
base::Expected<std::shared_ptr<const Constraint>> compile_structural_tags(const StructuralTags& tags,
                                                                          const GrammarLimits& limits = {});

// The same from JSON:
//   {"tags": [{"begin": "<tool_call>", "content": CONTENT, "end": "</tool_call>"}, …],
//    "triggers": ["<tool_call>"], "at_least_one": false, "stop_after_first": false}
// where CONTENT is {"schema": a JSON Schema}, {"regex": "…"} or {"grammar": "…"}; all but `tags` may be left out.
// `options` is for the schemas; its limits on bytes and nesting are also those of the whole. SchemaResult::pointer is
// into this JSON.
SchemaResult compile_structural_tags_json(std::string_view json, const SchemaOptions& options = {},
                                          const GrammarLimits& limits = {});

}  // namespace sgl::constraint
