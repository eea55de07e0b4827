#include "runtime/gguf/reader.h"

namespace sgl::gguf {
namespace {

using base::Expected;

// The file's numbers for kinds of metadata.
enum Kind : std::uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kText, kArray, kU64, kI64, kF64 };

}  // namespace

Expected<std::string_view> Reader::text() {
  SGL_TRY(const auto size, number<std::uint64_t>());
  if (size > limits_.max_text)
    return bad(fmt::format("has a text of {} bytes; the limit is {}", size, limits_.max_text));
  if (size > file_.size() - at_) return truncated();
  const std::string_view out(reinterpret_cast<const char*>(file_.data()) + at_, size);
  at_ += size;
  return out;
}

Expected<Value> Reader::value() {
  SGL_TRY(const auto kind, number<std::uint32_t>());
  return kind == kArray ? array() : value_of(kind);
}

namespace {

template <typename To, typename From>
Expected<Value> widened(Expected<From> number) {
  SGL_TRY(const From n, std::move(number));
  return Value(static_cast<To>(n));
}

}  // namespace

Expected<Value> Reader::value_of(std::uint32_t kind) {
  switch (kind) {
    case kU8:
      return widened<std::uint64_t>(number<std::uint8_t>());
    case kI8:
      return widened<std::int64_t>(number<std::int8_t>());
    case kU16:
      return widened<std::uint64_t>(number<std::uint16_t>());
    case kI16:
      return widened<std::int64_t>(number<std::int16_t>());
    case kU32:
      return widened<std::uint64_t>(number<std::uint32_t>());
    case kI32:
      return widened<std::int64_t>(number<std::int32_t>());
    case kF32:
      return widened<double>(number<float>());
    case kU64:
      return widened<std::uint64_t>(number<std::uint64_t>());
    case kI64:
      return widened<std::int64_t>(number<std::int64_t>());
    case kF64:
      return widened<double>(number<double>());
    case kBool: {
      SGL_TRY(const auto byte, number<std::uint8_t>());
      if (byte > 1) return bad(fmt::format("has a truth value of {}", byte));
      return Value(byte == 1);
    }
    case kText: {
      SGL_TRY(const std::string_view out, text());
      return Value(out);
    }
    default:
      return bad(fmt::format("has metadata of the unknown kind {}", kind));
  }
}

template <typename To, typename From>
Expected<Value> Reader::items(std::uint64_t count) {
  if (count > (file_.size() - at_) / sizeof(From)) return truncated();
  std::vector<To> out(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    From item;
    std::memcpy(&item, file_.data() + at_ + i * sizeof(From), sizeof(From));
    out[i] = static_cast<To>(item);
  }
  at_ += count * sizeof(From);
  return Value(Array{std::move(out)});
}

Expected<Value> Reader::array() {
  SGL_TRY(const auto kind, number<std::uint32_t>());
  SGL_TRY(const auto count, number<std::uint64_t>());
  if (count > limits_.max_array)
    return bad(fmt::format("has a list of {} items; the limit is {}", count, limits_.max_array));
  switch (kind) {
    case kU8:
      return items<std::int64_t, std::uint8_t>(count);
    case kI8:
      return items<std::int64_t, std::int8_t>(count);
    case kU16:
      return items<std::int64_t, std::uint16_t>(count);
    case kI16:
      return items<std::int64_t, std::int16_t>(count);
    case kU32:
      return items<std::int64_t, std::uint32_t>(count);
    case kI32:
      return items<std::int64_t, std::int32_t>(count);
    case kU64:
      return items<std::int64_t, std::uint64_t>(count);
    case kI64:
      return items<std::int64_t, std::int64_t>(count);
    case kF32:
      return items<double, float>(count);
    case kF64:
      return items<double, double>(count);
    case kBool:
      return items<bool, std::uint8_t>(count);
    case kText: {
      // A text has at least its length: what the file cannot hold is not reserved.
      if (count > (file_.size() - at_) / sizeof(std::uint64_t)) return truncated();
      std::vector<std::string_view> out;
      out.reserve(count);
      for (std::uint64_t i = 0; i < count; ++i) {
        SGL_TRY(const std::string_view item, text());
        out.push_back(item);
      }
      return Value(Array{std::move(out)});
    }
    default:
      return bad(fmt::format("has a list of items of kind {}, which is not supported", kind));
  }
}

}  // namespace sgl::gguf
