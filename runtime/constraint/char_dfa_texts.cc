#include <algorithm>
#include <map>

#include "runtime/base/utf8.h"
#include "runtime/constraint/char_dfa_build.h"
#include "runtime/constraint/tuple_index.h"

namespace sgl::constraint {

using base::Expected;

namespace {

// A trie whose equal subtrees are one (Daciuk et al., Incremental construction of minimal acyclic finite-state
// automata, 2000). Texts come in ascending order; the path of the last one stays open to changes.
class TextTrie {
 public:
  // Ends the open nodes below `depth` characters of the last text.
  void close(std::size_t depth) {
    while (open_.size() > depth + 1) {
      const std::uint32_t node = freeze(open_.back());
      open_.pop_back();
      open_.back().items.push_back(node);
    }
  }
  void add(const std::u32string& text) {
    const auto same = std::mismatch(text.begin(), text.end(), last_.begin(), last_.end()).first - text.begin();
    close(static_cast<std::size_t>(same));
    for (auto i = static_cast<std::size_t>(same); i < text.size(); ++i) {
      open_.back().items.push_back(static_cast<std::uint32_t>(text[i]));
      open_.emplace_back();
    }
    open_.back().items[0] = 1;
    last_ = text;
  }
  // The root. Nodes are numbered from their ends, so it is the last one.
  std::uint32_t finish() {
    close(0);
    return freeze(open_.back());
  }
  std::size_t size() const { return nodes_.size(); }
  std::size_t items() const { return nodes_.items(); }
  // Whether it accepts, then pairs of character and node.
  std::span<const std::uint32_t> node(std::uint32_t id) const { return nodes_.at(id); }

 private:
  struct Open {
    std::vector<std::uint32_t> items{0};
  };
  std::uint32_t freeze(const Open& open) { return nodes_.add(open.items).first; }

  TupleIndex nodes_;
  std::vector<Open> open_{Open{}};
  std::u32string last_;
};

CharPartition partition_of(std::vector<char32_t> characters) {
  std::sort(characters.begin(), characters.end());
  characters.erase(std::unique(characters.begin(), characters.end()), characters.end());
  CharPartition out;
  out.classes = 2;  // 1: all characters that no text has
  const auto begin = [&](char32_t at, std::size_t cls) {
    if (!out.starts.empty() && out.starts.back() == at) out.starts.pop_back(), out.class_of.pop_back();
    out.starts.push_back(at);
    out.class_of.push_back(static_cast<std::uint16_t>(cls));
  };
  begin(0, 1);
  bool past = false;
  for (std::size_t i = 0; i <= characters.size(); ++i) {
    if (!past && (i == characters.size() || characters[i] > 0xDFFF)) {
      begin(0xD800, 0), begin(0xE000, 1);
      past = true;
    }
    if (i == characters.size()) break;
    begin(characters[i], out.classes++);
    if (characters[i] < base::kMaxCodePoint) begin(characters[i] + 1, 1);
  }
  return out;
}

}  // namespace

Expected<std::shared_ptr<const CharDfa>> CharDfa::texts(std::span<const std::string> texts, const Limits& limits) {
  std::vector<std::u32string> sorted;
  std::vector<char32_t> characters;
  for (const std::string& text : texts) {
    std::u32string codes;
    for (std::size_t at = 0; at < text.size();) {
      const base::DecodedChar c = base::decode_utf8(text, at);
      codes.push_back(c.code);
      at += c.bytes;
    }
    characters.insert(characters.end(), codes.begin(), codes.end());
    sorted.push_back(std::move(codes));
  }
  std::sort(sorted.begin(), sorted.end());
  RawCharDfa raw;
  raw.partition = partition_of(std::move(characters));
  if (raw.partition.classes > UINT16_MAX) return char_dfa_too_large(limits);
  if (sorted.empty()) return CharDfaBuilder::finish(std::move(raw));
  TextTrie trie;
  for (const std::u32string& text : sorted) {
    trie.add(text);
    // Before merging ends, the open path counts as well; it is one text.
    if (trie.size() > limits.max_states) return char_dfa_too_large(limits);
  }
  const std::uint32_t root = trie.finish();
  for (std::size_t s = 0; s < trie.size(); ++s) {
    if (!raw.add_state(false, limits)) return char_dfa_too_large(limits);
  }
  const std::size_t classes = raw.partition.classes;
  for (std::uint32_t s = 0; s <= root; ++s) {
    const auto node = trie.node(root - s);
    raw.accepting[s] = static_cast<std::uint8_t>(node[0]);
    for (std::size_t i = 1; i < node.size(); i += 2) {
      const std::size_t cls = raw.partition.class_of[raw.partition.range_of(node[i])];
      raw.table[s * classes + cls] = static_cast<State>(root - node[i + 1]);
    }
  }
  return CharDfaBuilder::finish_tidy(std::move(raw));  // the trie is minimal, and each of its nodes leads to an end
}

}  // namespace sgl::constraint
