// Source files and positions in them. Every position is a byte offset; lines and columns are for people.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/ids.h"

namespace sgl::compiler {

using FileId = base::Id<struct FileTag>;

// Half-open range of bytes [begin, end) of a file.
struct SourceRange {
  FileId file;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

struct LineColumn {
  std::uint32_t line = 1;    // from 1
  std::uint32_t column = 1;  // from 1, in code points
};

class SourceFile {
 public:
  SourceFile(std::string path, std::string text);
  const std::string& path() const { return path_; }
  std::string_view text() const { return text_; }
  LineColumn position(std::uint32_t offset) const;       // O(log size), however long the line
  std::string_view line_text(std::uint32_t line) const;  // without its line end
  std::uint32_t line_begin(std::uint32_t line) const { return lines_[line - 1]; }
  std::uint32_t line_count() const { return static_cast<std::uint32_t>(lines_.size()); }

 private:
  static constexpr std::uint32_t kMarkEvery = 1024;  // bytes
  struct Mark {
    std::uint32_t offset, characters;  // of which so many stand before it
  };
  std::uint32_t characters_before(std::uint32_t offset) const;

  std::string path_;
  std::string text_;
  std::vector<std::uint32_t> lines_;  // offset of each line's first byte
  std::vector<Mark> marks_;           // by offset, at characters
};

// All files of one compilation; ids stay valid while it lives.
class SourceSet {
 public:
  FileId add(std::string path, std::string text);
  const SourceFile& file(FileId id) const { return *files_[id.value]; }
  std::size_t size() const { return files_.size(); }

 private:
  std::vector<std::unique_ptr<SourceFile>> files_;
};

}  // namespace sgl::compiler
