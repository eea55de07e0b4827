#include "runtime/base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

namespace sgl::base {
namespace {

using Json = nlohmann::ordered_json;
// Of an object that is not at its end. Those of the library have constant names, so a list of them that grows copies
// every value in it, which costs as much as all that was read, again and again.
using Members = std::vector<std::pair<std::string, Json>>;

constexpr std::size_t kFewMembers = 16;  // up to these looking at each is quicker than an index

// The order of members by their names, as which a name may be given, too.
struct ByName {
  using is_transparent = void;
  const Members* members;
  const std::string& name(std::size_t position) const { return (*members)[position].first; }
  bool operator()(std::size_t a, std::size_t b) const { return name(a) < name(b); }
  bool operator()(std::size_t a, const std::string& b) const { return name(a) < b; }
  bool operator()(const std::string& a, std::size_t b) const { return a < name(b); }
};

// A list or object that is not at its end.
struct Open {
  Json* value;                                           // does not move while it is open
  std::unique_ptr<Members> members;                      // of an object, until its end
  std::unique_ptr<std::set<std::size_t, ByName>> index;  // of an object with more than a few members: their positions
};

class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(Json& out, const JsonRules& rules) : out_(out), rules_(rules) {}
  const JsonMistake& mistake() const { return mistake_; }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& value) override { return add(std::move(value)); }
  bool start_object(std::size_t) override { return begin(Json::object(), std::make_unique<Members>()); }
  bool start_array(std::size_t) override { return begin(Json::array(), nullptr); }
  bool end_object() override {
    auto& object = open_.back().value->get_ref<Json::object_t&>();
    object.reserve(open_.back().members->size());
    // Appended without a search: no name is there twice.
    for (auto& [name, value] : *open_.back().members) {
      object.Container::emplace_back(std::move(name), std::move(value));
    }
    open_.pop_back();
    return true;
  }
  bool end_array() override {
    open_.pop_back();
    return true;
  }
  bool key(string_t& name) override {
    Open& open = open_.back();
    Members& members = *open.members;
    member_ = find(open, members, name);
    if (member_ != nullptr) {
      return !rules_.refuse_repeated_keys || refuse(fmt::format("the key '{}' occurs twice in one object", name));
    }
    member_ = &members.emplace_back(std::move(name), Json()).second;
    if (open.index != nullptr) open.index->insert(members.size() - 1);
    return true;
  }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception&) override {
    mistake_.position = at;
    return false;
  }

 private:
  // The value of the member with this name; nullptr: there is none.
  static Json* find(Open& open, Members& members, const std::string& name) {
    if (members.size() <= kFewMembers) {
      for (auto& [key, value] : members) {
        if (key == name) return &value;
      }
      return nullptr;
    }
    if (open.index == nullptr) {
      open.index = std::make_unique<std::set<std::size_t, ByName>>(ByName{&members});
      for (std::size_t i = 0; i < members.size(); ++i) open.index->insert(i);
    }
    const auto it = open.index->find(name);
    return it == open.index->end() ? nullptr : &members[*it].second;
  }

  Json& place() {
    if (open_.empty()) return out_;
    Json& around = *open_.back().value;
    return around.is_array() ? around.get_ref<Json::array_t&>().emplace_back() : *member_;
  }
  bool add(Json value) {
    place() = std::move(value);
    return true;
  }
  bool begin(Json empty, std::unique_ptr<Members> members) {
    if (open_.size() >= rules_.max_depth)
      return refuse(fmt::format("the JSON is nested more than {} levels deep", rules_.max_depth));
    Json& at = place();
    at = std::move(empty);
    open_.push_back({&at, std::move(members), nullptr});
    return true;
  }
  bool refuse(std::string why) {
    mistake_.why = std::move(why);
    return false;
  }

  Json& out_;
  const JsonRules& rules_;
  std::vector<Open> open_;  // what contains the next value, outermost first
  Json* member_ = nullptr;  // where the value of the last key goes
  JsonMistake mistake_;
};

// Goes through JSON that was read before.
class Steps {
 public:
  explicit Steps(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);  // a byte order mark, as the library's parser has it
  }
  // The next byte that is no white space; 0 at the end.
  char next() {
    at_ = std::min(text_.find_first_not_of(" \t\n\r", at_), text_.size());
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (next() != c) return false;
    ++at_;
    return true;
  }
  // Precondition: a string is next.
  std::string_view string() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
    return text_.substr(begin, at_ - begin);
  }
  // "" where none is next.
  std::string_view value() {
    const char first = next();
    const std::size_t begin = at_;
    if (first == '"') return string();
    if (first != '{' && first != '[') {
      at_ = std::min(text_.find_first_of(",]} \t\n\r", at_), text_.size());
      return text_.substr(begin, at_ - begin);
    }
    std::size_t depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        string();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++at_;
    } while (depth > 0 && at_ < text_.size());
    return text_.substr(begin, at_ - begin);
  }
  // To the value of this key; false: there is none.
  bool enter(std::string_view key) {
    if (!take('{')) return false;
    while (next() == '"') {
      const std::string_view name = string();
      take(':');
      if (is_text(name, key)) return true;
      value();
      take(',');
    }
    return false;
  }

 private:
  static bool is_text(std::string_view string, std::string_view text) {
    if (string.find('\\') == std::string_view::npos) return string.substr(1, string.size() - 2) == text;
    return Json::parse(string, nullptr, false) == text;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<JsonMistake> parse_json(std::string_view text, Json& out, const JsonRules& rules) {
  out = Json();
  Builder builder(out, rules);
  if (Json::sax_parse(text, &builder)) return std::nullopt;
  return builder.mistake();
}

nlohmann::ordered_json json_or_discarded(std::string_view text) {
  nlohmann::ordered_json out;
  if (parse_json(text, out)) return nlohmann::ordered_json::value_t::discarded;
  return out;
}

std::string_view json_slice(std::string_view text, std::initializer_list<std::string_view> keys) {
  Steps steps(text);
  for (const std::string_view key : keys) {
    if (!steps.enter(key)) return {};
  }
  return steps.value();
}

std::vector<std::string_view> json_items(std::string_view list) {
  std::vector<std::string_view> out;
  Steps steps(list);
  if (!steps.take('[')) return out;
  for (std::string_view item = steps.value(); !item.empty(); item = steps.value()) {
    out.push_back(item);
    steps.take(',');
  }
  return out;
}

std::string json_compact(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  Steps steps(text);
  while (const char c = steps.next()) {
    if (c != '"') {
      steps.take(c);
      out += c;
      continue;
    }
    const std::string_view string = steps.string();
    if (string.find('\\') == std::string_view::npos) {
      out += string;
    } else {
      out += Json::parse(string, nullptr, false).dump();
    }
  }
  return out;
}

}  // namespace sgl::base
