# id: H02
# title: Exit hooks run and the last words arrive
# expect: contained
# guards: output.bound
# control: none, positive case

import atexit

atexit.register(print, "CONTAINED: works, said at exit")
