// JSON Schemas (schema_doc.h) in compiled constraints. One description of a subschema serves for writing and reading.
#include <algorithm>
#include <unordered_set>

#include "runtime/base/utf8.h"
#include "runtime/constraint/compiled_io.h"
#include "runtime/constraint/schema_doc.h"

namespace sgl::constraint {
namespace {

constexpr std::int64_t kMaxCount = 1'000'000'000'000'000;  // as the reader of schemas has it
constexpr std::size_t kMaxDigits = 400;                    // as Decimal::parse
constexpr std::size_t kMaxNodes = 200'000;                 // some 700 bytes each; a schema of 2 MB has 50,000

// A subschema: writes it, or fills it in (`Node`: const for writing). What stands in a part of the description that is
// not there keeps its default.
template <typename Io, typename Node>
void describe(Io& io, Node& n);

class SchemaWriter {
 public:
  SchemaWriter(CompiledWriter& out, const SchemaDoc& doc) : out_(out), doc_(doc) {}

  void run() {
    out_.number(doc_.nodes.size() - 2);
    for (std::size_t i = 2; i < doc_.nodes.size(); ++i) describe(*this, doc_.nodes[i]);
    node(doc_.root);
  }

  static constexpr bool kReads = false;
  // Whether a part of the description is there.
  bool part(bool there) {
    out_.flag(there);
    return there;
  }
  void types(Types value) { out_.number(value); }
  void flag(bool value) { out_.flag(value); }
  void least(std::int64_t value) { out_.number(static_cast<std::uint64_t>(value)); }
  void most(std::int64_t value) { out_.number(static_cast<std::uint64_t>(value + 1)); }
  void text(const std::string& value) { out_.text(value); }
  void pointer(const std::string& value) {
    const auto same = std::mismatch(value.begin(), value.end(), pointer_.begin(), pointer_.end()).first - value.begin();
    out_.number(static_cast<std::uint64_t>(same));
    out_.text(std::string_view(value).substr(static_cast<std::size_t>(same)));
    pointer_ = value;
  }
  void node(NodeIndex value) { out_.number(value); }
  void decimal(const Decimal& value) {
    out_.flag(value.negative);
    out_.text(value.digits);
    out_.number(static_cast<std::uint64_t>(value.scale));
  }
  void dfa(const std::shared_ptr<const CharDfa>& value) { out_.dfa(value); }
  template <typename T, typename Item>
  void list(const std::vector<T>& items, const Item& item) {
    out_.number(items.size());
    for (const T& one : items) item(one);
  }

 private:
  CompiledWriter& out_;
  const SchemaDoc& doc_;
  std::string pointer_;  // of the subschema before; its beginning is not written again
};

class SchemaReader {
 public:
  explicit SchemaReader(CompiledReader& in) : in_(in) {}

  SchemaDoc run() {
    doc_.nodes.resize(2);
    doc_.nodes[kFalseNode].allowed = 0;
    size_ = in_.count() + 2;
    if (size_ > kMaxNodes) in_.over_limit("its schema has too many subschemas");
    while (doc_.nodes.size() < size_ && in_.ok()) {
      SchemaNode made;
      describe(*this, made);
      doc_.nodes.push_back(std::move(made));
    }
    node(doc_.root);
    return std::move(doc_);
  }

  static constexpr bool kReads = true;
  bool part(bool) { return in_.flag(); }
  void types(Types& value) { value = static_cast<Types>(in_.number(types::kAll)); }
  void flag(bool& value) { value = in_.flag(); }
  void least(std::int64_t& value) { value = static_cast<std::int64_t>(in_.number(kMaxCount)); }
  void most(std::int64_t& value) { value = static_cast<std::int64_t>(in_.number(kMaxCount + 1)) - 1; }
  void text(std::string& value) { value = in_.text(); }
  void pointer(std::string& value) {
    pointer_.resize(in_.number(pointer_.size()));
    pointer_ += in_.raw(in_.count());
    if (!base::is_valid_utf8(pointer_)) in_.fault("a pointer is not UTF-8");
    if (!in_.take_text(pointer_.size())) pointer_.clear();
    value = pointer_;
  }
  void node(NodeIndex& value) { value = in_.index(size_); }
  void decimal(Decimal& value) {
    value.negative = in_.flag();
    value.digits = in_.raw(in_.count());
    value.scale = static_cast<std::int32_t>(in_.number(kMaxDigits));
    const std::string& d = value.digits;
    const bool digits = std::all_of(d.begin(), d.end(), [](char c) { return c >= '0' && c <= '9'; });
    const bool zero = d.empty() && (value.negative || value.scale != 0);
    // No zero in front, none at the end of a fraction.
    const bool spare = !d.empty() && (d.front() == '0' || (value.scale > 0 && d.back() == '0'));
    if (!digits || zero || spare || d.size() > kMaxDigits) in_.fault("a number is not in its one form");
  }
  void dfa(std::shared_ptr<const CharDfa>& value) { value = in_.dfa(); }
  template <typename T, typename Item>
  void list(std::vector<T>& items, const Item& item) {
    for (std::size_t n = in_.count(); n > 0 && in_.ok(); --n) item(items.emplace_back());
  }
  // Each name once.
  void properties(const std::vector<std::pair<std::string, NodeIndex>>& list) {
    std::unordered_set<std::string_view> met;
    for (const auto& [name, node_of_name] : list) {
      if (!met.insert(name).second) in_.fault("a property is there twice");
    }
  }
  void fault(std::string_view what) { in_.fault(what); }

