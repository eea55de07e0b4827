// JSON text as a value, in time linear in the text. (The library looks at all earlier keys of an object for every new
// one, which takes minutes for an object of some hundred thousand keys.) And its numbers exactly: the library makes a
// double of whatever 64 bits do not hold.
#include <fmt/format.h>

#include <unordered_map>

#include "runtime/constraint/number_dfa.h"
#include "runtime/constraint/schema_refs.h"

namespace sgl::constraint {
namespace {

constexpr std::size_t kFew = 16;      // members up to which an object is searched from end to end
constexpr int kNumberOverflow = 406;  // the library's number for a double that does not end

class JsonReader final : public nlohmann::json_sax<Json> {
 public:
  explicit JsonReader(SchemaNumbers numbers) : numbers_(numbers) {}
  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    Json number(value);
    if (numbers_ == SchemaNumbers::kOfValues) return put(std::move(number));
    const std::optional<Decimal> written = Decimal::parse(text);
    if (written && written == Decimal::parse(number.dump())) return put(std::move(number));
    return put(Json::binary(binary_t::container_type(text.begin(), text.end())));
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    if (!open(Json::object())) return false;
    open_.back().members.reserve(kFew / 2);  // most have no more than that
    return true;
  }
  bool end_object() override {
    auto& object = open_.back().value->get_ref<Json::object_t&>();
    object.reserve(open_.back().members.size());
    for (auto& [name, value] : open_.back().members) {
      object.Container::emplace_back(std::move(name), std::move(value));
    }
    return close();
  }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string& token, const nlohmann::detail::exception& error) override {
    fault_.too_large = error.id == kNumberOverflow;
    fault_.why = fault_.too_large
                     ? fmt::format("the number {} is too large; numbers go to about 1.8e308", shortened(token))
                     : "not JSON";
    if (fault_.too_large) fault_.pointer = pointer();
    return false;
  }

  // A key that comes again has its first place and its last value.
  bool key(string_t& name) override {
    Open& top = open_.back();
    auto& members = top.members;
    std::size_t at = members.size();
    if (members.size() < kFew) {
      at = 0;
      while (at < members.size() && members[at].first != name) ++at;
    } else {
      if (top.keys.empty()) {
        for (std::size_t i = 0; i < members.size(); ++i) top.keys.try_emplace(members[i].first, i);
      }
      at = top.keys.try_emplace(name, members.size()).first->second;
    }
    if (at == members.size()) members.emplace_back(std::move(name), nullptr);
    top.member = at;
    next_ = &members[at].second;
    return true;
  }

  Json take() { return std::move(root_); }
  JsonFault fault() { return std::move(fault_); }

 private:
  struct Open {
    Json* value = nullptr;
    // Of an object, until its end: in the library's own list, which copies every value when it grows, reading would
    // take time in proportion to depth times size.
    std::vector<std::pair<std::string, Json>> members;
    std::unordered_map<std::string, std::size_t> keys;  // of a large object
    std::size_t member = 0;                             // of an object, that of the last key
  };

  static std::string shortened(const std::string& number) {
    constexpr std::size_t kShown = 40;
    return number.size() <= kShown ? number : number.substr(0, kShown) + "…";
  }
  // To the value that is read now.
  std::string pointer() const {
    std::string out;
    for (std::size_t i = 0; i < open_.size(); ++i) {
      const Json& value = *open_[i].value;
      if (value.is_object()) {
        out += "/" + escape_pointer(open_[i].members[open_[i].member].first);
      } else {
        // Lists and objects stand in their list while they are read; other values come after it.
        out += "/" + std::to_string(value.size() - (i + 1 < open_.size() ? 1 : 0));
      }
    }
    return out;
  }

  // Where the value goes. What is around it does not move before it is closed.
  Json& place() {
    if (open_.empty()) return root_;
    if (open_.back().value->is_object()) return *next_;
    return open_.back().value->get_ref<Json::array_t&>().emplace_back();
  }
  bool put(Json value) {
    place() = std::move(value);
    return true;
  }
  bool open(Json value) {
    Json& at = place();
    at = std::move(value);
    open_.push_back({&at, {}, {}, 0});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  SchemaNumbers numbers_;
  Json root_;
  Json* next_ = nullptr;  // of an object, the value of the key that was read
  std::vector<Open> open_;
  JsonFault fault_;
};

// Recursive, as deep as the document nests, which is bounded.
void write(const Json& value, std::string& out) {
  if (value.is_object()) {
    char between = '{';
    for (const auto& [key, member] : value.get_ref<const Json::object_t&>()) {
      out += between + Json(key).dump() + ":";
      write(member, out);
      between = ',';
    }
    out += between == '{' ? "{}" : "}";
  } else if (value.is_array()) {
    char between = '[';
    for (const Json& item : value) {
      out += between;
      write(item, out);
      between = ',';
    }
    out += between == '[' ? "[]" : "]";
  } else {
    out += is_number(value) ? number_text(value) : value.dump();
  }
}

}  // namespace

bool is_number(const Json& value) {
  return value.is_number() || value.is_binary();
}

std::string number_text(const Json& value) {
  if (!value.is_binary()) return value.dump();
  return {value.get_binary().begin(), value.get_binary().end()};
}

std::string json_text(const Json& value) {
  std::string out;
  write(value, out);
  return out;
}

std::optional<Json> read_json(std::string_view text, JsonFault& fault, SchemaNumbers numbers) {
  JsonReader reader(numbers);
  if (Json::sax_parse(text, &reader)) return reader.take();
  fault = reader.fault();
  return std::nullopt;
}

}  // namespace sgl::constraint
