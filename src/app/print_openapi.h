// `signalbox openapi`: the document of the endpoint table, without a node that runs. The dashboard's types are made
// from it.
#pragma once

namespace sb::app {

/// Errors go to standard error. Returns the exit code.
int print_openapi();

}  // namespace sb::app
