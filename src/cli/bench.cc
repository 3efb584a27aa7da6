#include "cli/dispatch.h"
namespace sb::cli { int main_bench(const std::vector<std::string>&) { return 1; } }
