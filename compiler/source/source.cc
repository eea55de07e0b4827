#include "compiler/source/source.h"

#include <algorithm>

#include "runtime/base/utf8.h"

namespace sgl::compiler {

SourceFile::SourceFile(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {
  lines_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n') lines_.push_back(static_cast<std::uint32_t>(i + 1));
  }
  std::uint32_t characters = 0;
  for (std::size_t at = 0; at < text_.size(); at += base::decode_utf8(text_, at).bytes, ++characters) {
    if (at >= marks_.size() * kMarkEvery) marks_.push_back({static_cast<std::uint32_t>(at), characters});
  }
}

std::uint32_t SourceFile::characters_before(std::uint32_t offset) const {
  const auto after = std::upper_bound(marks_.begin(), marks_.end(), offset,
                                      [](std::uint32_t o, const Mark& m) { return o < m.offset; });
  if (after == marks_.begin()) return 0;  // of an empty text
  const Mark& mark = *(after - 1);
  const std::string_view rest = std::string_view(text_).substr(mark.offset, offset - mark.offset);
  return mark.characters + static_cast<std::uint32_t>(base::count_code_points(rest));
}

LineColumn SourceFile::position(std::uint32_t offset) const {
  offset = std::min(offset, static_cast<std::uint32_t>(text_.size()));
  const auto next = std::upper_bound(lines_.begin(), lines_.end(), offset);
  const auto line = static_cast<std::uint32_t>(next - lines_.begin());
  return {line, characters_before(offset) - characters_before(lines_[line - 1]) + 1};
}

std::string_view SourceFile::line_text(std::uint32_t line) const {
  const std::size_t begin = lines_[line - 1];
  std::size_t end = line < lines_.size() ? lines_[line] - 1 : text_.size();
  if (end > begin && text_[end - 1] == '\r') --end;
  return std::string_view(text_).substr(begin, end - begin);
}

FileId SourceSet::add(std::string path, std::string text) {
  files_.push_back(std::make_unique<SourceFile>(std::move(path), std::move(text)));
  return FileId(static_cast<std::uint32_t>(files_.size() - 1));
}

}  // namespace sgl::compiler