 private:
  CompiledReader& in_;
  SchemaDoc doc_;
  std::size_t size_ = 2;
  std::string pointer_;
};

template <typename Io, typename Node>
void describe(Io& io, Node& n) {
  const auto node = [&](auto& value) { io.node(value); };
  const auto nodes = [&](auto& list) { io.list(list, node); };
  const auto maybe = [&](auto& value) {
    if (!io.part(value.has_value())) return;
    if constexpr (Io::kReads) value.emplace();
    io.node(*value);
  };
  const auto bound = [&](auto& value) {
    if (!io.part(value.has_value())) return;
    if constexpr (Io::kReads) value.emplace();
    io.decimal(*value);
  };
  const auto strings = [&](auto& list) { io.list(list, [&](auto& value) { io.text(value); }); };
  const auto named = [&](auto& list) {
    io.list(list, [&](auto& entry) { io.text(entry.first), io.node(entry.second); });
  };

  io.pointer(n.pointer);
  io.types(n.allowed);
  if (io.part(!n.values.empty())) {
    io.list(n.values, [&](auto& set) {
      io.types(set.words);
      if (io.part(set.text != nullptr)) io.dfa(set.text);
      io.list(set.numbers, [&](auto& value) { io.decimal(value); });
      nodes(set.composites);
    });
  }
  if (io.part(n.min || n.max || n.multiple_of || n.exclusive_min || n.exclusive_max || n.canonical)) {
    bound(n.min), bound(n.max), bound(n.multiple_of);
    io.flag(n.exclusive_min), io.flag(n.exclusive_max), io.flag(n.canonical);
    if constexpr (Io::kReads) {
      if (n.multiple_of && (n.multiple_of->digits.empty() || n.multiple_of->negative))
        io.fault("a unit is not above 0");
    }
  }
  if (io.part(n.min_chars > 0 || n.max_chars >= 0 || !n.texts.empty())) {
    io.least(n.min_chars), io.most(n.max_chars);
    io.list(n.texts, [&](auto& dfa) { io.dfa(dfa); });
  }
  if (io.part(n.restricts_arrays() || n.lists_items || n.min_contains != 1 || n.max_contains >= 0)) {
    nodes(n.prefix), node(n.items);
    io.least(n.min_items), io.most(n.max_items);
    maybe(n.contains);
    io.least(n.min_contains), io.most(n.max_contains);
    io.flag(n.unique), io.flag(n.lists_items);
  }
  if (io.part(n.restricts_objects() || n.lists_additional || !n.dependent_schemas.empty())) {
    named(n.properties);
    io.list(n.pattern_properties, [&](auto& entry) { io.dfa(entry.pattern), io.node(entry.node); });
    node(n.additional), maybe(n.property_names);
    strings(n.required);
    io.least(n.min_properties), io.most(n.max_properties);
    io.list(n.dependent_required, [&](auto& entry) { io.text(entry.first), strings(entry.second); });
    named(n.dependent_schemas);
    io.flag(n.lists_additional);
    if constexpr (Io::kReads) io.properties(n.properties);
  }
  if (io.part(n.unevaluated_properties || n.unevaluated_items || n.told_apart)) {
    maybe(n.unevaluated_properties), maybe(n.unevaluated_items);
    io.flag(n.told_apart);
  }
  maybe(n.ref);
  if (io.part(n.negated || n.condition || n.then_branch || n.else_branch)) {
    maybe(n.negated), maybe(n.condition), maybe(n.then_branch), maybe(n.else_branch);
  }
  nodes(n.all_of);
  io.list(n.any_of, nodes), io.list(n.one_of, nodes);
}

}  // namespace

void write_schema(CompiledWriter& out, const SchemaDoc& doc) {
  SchemaWriter(out, doc).run();
}

SchemaDoc read_schema(CompiledReader& in) {
  return SchemaReader(in).run();
}

}  // namespace sgl::constraint
