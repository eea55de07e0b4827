# Writes OUTPUT: a source with the SHA-256 of FILES, names and contents, in the order of their names.
list(SORT FILES)
set(all "")
foreach(file ${FILES})
  file(SHA256 ${file} hash)
  get_filename_component(name ${file} NAME)
  string(APPEND all "${name} ${hash}\n")
endforeach()
string(SHA256 version "${all}")
string(REGEX REPLACE "(..)" "0x\\1, " version ${version})
file(WRITE ${OUTPUT} "// Generated. Do not edit.
#include \"runtime/constraint/compiled.h\"

namespace sgl::constraint {

const base::Sha256& engine_version() {
  static constexpr base::Sha256 kVersion = {${version}};
  return kVersion;
}

}  // namespace sgl::constraint
")
