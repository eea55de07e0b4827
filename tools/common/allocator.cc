// Settings of the tools' allocator, which jemalloc reads when the process starts (jemalloc(3), "malloc_conf").
//
// Its own thread gives memory that is no longer used back to the system: without it a server that has become idle keeps
// what its last burst took, since jemalloc otherwise only tidies up while it is called.

extern "C" {
// NOLINTNEXTLINE(readability-identifier-naming, misc-definitions-in-headers): the name that jemalloc looks for
extern const char* const malloc_conf;
const char* const malloc_conf = "background_thread:true";
}
