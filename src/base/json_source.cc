// The one unit that holds Boost.JSON's code; everybody else includes its declarations.
#include <boost/json/src.hpp>
