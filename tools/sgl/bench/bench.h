// `sgl bench`: how fast a model runs on this machine, through the same engine that programs and the server use.
#pragma once

namespace sgl::tools {

int bench(int argc, char** argv);

}  // namespace sgl::tools
