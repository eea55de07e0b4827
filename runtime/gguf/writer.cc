#include "runtime/gguf/writer.h"

#include <fmt/format.h>

#include <fstream>

namespace sgl::gguf {
namespace {

constexpr std::size_t kAlignment = 32;  // what readers assume where the metadata does not say

template <typename T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& out, std::string_view text) {
  put<std::uint64_t>(out, text.size());
  out.append(text);
}

std::size_t padded(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

void Writer::key(std::string_view name, std::uint32_t kind) {
  ++entries_;
  put_text(metadata_, name);
  put(metadata_, kind);
}

void Writer::text(std::string_view name, std::string_view value) {
  key(name, 8);
  put_text(metadata_, value);
}

void Writer::count(std::string_view name, std::uint32_t value) {
  key(name, 4);
  put(metadata_, value);
}

void Writer::number(std::string_view name, float value) {
  key(name, 6);
  put(metadata_, value);
}

void Writer::flag(std::string_view name, bool value) {
  key(name, 7);
  put<std::uint8_t>(metadata_, value ? 1 : 0);
}

void Writer::texts(std::string_view name, std::span<const std::string> values) {
  key(name, 9);
  put<std::uint32_t>(metadata_, 8);
  put<std::uint64_t>(metadata_, values.size());
  for (const std::string& value : values) put_text(metadata_, value);
}

void Writer::numbers(std::string_view name, std::span<const float> values) {
  key(name, 9);
  put<std::uint32_t>(metadata_, 6);
  put<std::uint64_t>(metadata_, values.size());
  for (const float value : values) put(metadata_, value);
}

void Writer::counts(std::string_view name, std::span<const std::int32_t> values) {
  key(name, 9);
  put<std::uint32_t>(metadata_, 5);
  put<std::uint64_t>(metadata_, values.size());
  for (const std::int32_t value : values) put(metadata_, value);
}

void Writer::tensor(std::string_view name, Type type, std::vector<std::uint64_t> shape,
                    std::span<const std::byte> bytes) {
  tensors_.push_back({std::string(name), type, std::move(shape), bytes});
}

std::string Writer::header() const {
  std::string out = "GGUF";
  put<std::uint32_t>(out, 3);
  put<std::uint64_t>(out, tensors_.size());
  put<std::uint64_t>(out, entries_);
  out += metadata_;
  std::uint64_t offset = 0;
  for (const Item& t : tensors_) {
    put_text(out, t.name);
    put(out, static_cast<std::uint32_t>(t.shape.size()));
    for (auto it = t.shape.rbegin(); it != t.shape.rend(); ++it) put<std::uint64_t>(out, *it);
    put(out, static_cast<std::uint32_t>(t.type));
    put<std::uint64_t>(out, offset);
    offset += padded(t.bytes.size());
  }
  out.resize(padded(out.size()));
  return out;
}

base::Status Writer::write(const std::filesystem::path& path) const {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  const std::string head = header(), zeros(kAlignment, '\0');
  out.write(head.data(), static_cast<std::streamsize>(head.size()));
  for (const Item& t : tensors_) {
    out.write(reinterpret_cast<const char*>(t.bytes.data()), static_cast<std::streamsize>(t.bytes.size()));
    out.write(zeros.data(), static_cast<std::streamsize>(padded(t.bytes.size()) - t.bytes.size()));
  }
  out.close();
  if (out) return {};
  std::error_code ignored;  // there may be nothing to remove
  std::filesystem::remove(path, ignored);
  return base::invalid(fmt::format("'{}' cannot be written", path.string()));
}

}  // namespace sgl::gguf
