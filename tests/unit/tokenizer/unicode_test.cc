#include "runtime/base/unicode.h"

#include <doctest/doctest.h>

using namespace sgl::base;

TEST_CASE("categories and properties") {
  CHECK(category(U'a') == Category::kLl);
  CHECK(category(U'A') == Category::kLu);
  CHECK(category(U'\u4eca') == Category::kLo);
  CHECK(category(U'\u0663') == Category::kNd);
  CHECK(category(U'\u00bd') == Category::kNo);
  CHECK(category(U'\u0301') == Category::kMn);
  CHECK(category(U'\U000E0067') == Category::kCf);
  CHECK(category(0x378) == Category::kCn);
  CHECK(category(0x110000) == Category::kCn);
  CHECK(is_white_space(0x85));
  CHECK(is_white_space(0x2003));
  CHECK_FALSE(is_white_space(0x200B));
  CHECK(is_word(U'_'));
  CHECK(is_word(0x301));
  CHECK_FALSE(is_word(U'-'));
  CHECK(is_punctuation(U'!'));
  CHECK(simple_upper(U'\u00e9') == U'\u00c9');
  CHECK(simple_fold(0x17F) == U's');
}

TEST_CASE("code sets") {
  CodeSet set;
  for (char32_t c : {5, 1, 3, 2, 9, 7, 8, 4}) set.add(c, c);
  CHECK(set == CodeSet{{1, 5}, {7, 9}});
  set.add(0, 20);
  CHECK(set == CodeSet{{0, 20}});
  CHECK(set.negated() == CodeSet{{21, kMaxCodePoint}});
  CHECK(set.negated().negated() == set);
  CHECK(CodeSet{}.negated() == CodeSet{{0, kMaxCodePoint}});
  CHECK(set.intersected(CodeSet{{10, 30}, {40, 50}}) == CodeSet{{10, 20}});
  CHECK(CodeSet{{'s', 's'}}.case_closed() == CodeSet{{'S', 'S'}, {'s', 's'}, {0x17F, 0x17F}});
}

TEST_CASE("every property set agrees with the category of every code point") {
  const CodeSet letters = *property_set("L"), digits = *property_set("Nd"), spaces = unicode_class('s');
  bool same = true;
  for (char32_t c = 0; c <= kMaxCodePoint; ++c) {
    const Category k = category(c);
    same = same && letters.contains(c) == (k >= Category::kLu && k <= Category::kLo);
    same = same && digits.contains(c) == (k == Category::kNd);
    same = same && spaces.contains(c) == is_white_space(c);
  }
  CHECK(same);
  CHECK(property_set("Greek")->contains(0x3B1));
  CHECK(property_set("Script=Han")->contains(0x4E00));
  CHECK(property_set("gc=Lu") == property_set("Uppercase_Letter"));
  CHECK_FALSE(property_set("Nonsense"));
}

TEST_CASE("normalisation forms") {
  using enum NormalForm;
  CHECK(normalize("e\u0301", kNfc) == "\u00e9");
  CHECK(normalize("\u00e9", kNfd) == "e\u0301");
  CHECK(normalize("A\u030a \u212b", kNfc) == "\u00c5 \u00c5");
  CHECK(normalize("\u1100\u1161\u11a8", kNfc) == "\uac01");  // Hangul
  CHECK(normalize("\uac01", kNfd) == "\u1100\u1161\u11a8");
  CHECK(normalize("q\u0307\u0323", kNfc) == "q\u0323\u0307");  // reordering
  CHECK(normalize("\u0958", kNfc) == "\u0915\u093c");          // composition exclusion
  CHECK(normalize("\ufb01 \u00b2", kNfkc) == "fi 2");
  CHECK(normalize("\ufb01", kNfc) == "\ufb01");
  CHECK(normalize("a\u0315\u0300\u05ae\u0300b", kNfc) == "\u00e0\u05ae\u0300\u0315b");
  CHECK(to_lower("\u00c9A\u0130") == "\u00e9ai\u0307");
}
