import sys, io, os
for stream in (sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__):
    print(stream.name, stream.mode, stream.encoding, stream.errors, stream.line_buffering, stream.write_through, stream.newlines,
          type(stream.buffer), stream.buffer.raw, stream.closed, stream.isatty())
print(sys.stdout is sys.__stdout__, io.DEFAULT_BUFFER_SIZE)
sys.stdout.write("buffered ")
os.write(1, b"raw first\n")
print("ä\u20ac\U0001f600", end="")
sys.stderr.write("to the error")
print("\udc80")
