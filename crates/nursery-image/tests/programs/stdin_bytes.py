# stdin: "\u0000abc\r\nd"
import os, sys
print(sys.stdin.buffer.read(2), os.read(0, 100), os.read(0, 100))
print(sys.stdin, sys.stdin.isatty(), sys.stdin.fileno())
